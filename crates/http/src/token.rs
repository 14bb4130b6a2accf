//! Checks an access token with a key, and says why one is refused.

use std::{collections::HashMap, sync::Arc};

use chrono::DateTime;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    dangerous::insecure_decode_claims,
    decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use karcis_kernel::Timestamp;

use crate::{AUDIENCE, Caller, Claims, ISSUER, Problem, TOKEN_TYPE};

/// No token may be valid for longer, in seconds.
const MAX_LIFETIME_S: i64 = 900;
/// How far another machine's clock may be ahead of ours, in seconds.
const MAX_AHEAD_S: i64 = 60;

/// Why a request's token is refused; as a [`Problem`] it says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The header is not `Bearer` and a token.
    NotBearer,
    /// It is altered, of another kind, or signed by nobody we know.
    Invalid,
    Expired,
    /// There are no keys yet.
    KeysUnknown,
    /// Its key is not known, and may be newer than the keys that are.
    KeyMayBeNew,
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotBearer => Self::not_logged_in(
                "send `Authorization: Bearer <access_token>` with a token from POST /login",
            ),
            TokenError::Invalid => {
                Self::not_logged_in("this is no valid access token; log in again with POST /login")
            }
            TokenError::Expired => Self::not_logged_in(
                "the access token has expired; get another with POST /token/refresh, or log in \
                 again with POST /login",
            ),
            TokenError::KeysUnknown => {
                Self::out_of_service("the signing keys are not known yet; try again")
            }
            TokenError::KeyMayBeNew => {
                Self::out_of_service("this token's signing key is not known here yet; try again")
            }
        }
    }
}

/// Published keys by their ids.
pub(crate) type Keys = HashMap<String, Arc<Key>>;

/// A published key.
pub(crate) struct Key {
    published: Jwk,
    decoding: DecodingKey,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.published == other.published
    }
}

/// The Ed25519 keys, by their ids.
pub(crate) fn usable(keys: &JwkSet) -> Keys {
    let by_id = keys.keys.iter().filter_map(|key| {
        let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm else { return None };
        let is_ed25519 = pair.curve == EllipticCurve::Ed25519;
        let decoding = DecodingKey::from_jwk(key).ok().filter(|_| is_ed25519)?;
        Some((key.common.key_id.clone()?, Arc::new(Key { published: key.clone(), decoding })))
    });
    by_id.collect()
}

/// The id of the key that a token names, if its header is that of an access token.
pub(crate) fn key_id(token: &str) -> Result<String, TokenError> {
    let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
    // We understand no extension, so none may be critical (RFC 7515, section 4.1.11).
    match (header.kid, header.typ.as_deref(), header.alg, header.crit) {
        (Some(id), Some(TOKEN_TYPE), Algorithm::EdDSA, None) => Ok(id),
        _ => Err(TokenError::Invalid),
    }
}

/// Whom the token names, if this key signed it.
pub(crate) fn check(token: &str, key: &Key) -> Result<Caller, TokenError> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = 0;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    match decode::<Claims>(token, &key.decoding, &validation) {
        Ok(token) => caller(&token.claims),
        Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
            Err(TokenError::Expired)
        }
        Err(_) => Err(TokenError::Invalid),
    }
}

/// When the token says that it was issued, if nothing but its signature is left to check.
pub(crate) fn unverified_issue(token: &str) -> Result<Timestamp, TokenError> {
    let claims: Claims = insecure_decode_claims(token).map_err(|_| TokenError::Invalid)?;
    if claims.iss != ISSUER || claims.aud != AUDIENCE {
        return Err(TokenError::Invalid);
    }
    caller(&claims)?;
    DateTime::from_timestamp(claims.iat, 0).ok_or(TokenError::Invalid)
}

/// The name that the token says.
pub(crate) fn unverified_name(token: &str) -> Option<String> {
    insecure_decode_claims::<Claims>(token).ok()?.name
}

/// Whom these claims name, unless their times are wrong.
fn caller(claims: &Claims) -> Result<Caller, TokenError> {
    let &Claims { sub: user_id, role, iat, exp, sid: session_id, email_verified, .. } = claims;
    let now = karcis_process::now();
    let is_from_the_future = iat > now.timestamp() + MAX_AHEAD_S;
    if is_from_the_future || exp.saturating_sub(iat) > MAX_LIFETIME_S {
        return Err(TokenError::Invalid);
    }
    let expires_at = DateTime::from_timestamp(exp, 0).ok_or(TokenError::Invalid)?;
    if expires_at <= now {
        return Err(TokenError::Expired);
    }
    Ok(Caller { user_id, role, expires_at, session_id, email_verified })
}
