//! A single-flight cache: the first reader of a key loads its value, the others wait for that, and a
//! value is used for half a second. A thousand readers of one event cost two loads a second.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::OnceCell;

/// How old a value may be. The contract allows a second.
const MAX_AGE: Duration = Duration::from_millis(500);
/// How many values are kept.
const MAX_ENTRIES: usize = 4_096;

/// Loaded values by key. A failure is shared by the readers who waited for it, and forgotten.
pub(super) struct SingleFlightCache<K, V, E> {
    entries: Mutex<HashMap<K, Arc<Entry<V, E>>>>,
}

struct Entry<V, E> {
    started: Instant,
    value: OnceCell<Result<Arc<V>, E>>,
}

impl<V, E> Entry<V, E> {
    fn is_fresh(&self) -> bool {
        let failed = self.value.get().is_some_and(Result::is_err);
        !failed && self.started.elapsed() < MAX_AGE
    }
}

impl<K: Hash + Eq + Clone, V, E: Clone> SingleFlightCache<K, V, E> {
    /// An empty cache.
    pub(super) fn new() -> Self {
        Self { entries: Mutex::default() }
    }

    /// The value of `key`, which began to load at most half a second ago.
    pub(super) async fn get<F>(&self, key: &K, load: impl FnOnce() -> F) -> Result<Arc<V>, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        let entry = self.entry(key);
        let load = async { load().await.map(Arc::new) };
        entry.value.get_or_init(|| load).await.clone()
    }

    /// The next reader of `key` loads it again. A value that is loading now is not used again.
    pub(super) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    /// As [`Self::forget`], for every key.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    fn entry(&self, key: &K) -> Arc<Entry<V, E>> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(key).filter(|entry| entry.is_fresh()) {
            return entry.clone();
        }
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, entry| entry.is_fresh());
        }
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        let entry = Arc::new(Entry { started: Instant::now(), value: OnceCell::new() });
        entries.insert(key.clone(), entry.clone());
        entry
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<Entry<V, E>>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn readers_at_the_same_time_share_one_load() {
        let (cache, loads) = (SingleFlightCache::<_, _, ()>::new(), AtomicUsize::new(0));
        let load = || async {
            tokio::task::yield_now().await;
            Ok(loads.fetch_add(1, Ordering::SeqCst))
        };
        let (first, second) = tokio::join!(cache.get(&1, load), cache.get(&1, load));
        assert_eq!((first, second), (Ok(Arc::new(0)), Ok(Arc::new(0))));
        assert_eq!(cache.get(&2, load).await, Ok(Arc::new(1)), "another key has another value");
    }

    #[tokio::test]
    async fn what_was_loading_when_it_changed_is_not_used_again() {
        let cache = SingleFlightCache::<_, _, ()>::new();
        let slow = cache.get(&1, || async {
            cache.forget(&1);
            Ok("before the change")
        });
        assert_eq!(slow.await, Ok(Arc::new("before the change")));
        let after = cache.get(&1, || async { Ok("after the change") }).await;
        assert_eq!(after, Ok(Arc::new("after the change")));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = SingleFlightCache::new();
        assert_eq!(cache.get(&1, || async { Err("down") }).await, Err("down"));
        assert_eq!(cache.get(&1, || async { Ok::<_, &str>(7) }).await, Ok(Arc::new(7)));
    }
}
