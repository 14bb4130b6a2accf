//! What operators see of what they did.

use serde::Serialize;
use utoipa::ToSchema;

/// What became of sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub(super) struct EndedSessionsResponse {
    /// How many have ended.
    pub(super) ended: u64,
}
