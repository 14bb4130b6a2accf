//! The tokens of sessions and of e-mails as people hold them: 256 random bits in base64url.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::domain::TokenHash;

/// A new token with its hash.
pub(crate) fn generate() -> (String, TokenHash) {
    let bits: [u8; 32] = rand::rng().random();
    let token = BASE64_URL_SAFE_NO_PAD.encode(bits);
    let hash = hash(&token);
    (token, hash)
}

/// The stored hash of this token. The bits are random, so one fast hash is enough.
pub(crate) fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}
