//! What waits in the outbox: how much, and for how long.

use axum::extract::State;
use karcis_http::{Json, List, OPERATORS, Operator, Problem};
use karcis_kernel::Timestamp;
use karcis_messaging::{WaitingMessages, waiting_messages};
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsState;

/// The messages of a topic that wait to be sent.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingMessages)]
pub(super) struct WaitingMessagesResponse {
    #[schema(examples("karcis.bookings.v1"))]
    topic: String,
    /// How many, among the 100,000 that have waited longest.
    messages: i64,
    #[schema(value_type = String, format = DateTime)]
    oldest_at: Timestamp,
    /// How many seconds the oldest has waited.
    oldest_age_s: i64,
}

impl From<WaitingMessages> for WaitingMessagesResponse {
    fn from(waiting: WaitingMessages) -> Self {
        let WaitingMessages { topic, messages, oldest_at, oldest_age_s } = waiting;
        Self { topic, messages, oldest_at, oldest_age_s }
    }
}

/// The messages that wait to be sent, by topic: the one whose message has waited longest first. Usually there
/// are none, or for some milliseconds. All come in one page.
#[utoipa::path(get, path = "/outbox", tag = OPERATORS, operation_id = "outbox",
    security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "What waits, by topic.",
        body = List<WaitingMessagesResponse>)))]
pub(super) async fn list(
    State(state): State<OpsState>,
    _operator: Operator,
) -> Result<Json<List<WaitingMessagesResponse>>, Problem> {
    let waiting = waiting_messages(&state.reads).await?;
    let items = waiting.into_iter().map(Into::into).collect();
    Ok(Json(List { items, next_cursor: None }))
}
