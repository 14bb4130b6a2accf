//! Signs access tokens.

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::Timestamp;

use crate::{
    adapters::postgres::SigningKey,
    domain::{Account, SessionId},
};

/// How long an access token is valid, in seconds.
pub(crate) const LIFETIME_S: i64 = 900;

/// Why there is no key that can sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// It is not an Ed25519 key.
    #[error("signing key {kid} cannot be read")]
    Unreadable { kid: String, source: jsonwebtoken::errors::Error },
    #[error("there is no signing key")]
    Missing,
}

/// Signs with the newest key and publishes all keys.
pub(crate) struct AccessTokens {
    header: Header,
    key: EncodingKey,
    published: JwkSet,
}

impl AccessTokens {
    /// `keys` are sorted, the newest first.
    pub(crate) fn new(keys: &[SigningKey]) -> Result<Self, KeyError> {
        let newest = keys.first().ok_or(KeyError::Missing)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(newest.kid.clone());
        let key = EncodingKey::from_ed_der(&newest.private_key);
        let published = keys.iter().map(public_half).collect::<Result<_, _>>()?;
        Ok(Self { header, key, published: JwkSet { keys: published } })
    }

    /// The public halves of the keys.
    pub(crate) fn published(&self) -> &JwkSet {
        &self.published
    }

    /// A token for the account, in this session.
    pub(crate) fn sign(
        &self,
        account: &Account,
        session: SessionId,
        at: Timestamp,
    ) -> jsonwebtoken::errors::Result<String> {
        let iat = at.timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account.user_id,
            role: account.role,
            iat,
            exp: iat + LIFETIME_S,
            sid: Some(session.0),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key)
    }
}

fn public_half(key: &SigningKey) -> Result<Jwk, KeyError> {
    let private = EncodingKey::from_ed_der(&key.private_key);
    let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA)
        .map_err(|source| KeyError::Unreadable { kid: key.kid.clone(), source })?;
    public.common.key_id = Some(key.kid.clone());
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(public)
}
