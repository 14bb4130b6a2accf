//! Group commit: which jobs share a group, and what becomes of a group that fails.

use std::sync::{Arc, Mutex};

use karcis_database::{BatchLimits, Batcher, StoreError};
use karcis_testkit::eventually;
use tokio::{sync::Semaphore, task::JoinHandle};

/// A job that the store rejects.
const REJECTED: u32 = 99;
/// A job that contends with another transaction.
const CONTENDED: u32 = 98;
/// A job on which the work panics.
const PANICS: u32 = 13;

/// A batcher whose work waits for a permit per group, and outputs each job's double.
struct Doubler {
    batcher: Arc<Batcher<u32, u32>>,
    groups: Arc<Mutex<Vec<Vec<u32>>>>,
    may_finish: Arc<Semaphore>,
}

impl Doubler {
    fn start(capacity: usize, group: usize) -> Self {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let may_finish = Arc::new(Semaphore::new(0));
        let (seen, gate) = (groups.clone(), may_finish.clone());
        let batcher = Batcher::start(BatchLimits { capacity, group }, move |jobs: Vec<u32>| {
            seen.lock().unwrap().push(jobs.clone());
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                assert!(!jobs.contains(&PANICS), "this job breaks the work");
                if jobs.contains(&REJECTED) {
                    return Err(StoreError::rejected("no such number"));
                }
                if jobs.contains(&CONTENDED) {
                    return Err(StoreError::contended("a deadlock"));
                }
                Ok(jobs.iter().map(|job| job * 2).collect())
            }
        });
        Self { batcher: Arc::new(batcher), groups, may_finish }
    }

    fn submit(&self, job: u32) -> JoinHandle<Result<u32, StoreError>> {
        let batcher = self.batcher.clone();
        tokio::spawn(async move { batcher.submit(job).await })
    }

    /// Submits the first job and waits until the batcher is busy with it.
    async fn begin(&self, job: u32) -> JoinHandle<Result<u32, StoreError>> {
        let before = self.groups().len();
        let output = self.submit(job);
        eventually(|| async { self.groups().len() }).is(before + 1).await;
        output
    }

    fn groups(&self) -> Vec<Vec<u32>> {
        self.groups.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn what_queues_while_the_batcher_is_busy_is_the_next_group() {
    let doubler = Doubler::start(10, 4);
    let first = doubler.begin(1).await;
    let others: Vec<_> = (2..=7).map(|job| doubler.submit(job)).collect();
    // On this single thread they queue, in their order, before the batcher goes on.
    tokio::task::yield_now().await;

    doubler.may_finish.add_permits(3);

    assert_eq!(first.await.unwrap().unwrap(), 2);
    for (job, output) in (2..=7).zip(others) {
        assert_eq!(output.await.unwrap().unwrap(), job * 2);
    }
    assert_eq!(doubler.groups(), [vec![1], vec![2, 3, 4, 5], vec![6, 7]]);
}

#[tokio::test]
async fn a_full_batcher_refuses_at_once() {
    let doubler = Doubler::start(2, 4);
    let first = doubler.begin(1).await;
    let (second, third) = (doubler.submit(2), doubler.submit(3));
    tokio::task::yield_now().await;

    let refused = doubler.batcher.submit(4).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");

    doubler.may_finish.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 2);
    assert_eq!(second.await.unwrap().unwrap(), 4);
    assert_eq!(third.await.unwrap().unwrap(), 6);
}

#[tokio::test]
async fn a_job_that_the_store_rejects_fails_alone() {
    let doubler = Doubler::start(10, 4);
    let first = doubler.begin(1).await;
    let (bad, good) = (doubler.submit(REJECTED), doubler.submit(3));
    tokio::task::yield_now().await;

    doubler.may_finish.add_permits(4);

    assert_eq!(first.await.unwrap().unwrap(), 2);
    let rejected = bad.await.unwrap();
    assert!(matches!(rejected, Err(StoreError::RejectedByStore(_))), "{rejected:?}");
    assert_eq!(good.await.unwrap().unwrap(), 6);
    assert_eq!(doubler.groups(), [vec![1], vec![REJECTED, 3], vec![REJECTED], vec![3]]);
}

#[tokio::test]
async fn a_job_that_contends_fails_alone() {
    let doubler = Doubler::start(10, 4);
    let first = doubler.begin(1).await;
    let jobs = [2, CONTENDED, 3];
    let [good, bad, other] = jobs.map(|job| doubler.submit(job));
    tokio::task::yield_now().await;

    doubler.may_finish.add_permits(5);

    assert_eq!(first.await.unwrap().unwrap(), 2);
    assert_eq!(good.await.unwrap().unwrap(), 4);
    let contended = bad.await.unwrap();
    assert!(matches!(contended, Err(StoreError::Contended(_))), "{contended:?}");
    assert_eq!(other.await.unwrap().unwrap(), 6);
    assert_eq!(
        doubler.groups(),
        [vec![1], vec![2, CONTENDED, 3], vec![2], vec![CONTENDED], vec![3]]
    );
}

#[tokio::test]
async fn a_panic_fails_its_group_alone() {
    let doubler = Doubler::start(10, 4);
    doubler.may_finish.add_permits(2);

    let failed = doubler.batcher.submit(PANICS).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    assert_eq!(doubler.batcher.submit(5).await.unwrap(), 10);
}

#[tokio::test]
async fn a_job_whose_submitter_has_gone_is_left_out() {
    let doubler = Doubler::start(10, 4);
    let first = doubler.begin(1).await;
    let (gone, stays) = (doubler.submit(2), doubler.submit(3));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    doubler.may_finish.add_permits(2);

    assert_eq!(first.await.unwrap().unwrap(), 2);
    assert_eq!(stays.await.unwrap().unwrap(), 6);
    assert_eq!(doubler.groups(), [vec![1], vec![3]]);
}

#[tokio::test]
async fn the_work_is_dropped_with_the_batcher() {
    let held = Arc::new(());
    let in_work = held.clone();
    let limits = BatchLimits { capacity: 1, group: 1 };
    let batcher = Batcher::start(limits, move |jobs: Vec<()>| {
        let _kept = &in_work;
        async move { Ok(jobs) }
    });
    batcher.submit(()).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 2);

    drop(batcher);

    eventually(|| async { Arc::strong_count(&held) }).is(1).await;
}
