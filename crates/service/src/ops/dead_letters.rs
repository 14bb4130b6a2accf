//! The messages that the service could not handle: show them, send them again, throw them away.

use std::collections::BTreeMap;

use axum::extract::State;
use karcis_http::{
    Json, List, OPERATORS, Operator, Page, PathId, Problem, Query, ReasonRequest, Time,
};
use karcis_kernel::Timestamp;
use karcis_messaging::DeadLetter;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActResponse, MessagesQuery, OpsState, by, excerpt};

/// How much of a body a list shows, and how much is shown of one dead letter, in bytes.
const LISTED_BYTES: u16 = 200;
const SHOWN_BYTES: u16 = 20_000;
/// The same of any other text.
const TEXT_BYTES: usize = 300;
const HEADERS: usize = 30;

/// A message that the service could not handle.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct DeadLetterResponse {
    dead_letter_id: Uuid,
    #[schema(examples("karcis.tickets.v1"))]
    topic: String,
    partition: i32,
    offset: i64,
    key: Option<String>,
    #[schema(examples("karcis.TicketsReserved.v1"))]
    r#type: Option<String>,
    #[schema(examples("0198c5a8-7b7e-7c3e-9c54-0242ac120002"))]
    booking_id: Option<String>,
    #[schema(examples("4bf92f3577b34da6a3ce929d0e0e4736"))]
    trace_id: Option<String>,
    /// Its beginning: 200 bytes in a list, 20,000 of a single one. Null where nobody may see it: who knows a
    /// ticket's code has the ticket.
    body: Option<String>,
    /// How many bytes the whole body has.
    body_bytes: i32,
    /// Why it could not be handled the last time.
    #[schema(examples("missing field `total` at line 1 column 210"))]
    error: String,
    /// Whether it can be sent again; otherwise it can only be discarded.
    can_be_redriven: bool,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    /// Commands are sent again until they are answered, and so may fail again.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

/// A dead letter with its headers.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeDeadLetter)]
pub(super) struct WholeDeadLetterResponse {
    #[serde(flatten)]
    message: DeadLetterResponse,
    /// The first 30 headers, each cut to 300 bytes.
    headers: BTreeMap<String, Option<String>>,
}

impl DeadLetterResponse {
    fn new(message: DeadLetter, body_bytes: u16) -> Self {
        let cut = |text: &str| excerpt::text(text.as_bytes(), TEXT_BYTES);
        let header = |name: &str| message.headers[name].as_str().map(cut);
        let trace = header("traceparent");
        Self {
            dead_letter_id: message.id,
            topic: message.topic.clone(),
            partition: message.partition,
            offset: message.offset,
            key: message.key.as_deref().map(|key| excerpt::text(key, TEXT_BYTES)),
            r#type: message.kind.as_deref().map(cut),
            booking_id: header("ce_correlationid"),
            trace_id: trace.and_then(|trace| Some(trace.split('-').nth(1)?.to_owned())),
            body: message.body.as_deref().map(|body| excerpt::text(body, body_bytes.into())),
            body_bytes: message.body_bytes,
            error: cut(&message.error),
            can_be_redriven: message.can_be_redriven,
            first_seen_at: message.first_seen_at,
            last_seen_at: message.last_seen_at,
        }
    }
}

impl From<DeadLetter> for WholeDeadLetterResponse {
    fn from(message: DeadLetter) -> Self {
        let cut = |text: &str| excerpt::text(text.as_bytes(), TEXT_BYTES);
        let headers = message.headers.as_object().into_iter().flatten().take(HEADERS);
        let headers = headers.map(|(name, value)| (cut(name), Value::as_str(value).map(cut)));
        let headers = headers.collect();
        Self { message: DeadLetterResponse::new(message, SHOWN_BYTES), headers }
    }
}

/// The messages that this service could not handle, the newest first.
#[utoipa::path(get, path = "/dead-letters", tag = OPERATORS, operation_id = "deadLetters",
    params(MessagesQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of dead letters.",
        body = List<DeadLetterResponse>)))]
pub(super) async fn list(
    State(state): State<OpsState>,
    _operator: Operator,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<List<DeadLetterResponse>>, Problem> {
    let page: Page<(Time, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let found =
        state.dead_letters.list(query.booking_id, after, page.limit + 1, LISTED_BYTES).await?;
    let key = |message: &DeadLetter| (message.first_seen_at, message.id);
    let item = |message| DeadLetterResponse::new(message, LISTED_BYTES);
    Ok(Json(excerpt::page(found, page.limit, key, item)))
}

/// A message that this service could not handle.
#[utoipa::path(get, path = "/dead-letters/{dead_letter_id}", tag = OPERATORS,
    operation_id = "deadLetter", security(("bearer" = ["operator", "admin"])),
    params(("dead_letter_id" = Uuid, Path, description = "Which dead letter.")),
    responses((status = 200, description = "The dead letter.", body = WholeDeadLetterResponse)))]
pub(super) async fn show(
    State(state): State<OpsState>,
    PathId(id): PathId,
    _operator: Operator,
) -> Result<Json<WholeDeadLetterResponse>, Problem> {
    let found = state.dead_letters.find(id, SHOWN_BYTES).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(found.into()))
}

/// Sends a message that could not be handled to its topic again; twice is harmless.
///
/// It is no dead letter any more. Should it fail again, it comes back as another one.
#[utoipa::path(post, path = "/dead-letters/{dead_letter_id}/redrive", tag = OPERATORS,
    operation_id = "redriveDeadLetter", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    params(("dead_letter_id" = Uuid, Path, description = "Which dead letter.")),
    responses(
        (status = 200, description = "It is on its way.", body = ActResponse),
        (status = 409, description = "not-redrivable"),
    ))]
pub(super) async fn redrive(
    State(state): State<OpsState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<ActResponse>, Problem> {
    ActResponse::new(id, state.dead_letters.redrive(id, &by(operator, request)?).await?)
}

/// Throws a message away that could not be handled and that nobody needs; twice is harmless.
#[utoipa::path(post, path = "/dead-letters/{dead_letter_id}/discard", tag = OPERATORS,
    operation_id = "discardDeadLetter", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    params(("dead_letter_id" = Uuid, Path, description = "Which dead letter.")),
    responses((status = 200, description = "It is gone.", body = ActResponse)))]
pub(super) async fn discard(
    State(state): State<OpsState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<ActResponse>, Problem> {
    ActResponse::new(id, state.dead_letters.discard(id, &by(operator, request)?).await?)
}
