//! The messages of the outbox that the broker never took: show them, send them again, throw them away.

use axum::extract::State;
use karcis_http::{
    Json, List, OPERATORS, Operator, Page, PathId, Problem, Query, ReasonRequest, Time,
};
use karcis_kernel::Timestamp;
use karcis_messaging::ParkedMessage;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActResponse, MessagesQuery, OpsState, by, excerpt};

/// How much of a body a list shows, and how much is shown of one message, in bytes.
const LISTED_BYTES: u16 = 200;
const SHOWN_BYTES: u16 = 20_000;
const ERROR_BYTES: usize = 300;

/// A message that the broker did not take.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedMessage)]
pub(super) struct ParkedMessageResponse {
    message_id: Uuid,
    #[schema(examples("karcis.bookings.v1"))]
    topic: String,
    key: Uuid,
    #[schema(examples("karcis.BookingCreated.v1"))]
    r#type: String,
    booking_id: Option<Uuid>,
    #[schema(examples("4bf92f3577b34da6a3ce929d0e0e4736"))]
    trace_id: Option<String>,
    /// How often it was sent with this time.
    attempt: i32,
    /// Its beginning: 200 bytes in a list, 20,000 of a single one. Null where nobody may see it: who knows a
    /// ticket's code has the ticket.
    body: Option<String>,
    /// How many bytes the whole body has.
    body_bytes: i32,
    /// Why the broker did not take it.
    #[schema(examples("Message production error: MessageSizeTooLarge"))]
    error: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    parked_at: Timestamp,
}

impl ParkedMessageResponse {
    fn new(message: ParkedMessage, body_bytes: u16) -> Self {
        let trace = message.trace.as_deref().and_then(|trace| trace.split('-').nth(1));
        Self {
            message_id: message.id,
            key: message.key,
            booking_id: message.correlation,
            trace_id: trace.map(str::to_owned),
            attempt: message.attempt,
            body: message.body.as_deref().map(|body| excerpt::text(body, body_bytes.into())),
            body_bytes: message.body_bytes,
            error: excerpt::text(message.error.as_bytes(), ERROR_BYTES),
            created_at: message.created_at,
            parked_at: message.parked_at,
            topic: message.topic,
            r#type: message.kind,
        }
    }
}

/// The messages that the broker did not take, those first that were parked last.
#[utoipa::path(get, path = "/parked", tag = OPERATORS, operation_id = "parkedMessages",
    params(MessagesQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of parked messages.",
        body = List<ParkedMessageResponse>)))]
pub(super) async fn list(
    State(state): State<OpsState>,
    _operator: Operator,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<List<ParkedMessageResponse>>, Problem> {
    let page: Page<(Time, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let found = state.parked.list(query.booking_id, after, page.limit + 1, LISTED_BYTES).await?;
    let key = |message: &ParkedMessage| (message.parked_at, message.id);
    let item = |message| ParkedMessageResponse::new(message, LISTED_BYTES);
    Ok(Json(excerpt::page(found, page.limit, key, item)))
}

/// A message that the broker did not take.
#[utoipa::path(get, path = "/parked/{message_id}", tag = OPERATORS, operation_id = "parkedMessage",
    security(("bearer" = ["operator", "admin"])),
    params(("message_id" = Uuid, Path, description = "Which message.")),
    responses((status = 200, description = "The message.", body = ParkedMessageResponse)))]
pub(super) async fn show(
    State(state): State<OpsState>,
    PathId(id): PathId,
    _operator: Operator,
) -> Result<Json<ParkedMessageResponse>, Problem> {
    let found = state.parked.find(id, SHOWN_BYTES).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(ParkedMessageResponse::new(found, SHOWN_BYTES)))
}

/// Puts a message that the broker did not take back into the outbox; twice is harmless.
#[utoipa::path(post, path = "/parked/{message_id}/resend", tag = OPERATORS,
    operation_id = "resendParkedMessage", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    params(("message_id" = Uuid, Path, description = "Which message.")),
    responses((status = 200, description = "It is on its way.", body = ActResponse)))]
pub(super) async fn resend(
    State(state): State<OpsState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<ActResponse>, Problem> {
    ActResponse::new(id, state.parked.resend(id, &by(operator, request)?).await?)
}

/// Throws a message away that the broker did not take and that nobody needs; twice is harmless.
#[utoipa::path(post, path = "/parked/{message_id}/discard", tag = OPERATORS,
    operation_id = "discardParkedMessage", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    params(("message_id" = Uuid, Path, description = "Which message.")),
    responses((status = 200, description = "It is gone.", body = ActResponse)))]
pub(super) async fn discard(
    State(state): State<OpsState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<ActResponse>, Problem> {
    ActResponse::new(id, state.parked.discard(id, &by(operator, request)?).await?)
}
