//! A single-flight cache: the first reader of a key loads its value, the others wait for that, and a
//! value is used for half a second. A thousand readers of one event cost two loads a second.
//!
//! Guarantees: what is kept weighs at most so many bytes, whatever keys readers choose, and nothing
//! is kept that is no longer used.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::OnceCell;

/// How old a value may be. The contract allows a second.
const MAX_AGE: Duration = Duration::from_millis(500);
/// Longer than any load takes: after that nobody loads any more.
const MAX_LOAD: Duration = Duration::from_secs(10);
/// What an entry takes besides its key and its value.
const ENTRY_BYTES: usize = 256;

/// What a key or a value takes of the heap.
pub(super) trait HeapBytes {
    fn heap_bytes(&self) -> usize;
}

/// Loaded values by key. A failure is shared by the readers who waited for it, and forgotten.
pub(super) struct SingleFlightCache<K, V, E> {
    max_bytes: usize,
    kept: Mutex<Kept<K, V, E>>,
}

struct Kept<K, V, E> {
    /// What the next reader of a key gets.
    current: HashMap<K, (u64, Arc<Entry<V, E>>)>,
    /// Everything that takes memory, the oldest first.
    slots: VecDeque<Slot<K, V, E>>,
    bytes: usize,
    next_id: u64,
}

struct Slot<K, V, E> {
    id: u64,
    key: K,
    entry: Arc<Entry<V, E>>,
    bytes: usize,
}

struct Entry<V, E> {
    made: Instant,
    /// The value, and when it began to load.
    value: OnceCell<Result<(Instant, Arc<V>), E>>,
}

impl<V, E> Entry<V, E> {
    /// Whether another reader may wait for it or have its value.
    fn is_fresh(&self) -> bool {
        match self.value.get() {
            Some(Ok((since, _))) => since.elapsed() < MAX_AGE,
            Some(Err(_)) => false,
            None => self.made.elapsed() < MAX_LOAD,
        }
    }
}

impl<K: HeapBytes + Hash + Eq + Clone, V: HeapBytes, E: Clone> SingleFlightCache<K, V, E> {
    /// An empty cache that keeps at most so many bytes.
    pub(super) fn new(max_bytes: usize) -> Self {
        let kept = Kept { current: HashMap::new(), slots: VecDeque::new(), bytes: 0, next_id: 0 };
        Self { max_bytes, kept: Mutex::new(kept) }
    }

    /// The value of `key`, which began to load at most half a second ago, or is loading. `load` says
    /// when it began, as it may have waited first.
    pub(super) async fn get<F>(&self, key: &K, load: impl FnOnce() -> F) -> Result<Arc<V>, E>
    where
        F: Future<Output = Result<(Instant, V), E>>,
    {
        let (id, entry) = self.entry(key);
        let load = async {
            let loaded = load().await.map(|(since, value)| (since, Arc::new(value)));
            let bytes = |(_, value): &(Instant, Arc<V>)| size_of::<V>() + value.heap_bytes();
            self.charge(id, loaded.as_ref().map_or(0, bytes));
            loaded
        };
        entry.value.get_or_init(|| load).await.clone().map(|(_, value)| value)
    }

    /// The next reader of `key` loads it again. A value that is loading now is not used again.
    pub(super) fn forget(&self, key: &K) {
        self.lock().current.remove(key);
    }

    /// As [`Self::forget`], for every key.
    pub(super) fn forget_all(&self) {
        self.lock().current.clear();
    }

    /// Gives back what is no longer used. Returns the bytes that are still kept.
    pub(super) fn sweep(&self) -> usize {
        let mut kept = self.lock();
        kept.evict(self.max_bytes);
        kept.bytes
    }

    fn entry(&self, key: &K) -> (u64, Arc<Entry<V, E>>) {
        let mut kept = self.lock();
        if let Some((id, entry)) = kept.current.get(key).filter(|(_, entry)| entry.is_fresh()) {
            return (*id, entry.clone());
        }
        let id = kept.next_id;
        kept.next_id += 1;
        let entry = Arc::new(Entry { made: Instant::now(), value: OnceCell::new() });
        // The map and the slot have a key each.
        let bytes = ENTRY_BYTES + 2 * (size_of::<K>() + key.heap_bytes());
        kept.current.insert(key.clone(), (id, entry.clone()));
        kept.slots.push_back(Slot { id, key: key.clone(), entry: entry.clone(), bytes });
        kept.bytes += bytes;
        kept.evict(self.max_bytes);
        (id, entry)
    }

    /// The entry takes so many bytes more, unless it is no longer kept.
    fn charge(&self, id: u64, bytes: usize) {
        let mut kept = self.lock();
        if let Ok(at) = kept.slots.binary_search_by_key(&id, |slot| slot.id) {
            kept.slots[at].bytes += bytes;
            kept.bytes += bytes;
            kept.evict(self.max_bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K, V, E>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V, E> Kept<K, V, E> {
    /// Drops the oldest until all is fresh and light enough. Readers who wait for one that is
    /// loading get its value all the same.
    fn evict(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes || self.slots.front().is_some_and(|s| !s.entry.is_fresh()) {
            let Some(slot) = self.slots.pop_front() else { return };
            self.bytes -= slot.bytes;
            if self.current.get(&slot.key).is_some_and(|(id, _)| *id == slot.id) {
                self.current.remove(&slot.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    impl HeapBytes for u32 {
        fn heap_bytes(&self) -> usize {
            0
        }
    }

    impl HeapBytes for String {
        fn heap_bytes(&self) -> usize {
            self.len()
        }
    }

    type Cache<E> = SingleFlightCache<u32, String, E>;

    /// A value that begins to load now.
    fn now<E>(value: impl Into<String>) -> Result<(Instant, String), E> {
        Ok((Instant::now(), value.into()))
    }

    #[tokio::test]
    async fn readers_at_the_same_time_share_one_load() {
        let (cache, loads) = (Cache::<()>::new(10_000), AtomicUsize::new(0));
        let load = || async {
            tokio::task::yield_now().await;
            now(format!("load {}", loads.fetch_add(1, Ordering::SeqCst)))
        };
        let (first, second) = tokio::join!(cache.get(&1, load), cache.get(&1, load));
        let text = |text: &str| Ok(Arc::new(text.to_owned()));
        assert_eq!((first, second), (text("load 0"), text("load 0")));
        assert_eq!(cache.get(&2, load).await, text("load 1"), "another key has another value");
    }

    #[tokio::test]
    async fn what_was_loading_when_it_changed_is_not_used_again() {
        let cache = Cache::<()>::new(10_000);
        let slow = cache.get(&1, || async {
            cache.forget(&1);
            now("before the change")
        });
        assert_eq!(*slow.await.expect("it is there"), "before the change");
        let after = cache.get(&1, || async { now("after the change") }).await;
        assert_eq!(*after.expect("it is there"), "after the change");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = Cache::new(10_000);
        assert_eq!(cache.get(&1, || async { Err("down") }).await, Err("down"));
        assert_eq!(*cache.get(&1, || async { now("up") }).await.expect("it is there"), "up");
    }

    #[tokio::test]
    async fn a_value_is_as_old_as_its_load_and_not_as_its_wait() {
        let cache = Cache::<()>::new(10_000);
        let old = Instant::now().checked_sub(MAX_AGE).expect("it is there");
        let first =
            cache.get(&1, || async { Ok((old, "old".to_owned())) }).await.expect("it is there");
        assert_eq!(*first, "old", "it is as fresh as it can be");
        assert_eq!(*cache.get(&1, || async { now("new") }).await.expect("it is there"), "new");
        assert_eq!(*cache.get(&1, || async { now("newer") }).await.expect("it is there"), "new");
    }

    #[tokio::test]
    async fn keys_that_readers_choose_take_no_more_than_the_bytes_that_are_allowed() {
        let cache = Cache::<()>::new(100_000);
        for key in 0..10_000 {
            let value =
                cache.get(&key, || async { now("x".repeat(1_000)) }).await.expect("it is there");
            assert_eq!(value.len(), 1_000, "each reader gets his value");
        }
        {
            let kept = cache.lock();
            let held: usize = kept.slots.iter().map(|slot| slot.bytes).sum();
            assert_eq!(held, kept.bytes);
            assert!((50_000..=100_000).contains(&kept.bytes), "{}", kept.bytes);
            assert_eq!(kept.current.len(), kept.slots.len(), "each key was read once");
        }
        let heavy =
            cache.get(&0, || async { now("x".repeat(200_000)) }).await.expect("it is there");
        assert_eq!(heavy.len(), 200_000, "what is too heavy to keep is given all the same");
        assert_eq!(cache.lock().bytes, 0);
    }

    #[tokio::test]
    async fn a_load_that_is_given_up_and_what_is_old_are_given_back() {
        let cache = Cache::<()>::new(100_000);
        let given_up = cache.get(&1, std::future::pending);
        assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
        assert_eq!(*cache.get(&1, || async { now("next") }).await.expect("it is there"), "next");
        let is_old = |slot: &Slot<_, _, _>| !slot.entry.is_fresh();
        while !cache.lock().slots.iter().all(is_old) {
            tokio::task::yield_now().await;
        }
        assert_eq!(cache.sweep(), 0);
        assert!(cache.lock().current.is_empty());
    }
}
