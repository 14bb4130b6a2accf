//! The keys that access tokens are checked against, and a cache of the tokens they have verified.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use chrono::DateTime;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{AUDIENCE, Caller, Claims, ISSUER, Problem, TOKEN_TYPE, jwks};

const MIN_REFETCH: Duration = Duration::from_secs(30);
/// Keys are fetched at least this often, so that a withdrawn key is forgotten.
const MAX_AGE: Duration = Duration::from_secs(300);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MIN_RETRY: Duration = Duration::from_millis(100);
const MAX_RETRY: Duration = Duration::from_secs(5);
const MAX_VERIFIED: usize = 20_000;

/// The keys that tokens are checked against. Verified tokens are cached until they expire.
#[derive(Clone)]
pub struct TokenKeys(Arc<Inner>);

struct Inner {
    /// `None` for keys that never change.
    jwks_url: Option<String>,
    /// The least time between fetches, however many unknown keys tokens name.
    min_refetch: Duration,
    known: RwLock<Option<Known>>,
    /// By the token's SHA-256, so that no token stays in memory.
    verified: Mutex<HashMap<[u8; 32], Caller>>,
    refetch: Notify,
    fetches: watch::Sender<Fetches>,
}

type Known = Arc<HashMap<String, DecodingKey>>;

/// When keys were last fetched, and whether that failed.
#[derive(Clone, Copy, Default)]
struct Fetches {
    last: Option<Instant>,
    failed: bool,
}

impl TokenKeys {
    /// These keys for ever, for the service that owns them.
    pub fn fixed(keys: &JwkSet) -> Self {
        Self::with(None, MIN_REFETCH, Some(Arc::new(usable(keys))))
    }

    /// The keys at this URL, once [`Self::keep_fresh`] has fetched them; until then callers get 503.
    pub fn fetched_from(jwks_url: &str) -> Self {
        Self::with(Some(jwks_url.to_owned()), MIN_REFETCH, None)
    }

    /// For tests: the same keys, but an unknown key is fetched without a pause since the last fetch.
    pub fn refetching_at_once(self) -> Self {
        Self::with(self.0.jwks_url.clone(), Duration::ZERO, self.known())
    }

    fn with(jwks_url: Option<String>, min_refetch: Duration, known: Option<Known>) -> Self {
        Self(Arc::new(Inner {
            jwks_url,
            min_refetch,
            known: RwLock::new(known),
            verified: Mutex::default(),
            refetch: Notify::new(),
            fetches: watch::Sender::default(),
        }))
    }

    /// Fetches the keys, again whenever a token names an unknown one (at most every 30 s), until
    /// `stopping`.
    pub async fn keep_fresh(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.fetch_for_ever()).await;
        Ok(())
    }

    async fn fetch_for_ever(&self) {
        let Some(url) = &self.0.jwks_url else { return std::future::pending().await };
        let mut retry = MIN_RETRY;
        loop {
            let fetched = fetch(url).await;
            let failed = fetched.is_err();
            match fetched {
                Ok(keys) => self.replace(keys),
                Err(error) => tracing::warn!(%error, url, "the signing keys cannot be fetched"),
            }
            self.0.fetches.send_replace(Fetches { last: Some(Instant::now()), failed });
            if failed {
                sleep(retry).await;
                retry = MAX_RETRY.min(retry * 2);
                continue;
            }
            retry = MIN_RETRY;
            self.until_refetch().await;
        }
    }

    /// Returns when a token names an unknown key, or the keys are old.
    async fn until_refetch(&self) {
        let since = Instant::now();
        while let Ok(()) = timeout_at(since + MAX_AGE, self.0.refetch.notified()).await {
            // A token may have asked during the last fetch.
            if since.elapsed() >= self.0.min_refetch {
                return;
            }
        }
    }

    fn replace(&self, keys: HashMap<String, DecodingKey>) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        let withdrawn =
            known.iter().flat_map(|known| known.keys()).any(|id| !keys.contains_key(id));
        *known = Some(Arc::new(keys));
        if withdrawn {
            self.verified().clear();
        }
    }

    /// Returns once there are keys, or after `limit`.
    pub(crate) async fn known_within(&self, limit: Duration) {
        let mut fetches = self.0.fetches.subscribe();
        // Keys are replaced before the fetch is announced.
        drop(timeout(limit, fetches.wait_for(|_| self.are_known())).await);
    }

    /// Whether there are keys yet.
    pub fn are_known(&self) -> bool {
        self.known().is_some()
    }

    /// The caller that this token names; 401 `not-logged-in` if it is altered, expired or of another
    /// kind, 503 while there are no keys.
    pub async fn verify(&self, token: &str) -> Result<Caller, Problem> {
        if !self.are_known() {
            return Err(Problem::out_of_service("the signing keys are not known yet; try again"));
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        let verified = self.verified().get(&hash).copied();
        if let Some(caller) = verified {
            return self.unless_expired(caller, hash);
        }
        let header = decode_header(token).map_err(|_| invalid_token())?;
        let (Some(key_id), Some(TOKEN_TYPE), Algorithm::EdDSA) =
            (header.kid, header.typ.as_deref(), header.alg)
        else {
            return Err(invalid_token());
        };
        let key = self.key(&key_id).await?;
        let caller = check(token, &key)?;
        let caller = self.unless_expired(caller, hash)?;
        self.cache(hash, caller);
        Ok(caller)
    }

    /// The key of this id. If it is unknown, keys are fetched again unless they just were.
    async fn key(&self, id: &str) -> Result<DecodingKey, Problem> {
        let find = || self.known().and_then(|known| known.get(id).cloned());
        if let Some(key) = find() {
            return Ok(key);
        }
        let mut fetches = self.0.fetches.subscribe();
        let last = fetches.borrow_and_update().last;
        if last.is_some_and(|last| last.elapsed() >= self.0.min_refetch) {
            self.0.refetch.notify_one();
            drop(timeout(FETCH_TIMEOUT + MIN_RETRY, fetches.changed()).await);
        }
        match find() {
            Some(key) => Ok(key),
            // The key may be newer than the keys that are known.
            None if fetches.borrow().failed => {
                Err(Problem::out_of_service("the signing keys cannot be fetched now; try again"))
            }
            None => Err(invalid_token()),
        }
    }

    fn unless_expired(&self, caller: Caller, hash: [u8; 32]) -> Result<Caller, Problem> {
        if caller.expires_at > karcis_process::now() {
            return Ok(caller);
        }
        self.verified().remove(&hash);
        Err(expired())
    }

    fn cache(&self, hash: [u8; 32], caller: Caller) {
        let mut verified = self.verified();
        if verified.len() >= MAX_VERIFIED {
            let now = karcis_process::now();
            verified.retain(|_, caller| caller.expires_at > now);
        }
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(hash, caller);
    }

    fn known(&self) -> Option<Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verified(&self) -> MutexGuard<'_, HashMap<[u8; 32], Caller>> {
        self.0.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(url: &str) -> Result<HashMap<String, DecodingKey>, String> {
    let keys = usable(&jwks::read(url, FETCH_TIMEOUT).await?);
    if keys.is_empty() { Err("there is no EdDSA key with an id".to_owned()) } else { Ok(keys) }
}

/// The Ed25519 keys, by their ids.
fn usable(keys: &JwkSet) -> HashMap<String, DecodingKey> {
    let by_id = keys.keys.iter().filter_map(|key| {
        let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm else { return None };
        let is_ed25519 = pair.curve == EllipticCurve::Ed25519;
        let decoding = DecodingKey::from_jwk(key).ok().filter(|_| is_ed25519)?;
        Some((key.common.key_id.clone()?, decoding))
    });
    by_id.collect()
}

fn check(token: &str, key: &DecodingKey) -> Result<Caller, Problem> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = 0;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    let claims = match decode::<Claims>(token, key, &validation) {
        Ok(token) => token.claims,
        Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => return Err(expired()),
        Err(_) => return Err(invalid_token()),
    };
    let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or_else(invalid_token)?;
    let Claims { sub: user_id, role, sid: session_id, .. } = claims;
    Ok(Caller { user_id, role, expires_at, session_id })
}

fn invalid_token() -> Problem {
    Problem::not_logged_in("this is no valid access token; log in again with POST /login")
}

fn expired() -> Problem {
    Problem::not_logged_in(
        "the access token has expired; get another with POST /token/refresh, or log in again \
         with POST /login",
    )
}
