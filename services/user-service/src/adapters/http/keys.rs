//! The keys that access tokens can be checked with.

use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use karcis_http::Json;
use utoipa::ToSchema;

use crate::adapters::http::{ApiState, SESSIONS};

/// A JSON Web Key Set (RFC 7517).
#[derive(ToSchema)]
#[schema(as = KeySet)]
#[expect(dead_code, reason = "it only describes the answer")]
struct KeySetResponse {
    keys: Vec<Key>,
}

/// An Ed25519 key (RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the answer")]
struct Key {
    #[schema(examples("OKP"))]
    kty: String,
    #[schema(examples("Ed25519"))]
    crv: String,
    #[schema(examples("EdDSA"))]
    alg: String,
    #[schema(examples("sig"))]
    r#use: String,
    #[schema(examples("2036-08-01"))]
    kid: String,
    #[schema(examples("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))]
    x: String,
}

/// The keys that access tokens can be checked with, as a JSON Web Key Set.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = SESSIONS, operation_id = "keys",
    responses((status = 200, description = "The public keys.", body = KeySetResponse)))]
pub async fn show(State(state): State<ApiState>) -> Response {
    let cache = [(CACHE_CONTROL, "public, max-age=300")];
    (cache, Json(state.access_tokens.published())).into_response()
}
