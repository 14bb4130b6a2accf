//! The keys that access tokens can be checked with.

use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use karcis_http::Json;

use super::{ApiState, SESSIONS, responses::KeySetResponse};

/// The keys that access tokens can be checked with, as a JSON Web Key Set.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = SESSIONS, operation_id = "keys",
    responses((status = 200, description = "The public keys.", body = KeySetResponse)))]
pub(super) async fn show(State(state): State<ApiState>) -> Response {
    state.token_keys.published().await;
    let cache = [(CACHE_CONTROL, "public, max-age=30")];
    (cache, Json(state.access_tokens.published())).into_response()
}
