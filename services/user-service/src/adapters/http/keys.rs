//! The keys that access tokens can be checked with.

use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use karcis_http::Json;

use crate::adapters::http::Api;

/// GET /.well-known/jwks.json
pub async fn show(State(api): State<Api>) -> Response {
    let cache = [(CACHE_CONTROL, "public, max-age=300")];
    (cache, Json(api.tokens.published())).into_response()
}
