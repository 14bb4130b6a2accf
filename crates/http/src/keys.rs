//! The keys that access tokens are checked against, and a cache of the tokens they have verified.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::jwk::JwkSet;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Caller, TokenError, jwks,
    token::{Key, Keys, check, key_id, usable},
};

/// The least time between fetches, however many unknown keys tokens name.
const MIN_REFETCH: Duration = Duration::from_secs(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MIN_RETRY: Duration = Duration::from_millis(100);
const MAX_RETRY: Duration = Duration::from_secs(5);
const MAX_VERIFIED: usize = 20_000;
/// How many unknown keys are remembered, and how long the id of one may be.
const MAX_ASKED: usize = 1_000;
const MAX_KEY_ID: usize = 256;

/// The keys that tokens are checked against. Verified tokens are cached until they expire or their key
/// is withdrawn.
#[derive(Clone)]
pub struct TokenKeys(Arc<Inner>);

struct Inner {
    /// `None` for keys that their owner replaces itself.
    source: Option<Source>,
    min_refetch: Duration,
    known: RwLock<Option<Arc<Keys>>>,
    /// By the token's SHA-256, so that no token stays in memory.
    verified: Mutex<HashMap<[u8; 32], Verified>>,
    /// The unknown keys for which keys were fetched; none is fetched for twice.
    asked: Mutex<HashSet<String>>,
    refetch: Notify,
    fetches: watch::Sender<Fetches>,
}

#[derive(Clone)]
struct Source {
    jwks_url: String,
    poll: Duration,
}

struct Verified {
    caller: Caller,
    key_id: String,
}

/// When keys were last fetched, and whether that failed.
#[derive(Clone, Copy, Default)]
struct Fetches {
    last: Option<Instant>,
    failed: bool,
}

impl TokenKeys {
    /// These keys, for the service that owns them: [`Self::replace`] changes them.
    pub fn own(keys: &JwkSet) -> Self {
        Self::with(None, MIN_REFETCH, Some(Arc::new(usable(keys))))
    }

    /// The keys at this URL, once [`Self::keep_fresh`] has fetched them, and from then on again at
    /// each `poll`; until then callers get 503.
    pub fn fetched_from(jwks_url: &str, poll: Duration) -> Self {
        Self::with(Some(Source { jwks_url: jwks_url.to_owned(), poll }), MIN_REFETCH, None)
    }

    /// For tests: the same keys, but an unknown key is fetched without a pause since the last fetch.
    pub fn refetching_at_once(self) -> Self {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self::with(self.0.source.clone(), Duration::ZERO, known)
    }

    fn with(source: Option<Source>, min_refetch: Duration, known: Option<Arc<Keys>>) -> Self {
        Self(Arc::new(Inner {
            source,
            min_refetch,
            known: RwLock::new(known),
            verified: Mutex::default(),
            asked: Mutex::default(),
            refetch: Notify::new(),
            fetches: watch::Sender::default(),
        }))
    }

    /// Fetches the keys at each poll, and when a token names an unknown one (once for each, and at most
    /// every 5 s), until `stopping`.
    pub async fn keep_fresh(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.fetch_for_ever()).await;
        Ok(())
    }

    async fn fetch_for_ever(&self) {
        let Some(Source { jwks_url: url, poll }) = &self.0.source else {
            return std::future::pending().await;
        };
        let mut retry = MIN_RETRY;
        loop {
            let fetched = fetch(url).await;
            let failed = fetched.is_err();
            match fetched {
                Ok(keys) => self.set(keys),
                Err(error) => tracing::warn!(%error, url, "the signing keys cannot be fetched"),
            }
            self.0.fetches.send_replace(Fetches { last: Some(Instant::now()), failed });
            if failed {
                sleep(retry).await;
                retry = MAX_RETRY.min(retry * 2);
                continue;
            }
            retry = MIN_RETRY;
            self.until_refetch(*poll).await;
        }
    }

    /// Returns when a token names an unknown key, or it is time to poll.
    async fn until_refetch(&self, poll: Duration) {
        let since = Instant::now();
        while let Ok(()) = timeout_at(since + poll, self.0.refetch.notified()).await {
            // A token may have asked during the last fetch.
            if since.elapsed() >= self.0.min_refetch {
                return;
            }
        }
    }

    /// From now on these are the keys.
    pub fn replace(&self, keys: &JwkSet) {
        self.set(usable(keys));
    }

    fn set(&self, keys: Keys) {
        let keys = Arc::new(keys);
        let before = {
            let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
            known.replace(keys.clone())
        };
        let is_withdrawn = |id: &String| {
            let before = before.as_ref().and_then(|before| before.get(id));
            before.is_none_or(|before| keys.get(id) != Some(before))
        };
        self.verified().retain(|_, verified| !is_withdrawn(&verified.key_id));
    }

    /// Returns once there are keys, or after `limit`.
    pub(crate) async fn known_within(&self, limit: Duration) {
        let mut fetches = self.0.fetches.subscribe();
        // Keys are replaced before the fetch is announced.
        drop(timeout(limit, fetches.wait_for(|_| self.are_known())).await);
    }

    /// Whether there are keys yet.
    pub fn are_known(&self) -> bool {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The caller of a token that was verified before and is still good.
    pub(crate) fn verified_before(&self, token: &str) -> Option<Caller> {
        let verified = self.verified().get(&hash(token)).map(|verified| verified.caller)?;
        (verified.expires_at > karcis_process::now()).then_some(verified)
    }

    /// The caller that this token names.
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        if let Some(caller) = self.verified_before(token) {
            return Ok(caller);
        }
        if !self.are_known() {
            return Err(TokenError::KeysUnknown);
        }
        let key_id = key_id(token)?;
        let key = self.key(&key_id).await?;
        let caller = check(token, &key)?;
        if caller.expires_at <= karcis_process::now() {
            return Err(TokenError::Expired);
        }
        self.remember(token, key_id, &key, caller);
        Ok(caller)
    }

    /// The key of this id. If it is unknown, keys are fetched again, unless they just were or this id
    /// was asked for before: made-up ids neither keep user-service busy nor hide a real one.
    async fn key(&self, id: &str) -> Result<Arc<Key>, TokenError> {
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        let mut fetches = self.0.fetches.subscribe();
        let last = fetches.borrow_and_update().last;
        let is_time = last.is_some_and(|last| last.elapsed() >= self.0.min_refetch);
        if is_time && self.asks_first(id) {
            self.0.refetch.notify_one();
            drop(timeout(FETCH_TIMEOUT + MIN_RETRY, fetches.changed()).await);
        }
        match self.find(id) {
            Some(key) => Ok(key),
            // The key may be newer than the keys that are known.
            None if fetches.borrow().failed => Err(TokenError::KeysUnavailable),
            None => Err(TokenError::Invalid),
        }
    }

    fn find(&self, id: &str) -> Option<Arc<Key>> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref()?.get(id).cloned()
    }

    /// Whether no token has named this unknown key before.
    fn asks_first(&self, id: &str) -> bool {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if id.len() > MAX_KEY_ID || asked.contains(id) {
            return false;
        }
        if asked.len() >= MAX_ASKED {
            asked.clear();
        }
        asked.insert(id.to_owned())
    }

    fn remember(&self, token: &str, key_id: String, key: &Key, caller: Caller) {
        let mut verified = self.verified();
        // It may have been withdrawn meanwhile. While we hold the lock, `set` forgets nothing yet.
        if self.find(&key_id).as_deref() != Some(key) {
            return;
        }
        if verified.len() >= MAX_VERIFIED {
            let now = karcis_process::now();
            verified.retain(|_, verified| verified.caller.expires_at > now);
        }
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(hash(token), Verified { caller, key_id });
    }

    fn verified(&self) -> MutexGuard<'_, HashMap<[u8; 32], Verified>> {
        self.0.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

async fn fetch(url: &str) -> Result<Keys, String> {
    let keys = usable(&jwks::read(url, FETCH_TIMEOUT).await?);
    if keys.is_empty() { Err("there is no EdDSA key with an id".to_owned()) } else { Ok(keys) }
}
