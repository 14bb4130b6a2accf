//! Signs access tokens.

use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::Timestamp;

use crate::{
    adapters::postgres::SigningKey,
    domain::{Account, SessionId, TOKEN_LIFETIME},
};

/// How long an access token is valid, in seconds.
pub(crate) const LIFETIME_S: i64 = TOKEN_LIFETIME.num_seconds();

/// Why there is no key that can sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// It is not an Ed25519 key.
    #[error("signing key {kid} cannot be read")]
    Unreadable { kid: String, source: jsonwebtoken::errors::Error },
    #[error("there is no signing key")]
    Missing,
}

/// Publishes all keys and signs with one of them.
pub(crate) struct AccessTokens(RwLock<Arc<Signer>>);

struct Signer {
    header: Header,
    key: EncodingKey,
    published: JwkSet,
}

impl AccessTokens {
    /// The first of these keys signs.
    pub(crate) fn new(keys: &[SigningKey]) -> Result<Self, KeyError> {
        Signer::new(keys).map(|signer| Self(RwLock::new(Arc::new(signer))))
    }

    /// From now on these are the keys. `publish` is told of them before the first of them signs. Returns
    /// the id of the key that signs now, if it is another.
    pub(crate) fn replace(
        &self,
        keys: &[SigningKey],
        publish: impl FnOnce(&JwkSet),
    ) -> Result<Option<String>, KeyError> {
        let signer = Signer::new(keys)?;
        publish(&signer.published);
        let signs_now = signer.header.kid.clone();
        let before = {
            let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::new(signer))
        };
        Ok(signs_now.filter(|now| before.header.kid.as_ref() != Some(now)))
    }

    /// The public halves of the keys.
    pub(crate) fn published(&self) -> JwkSet {
        self.signer().published.clone()
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
            email_verified: account.email_verified,
            name: Some(account.name.as_str().to_owned()),
        };
        let Signer { header, key, .. } = &*self.signer();
        jsonwebtoken::encode(header, &claims, key)
    }

    fn signer(&self) -> Arc<Signer> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Signer {
    fn new(keys: &[SigningKey]) -> Result<Self, KeyError> {
        let first = keys.first().ok_or(KeyError::Missing)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(first.kid.clone());
        let key = EncodingKey::from_ed_der(&first.private_key);
        let published = keys.iter().map(public_half).collect::<Result<_, _>>()?;
        Ok(Self { header, key, published: JwkSet { keys: published } })
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
