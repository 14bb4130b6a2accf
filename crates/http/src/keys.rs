//! The keys that access tokens are checked against, and a cache of the tokens they have verified.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::jwk::JwkSet;
use karcis_kernel::Timestamp;
use karcis_process::now;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Caller, TokenError, jwks,
    token::{Key, Keys, check, key_id, unverified_issue, usable},
};

/// The least time between fetches, however many unknown keys tokens name, and between reads by the
/// service that owns the keys.
const FETCH_PACE: Duration = Duration::from_secs(2);
const READ_PACE: Duration = Duration::from_secs(1);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MIN_RETRY: Duration = Duration::from_millis(100);
const MAX_RETRY: Duration = Duration::from_secs(5);
/// How long a request waits for its unknown key: for the next fetch, unless it is slow.
const KEY_LIMIT: Duration = Duration::from_secs(3);
/// How long those who fetch the keys wait until they are read again: they wait 2 s in all.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);
/// How far the clocks of two services may differ: more, and one is not ready.
const MAX_SKEW: Duration = Duration::from_secs(5);
/// A key that is unknown for so long after a token first named it is made up, whatever tokens say: by then
/// each instance of user-service has read it, an older release's too.
const MADE_UP_AFTER: Duration = Duration::from_secs(60);
const MAX_VERIFIED: usize = 20_000;
/// How many unknown keys are remembered, and how long the id of one may be.
const MAX_NAMED: usize = 1_000;
const MAX_KEY_ID: usize = 256;

/// The keys that tokens are checked against. Verified tokens are cached until they expire or their key
/// is withdrawn.
#[derive(Clone)]
pub struct TokenKeys(Arc<Inner>);

struct Inner {
    /// `None` for keys that nobody fetches.
    source: Option<Source>,
    pace: Duration,
    made_up_after: Duration,
    known: RwLock<Option<Arc<Keys>>>,
    /// By the token's SHA-256, so that no token stays in memory.
    verified: Mutex<HashMap<[u8; 32], Verified>>,
    /// When a token first named each key that was unknown then.
    named: Mutex<HashMap<String, Timestamp>>,
    wanted: Notify,
    reads: watch::Sender<Reads>,
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

/// How new the keys are.
#[derive(Clone, Copy)]
struct Reads {
    /// All keys of this time are known.
    complete_at: Timestamp,
    /// When the last read began, also one that failed, and when it ended.
    began_at: Timestamp,
    ended: Instant,
}

impl TokenKeys {
    /// These keys and no others, unless they are replaced.
    pub fn own(keys: &JwkSet) -> Self {
        let keys = Self::with(None, READ_PACE, Duration::ZERO, Some(Arc::new(usable(keys))));
        keys.0.reads.send_modify(|reads| reads.complete_at = Timestamp::MAX_UTC);
        keys
    }

    /// These keys, for the service that owns them: it reads them again whenever [`Self::until_due`]
    /// returns, and tells them by [`Self::replace`].
    pub fn reread(keys: &JwkSet) -> Self {
        Self::with(None, READ_PACE, Duration::ZERO, Some(Arc::new(usable(keys))))
    }

    /// The keys at this URL, once [`Self::keep_fresh`] has fetched them, and from then on again at
    /// each `poll`; until then callers get 503.
    pub fn fetched_from(jwks_url: &str, poll: Duration) -> Self {
        let source = Source { jwks_url: jwks_url.to_owned(), poll };
        Self::with(Some(source), FETCH_PACE, MADE_UP_AFTER, None)
    }

    /// For tests: the same keys, but an unknown key is fetched without a pause since the last fetch, and
    /// made up if that does not have it.
    pub fn refetching_at_once(self) -> Self {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self::with(self.0.source.clone(), Duration::ZERO, Duration::ZERO, known)
    }

    fn with(
        source: Option<Source>,
        pace: Duration,
        made_up_after: Duration,
        known: Option<Arc<Keys>>,
    ) -> Self {
        let (never, ended) = (Timestamp::MIN_UTC, Instant::now());
        Self(Arc::new(Inner {
            source,
            pace,
            made_up_after,
            known: RwLock::new(known),
            verified: Mutex::default(),
            named: Mutex::default(),
            wanted: Notify::new(),
            reads: watch::Sender::new(Reads { complete_at: never, began_at: never, ended }),
        }))
    }

    /// Fetches the keys at each poll, and while a token names an unknown one, at most every 2 s, until
    /// `stopping`.
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
            let began_at = now();
            match fetch(url).await {
                Ok((keys, age)) => {
                    self.set(keys, began_at, age);
                    retry = MIN_RETRY;
                    self.until_due(*poll).await;
                }
                Err(error) => {
                    tracing::warn!(%error, url, "the signing keys cannot be fetched");
                    self.has_read(began_at, None);
                    sleep(retry).await;
                    retry = MAX_RETRY.min(retry * 2);
                }
            }
        }
    }

    /// Returns when the keys are to be read again: soon if a token names an unknown one, else after
    /// `poll`.
    pub async fn until_due(&self, poll: Duration) {
        let since = Instant::now();
        // A token may have asked during the last read, which may have missed its key.
        if timeout(poll, self.0.wanted.notified()).await.is_ok() {
            sleep_until(since + self.0.pace.min(poll)).await;
        }
    }

    /// Returns once the keys are so new that those who fetch them miss none that signs, after 1 s at most.
    pub async fn published(&self) {
        if self.0.reads.borrow().ended.elapsed() >= self.0.pace {
            self.read_again(PUBLISH_LIMIT).await;
        }
    }

    /// Has the keys read again, and waits for it for so long.
    async fn read_again(&self, limit: Duration) {
        let (asked_at, mut reads) = (now(), self.0.reads.subscribe());
        self.0.wanted.notify_one();
        drop(timeout(limit, reads.wait_for(|reads| reads.began_at >= asked_at)).await);
    }

    /// From now on these are the keys, which began to be read at `began_at`.
    pub fn replace(&self, keys: &JwkSet, began_at: Timestamp) {
        self.set(usable(keys), began_at, Duration::ZERO);
    }

    fn set(&self, keys: Keys, began_at: Timestamp, age: Duration) {
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
        self.has_read(began_at, Some(began_at - age));
    }

    /// A read that began then has ended; all keys are known that there were at `complete_at`.
    fn has_read(&self, began_at: Timestamp, complete_at: Option<Timestamp>) {
        self.0.reads.send_modify(|reads| {
            let complete_at = reads.complete_at.max(complete_at.unwrap_or(reads.complete_at));
            *reads = Reads { complete_at, began_at, ended: Instant::now() };
        });
    }

    /// Returns once there are keys, or after `limit`.
    pub(crate) async fn known_within(&self, limit: Duration) {
        let mut reads = self.0.reads.subscribe();
        // Keys are replaced before the read is announced.
        drop(timeout(limit, reads.wait_for(|_| self.are_known())).await);
    }

    /// Whether there are keys yet.
    pub fn are_known(&self) -> bool {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The caller of a token that was verified before and is still good.
    pub(crate) fn verified_before(&self, token: &str) -> Option<Caller> {
        let verified = self.verified().get(&hash(token)).map(|verified| verified.caller)?;
        (verified.expires_at > now()).then_some(verified)
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
        let key = self.key(&key_id, token).await?;
        let caller = check(token, &key)?;
        self.remember(token, key_id, &key, caller);
        Ok(caller)
    }

    /// The key of this id, which the token names. While it may be newer than the keys that are known, these
    /// are read again.
    async fn key(&self, id: &str, token: &str) -> Result<Arc<Key>, TokenError> {
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        let there_by = self.there_by(id, unverified_issue(token)?);
        let is_made_up = || self.0.reads.borrow().complete_at >= there_by;
        if !is_made_up() {
            self.read_again(KEY_LIMIT).await;
        }
        match self.find(id) {
            Some(key) => Ok(key),
            None if is_made_up() => Err(TokenError::Invalid),
            None => Err(TokenError::KeyMayBeNew),
        }
    }

    /// When at the latest this key, if there is one, was to be read: it is as old as a token of it, and as
    /// old as its name is here. So made-up names do not have the keys read for ever.
    fn there_by(&self, id: &str, issued_at: Timestamp) -> Timestamp {
        if id.len() > MAX_KEY_ID {
            return Timestamp::MIN_UTC;
        }
        let mut named = self.0.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() >= MAX_NAMED && !named.contains_key(id) {
            named.clear();
        }
        let named_at = *named.entry(id.to_owned()).or_insert_with(now);
        (issued_at + MAX_SKEW).min(named_at + self.0.made_up_after)
    }

    fn find(&self, id: &str) -> Option<Arc<Key>> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref()?.get(id).cloned()
    }

    fn remember(&self, token: &str, key_id: String, key: &Key, caller: Caller) {
        let mut verified = self.verified();
        // It may have been withdrawn meanwhile. While we hold the lock, `set` forgets nothing yet.
        if self.find(&key_id).as_deref() != Some(key) {
            return;
        }
        if verified.len() >= MAX_VERIFIED {
            let now = now();
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

async fn fetch(url: &str) -> Result<(Keys, Duration), String> {
    let (keys, age) = jwks::read(url, FETCH_TIMEOUT).await?;
    let keys = usable(&keys);
    if keys.is_empty() {
        Err("there is no EdDSA key with an id".to_owned())
    } else {
        Ok((keys, age))
    }
}
