//! Access tokens for any user, signed with a key that tests know.

use axum::{Json, Router, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::{Role, UserId};
use serde_json::{Value, json};

use crate::apart;

/// The key's name.
pub const KEY_ID: &str = "tests";

/// RFC 8037's example key, in PKCS#8.
pub const PRIVATE_KEY: [u8; 48] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// The public half, as a JWK has it.
const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A token that this user may use for the next 15 minutes.
pub fn token(user: UserId, role: Role) -> String {
    let now = karcis_process::now().timestamp();
    token_of(&Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        role,
        iat: now,
        exp: now + 900,
        sid: None,
        email_verified: false,
        name: None,
    })
}

/// A rightly signed token with these claims, which may be expired or for another audience.
pub fn token_of(claims: &Claims) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TOKEN_TYPE.to_owned());
    header.kid = Some(KEY_ID.to_owned());
    encode(&header, claims, &EncodingKey::from_ed_der(&PRIVATE_KEY)).expect("the key can sign")
}

/// Publishes the key as user-service would, for tests of a service by itself.
pub struct TokenMint {
    jwks_url: String,
}

impl TokenMint {
    /// Serves the key until the test ends.
    pub async fn start() -> Self {
        let listener = apart::listener().await;
        let address = listener.local_addr().expect("the listener has an address");
        let routes = Router::new().route("/.well-known/jwks.json", get(|| async { Json(jwks()) }));
        apart::spawn(async move { axum::serve(listener, routes).await });
        Self { jwks_url: format!("http://{address}/.well-known/jwks.json") }
    }

    /// For a service's `--jwks-url`.
    pub fn jwks_url(&self) -> &str {
        &self.jwks_url
    }

    /// As [`token`].
    pub fn token(&self, user: UserId, role: Role) -> String {
        token(user, role)
    }
}

/// The key set that holds the key's public half.
fn jwks() -> Value {
    json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": PUBLIC_KEY,
        "kid": KEY_ID, "use": "sig", "alg": "EdDSA",
    }]})
}
