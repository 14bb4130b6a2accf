//! The lane of a service's writers.

use std::sync::{Arc, Mutex};

use karcis_messaging::{Busy, Lane};
use karcis_testkit::eventually;
use tokio::sync::Semaphore;

/// A lane whose work waits for a permit per group, and that answers each job's double.
struct Workshop {
    lane: Arc<Lane<u32, u32>>,
    groups: Arc<Mutex<Vec<Vec<u32>>>>,
    may_finish: Arc<Semaphore>,
}

impl Workshop {
    fn open(capacity: usize, group: usize) -> Self {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let may_finish = Arc::new(Semaphore::new(0));
        let (seen, gate) = (groups.clone(), may_finish.clone());
        let lane = Lane::start(capacity, group, move |jobs: Vec<u32>| {
            seen.lock().unwrap().push(jobs.clone());
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                assert!(!jobs.contains(&13), "this job breaks the work");
                jobs.iter().map(|job| job * 2).collect()
            }
        });
        Self { lane: Arc::new(lane), groups, may_finish }
    }

    fn submit(&self, job: u32) -> tokio::task::JoinHandle<Result<u32, Busy>> {
        let lane = self.lane.clone();
        tokio::spawn(async move { lane.submit(job).await })
    }

    /// Submits the first job and waits until the lane is busy with it.
    async fn begin(&self, job: u32) -> tokio::task::JoinHandle<Result<u32, Busy>> {
        let before = self.groups().len();
        let answer = self.submit(job);
        eventually(|| async { self.groups().len() }).is(before + 1).await;
        answer
    }

    fn groups(&self) -> Vec<Vec<u32>> {
        self.groups.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn what_queues_while_the_lane_is_busy_is_the_next_group() {
    let shop = Workshop::open(10, 4);
    let first = shop.begin(1).await;
    let others: Vec<_> = (2..=7).map(|job| shop.submit(job)).collect();
    // On this single thread they queue, in their order, before the lane goes on.
    tokio::task::yield_now().await;

    shop.may_finish.add_permits(3);

    assert_eq!(first.await.unwrap(), Ok(2));
    for (job, answer) in (2..=7).zip(others) {
        assert_eq!(answer.await.unwrap(), Ok(job * 2));
    }
    assert_eq!(shop.groups(), [vec![1], vec![2, 3, 4, 5], vec![6, 7]]);
}

#[tokio::test]
async fn a_full_lane_refuses_at_once() {
    let shop = Workshop::open(2, 4);
    let first = shop.begin(1).await;
    let (second, third) = (shop.submit(2), shop.submit(3));
    tokio::task::yield_now().await;

    assert_eq!(shop.lane.submit(4).await, Err(Busy));

    shop.may_finish.add_permits(2);
    assert_eq!(first.await.unwrap(), Ok(2));
    assert_eq!(second.await.unwrap(), Ok(4));
    assert_eq!(third.await.unwrap(), Ok(6));
}

#[tokio::test]
async fn a_panic_costs_its_group_and_nobody_else() {
    let shop = Workshop::open(10, 4);
    shop.may_finish.add_permits(2);

    assert_eq!(shop.lane.submit(13).await, Err(Busy));
    assert_eq!(shop.lane.submit(5).await, Ok(10));
}

#[tokio::test]
async fn a_job_whose_submitter_has_gone_is_left_out() {
    let shop = Workshop::open(10, 4);
    let first = shop.begin(1).await;
    let (gone, stays) = (shop.submit(2), shop.submit(3));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    shop.may_finish.add_permits(2);

    assert_eq!(first.await.unwrap(), Ok(2));
    assert_eq!(stays.await.unwrap(), Ok(6));
    assert_eq!(shop.groups(), [vec![1], vec![3]]);
}

#[tokio::test]
async fn the_work_goes_when_the_lane_goes() {
    let held = Arc::new(());
    let in_work = held.clone();
    let lane = Lane::start(1, 1, move |jobs: Vec<()>| {
        let _kept = &in_work;
        async move { jobs }
    });
    assert_eq!(lane.submit(()).await, Ok(()));
    assert_eq!(Arc::strong_count(&held), 2);

    drop(lane);

    eventually(|| async { Arc::strong_count(&held) }).is(1).await;
}
