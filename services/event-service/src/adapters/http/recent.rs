//! Answers younger than half a second, shared by all who ask: the first one loads, the others wait
//! for it, and a crowd at one event costs two loads a second.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::OnceCell;

/// How old an answer may be. The contract allows a second.
const MAX_AGE: Duration = Duration::from_millis(500);
/// How many answers are kept.
const MOST: usize = 4_096;

/// Loaded answers by what was asked. A failure is shared by those who waited for it, and forgotten.
pub struct Recent<K, V, E> {
    entries: Mutex<HashMap<K, Arc<Entry<V, E>>>>,
}

struct Entry<V, E> {
    born: Instant,
    answer: OnceCell<Result<Arc<V>, Arc<E>>>,
}

impl<V, E> Entry<V, E> {
    fn is_fresh(&self) -> bool {
        let failed = self.answer.get().is_some_and(Result::is_err);
        !failed && self.born.elapsed() < MAX_AGE
    }
}

impl<K: Hash + Eq + Clone, V, E> Recent<K, V, E> {
    /// Nothing asked yet.
    pub fn new() -> Self {
        Self { entries: Mutex::default() }
    }

    /// The answer to `key`, loaded at most half a second ago.
    pub async fn get<F>(&self, key: &K, load: impl FnOnce() -> F) -> Result<Arc<V>, Arc<E>>
    where
        F: Future<Output = Result<V, E>>,
    {
        let entry = self.entry(key);
        let load = async { load().await.map(Arc::new).map_err(Arc::new) };
        entry.answer.get_or_init(|| load).await.clone()
    }

    /// What is asked next is loaded anew; also what is loading now is used no more.
    pub fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    /// As [`Self::forget`], for every key.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    fn entry(&self, key: &K) -> Arc<Entry<V, E>> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(key).filter(|entry| entry.is_fresh()) {
            return entry.clone();
        }
        if entries.len() >= MOST {
            entries.retain(|_, entry| entry.is_fresh());
        }
        if entries.len() >= MOST {
            entries.clear();
        }
        let entry = Arc::new(Entry { born: Instant::now(), answer: OnceCell::new() });
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
    async fn those_who_ask_together_share_one_load() {
        let (recent, loads) = (Recent::<_, _, ()>::new(), AtomicUsize::new(0));
        let load = || async {
            tokio::task::yield_now().await;
            Ok(loads.fetch_add(1, Ordering::SeqCst))
        };
        let (first, second) = tokio::join!(recent.get(&1, load), recent.get(&1, load));
        assert_eq!((first, second), (Ok(Arc::new(0)), Ok(Arc::new(0))));
        assert_eq!(recent.get(&2, load).await, Ok(Arc::new(1)), "another key is another answer");
    }

    #[tokio::test]
    async fn what_was_loading_when_it_changed_is_not_used_again() {
        let recent = Recent::<_, _, ()>::new();
        let slow = recent.get(&1, || async {
            recent.forget(&1);
            Ok("before the change")
        });
        assert_eq!(slow.await, Ok(Arc::new("before the change")));
        let after = recent.get(&1, || async { Ok("after the change") }).await;
        assert_eq!(after, Ok(Arc::new("after the change")));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let recent = Recent::new();
        assert_eq!(recent.get(&1, || async { Err("down") }).await, Err(Arc::new("down")));
        assert_eq!(recent.get(&1, || async { Ok::<_, &str>(7) }).await, Ok(Arc::new(7)));
    }
}
