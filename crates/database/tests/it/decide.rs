//! Decide-and-commit: conflicts, lost answers and bounds, on counters in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, decide_and_commit, decide_batch, decide_each};

/// What a commit meets.
#[derive(Clone, Copy, Debug)]
enum Commit {
    /// Another changes this counter first, by 100.
    Conflict(&'static str),
    /// It lands, and its answer is lost.
    LostAnswer,
    Lands,
    /// It does not land, and the store says so.
    Fails(fn(&'static str) -> StoreError),
}

/// Named counters with versions, and a script of what commits meet.
struct Counters {
    stored: Mutex<BTreeMap<&'static str, (i64, u64)>>,
    script: Mutex<VecDeque<Commit>>,
    /// The round and the number of jobs of each load.
    loads: Mutex<Vec<(u32, usize)>>,
    commits: Mutex<u32>,
    /// How many of the loads after the first round fail.
    failing_loads: Mutex<u32>,
}

/// Raises its counter to at least its number, so that a repetition changes nothing.
#[derive(Clone, Copy)]
struct Raise(&'static str, i64);

/// What was loaded, with the version, and what it becomes.
type Unit = HashMap<&'static str, (i64, u64, i64)>;

#[derive(Debug, PartialEq)]
enum RaiseError {
    Negative,
    Unavailable,
    Contended,
    Busy,
    Rejected,
}

impl From<StoreError> for RaiseError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Contended(_) => Self::Contended,
            StoreError::Busy(_) => Self::Busy,
            StoreError::RejectedByStore(_) => Self::Rejected,
        }
    }
}

impl Counters {
    fn with(script: impl IntoIterator<Item = Commit>) -> Self {
        Self {
            stored: Mutex::new(BTreeMap::from([("a", (0, 0)), ("b", (0, 0))])),
            script: Mutex::new(script.into_iter().collect()),
            loads: Mutex::default(),
            commits: Mutex::default(),
            failing_loads: Mutex::default(),
        }
    }

    fn counts(&self) -> [i64; 2] {
        let stored = self.stored.lock().unwrap();
        ["a", "b"].map(|name| stored[name].0)
    }

    fn loads(&self) -> Vec<(u32, usize)> {
        self.loads.lock().unwrap().clone()
    }

    fn store(&self, unit: &Unit) -> HashSet<&'static str> {
        let mut stored = self.stored.lock().unwrap();
        let mut conflicts = HashSet::new();
        for (name, (before, version, after)) in unit {
            let row = stored.get_mut(name).unwrap();
            if row.1 != *version {
                conflicts.insert(*name);
            } else if before != after {
                *row = (*after, version + 1);
            }
        }
        conflicts
    }
}

#[async_trait]
impl Decider for Counters {
    type Job = Raise;
    type Key = &'static str;
    type UnitOfWork = Unit;
    type Output = i64;
    type Error = RaiseError;

    fn key(&self, job: &Raise) -> &'static str {
        job.0
    }

    async fn load(&self, jobs: &[&Raise], round: u32) -> Result<Unit, StoreError> {
        self.loads.lock().unwrap().push((round, jobs.len()));
        let mut failing = self.failing_loads.lock().unwrap();
        if round > 0 && *failing > 0 {
            *failing -= 1;
            return Err(StoreError::unavailable("the server starts again"));
        }
        let stored = self.stored.lock().unwrap();
        let load = |Raise(name, _): &&Raise| {
            let (count, version) = stored[name];
            (*name, (count, version, count))
        };
        Ok(jobs.iter().map(load).collect())
    }

    fn decide(&self, unit: &mut Unit, Raise(name, to): &Raise) -> Result<i64, RaiseError> {
        if *to < 0 {
            return Err(RaiseError::Negative);
        }
        let (_, _, count) = unit.get_mut(name).unwrap();
        *count = (*count).max(*to);
        Ok(*count)
    }

    async fn commit(&self, unit: Unit) -> Result<HashSet<&'static str>, StoreError> {
        *self.commits.lock().unwrap() += 1;
        let meets = self.script.lock().unwrap().pop_front();
        match meets {
            Some(Commit::Conflict(name)) => {
                let mut stored = self.stored.lock().unwrap();
                let row = stored.get_mut(name).unwrap();
                *row = (row.0 + 100, row.1 + 1);
            }
            Some(Commit::LostAnswer) => {
                self.store(&unit);
                return Err(StoreError::unavailable("the connection was lost"));
            }
            Some(Commit::Fails(error)) => return Err(error("the store fails")),
            Some(Commit::Lands) | None => {}
        }
        Ok(self.store(&unit))
    }
}

const FAILS: Commit = Commit::Fails(StoreError::unavailable);
const CONTENDS: Commit = Commit::Fails(StoreError::contended);
const BUSY: Commit = Commit::Fails(StoreError::busy);
const REJECTS: Commit = Commit::Fails(StoreError::rejected);

/// A name, what the commits meet, the outputs, the stored numbers, and each round's number of jobs.
type Case = (
    &'static str,
    &'static [Commit],
    Result<[i64; 3], RaiseError>,
    [i64; 2],
    &'static [(u32, usize)],
);

#[tokio::test]
async fn what_becomes_of_jobs_by_what_their_commits_meet() {
    use Commit::{Conflict, LostAnswer};
    let jobs = [Raise("a", 1), Raise("b", 7), Raise("a", 3)];
    let cases: [Case; 12] = [
        ("nothing", &[], Ok([1, 7, 3]), [3, 7], &[(0, 3)]),
        ("a conflict", &[Conflict("a")], Ok([100, 7, 100]), [100, 7], &[(0, 3), (1, 2)]),
        (
            "two conflicts",
            &[Conflict("b"), Conflict("b")],
            Ok([1, 200, 3]),
            [3, 200],
            &[(0, 3), (1, 1), (2, 1)],
        ),
        ("a lost answer", &[LostAnswer], Ok([3, 7, 3]), [3, 7], &[(0, 3), (1, 3)]),
        ("a failure", &[FAILS], Ok([1, 7, 3]), [3, 7], &[(0, 3), (1, 3)]),
        (
            "a conflict, then a lost answer",
            &[Conflict("a"), LostAnswer],
            Ok([100, 7, 100]),
            [100, 7],
            &[(0, 3), (1, 2), (2, 2)],
        ),
        ("two failures", &[FAILS, FAILS], Err(RaiseError::Unavailable), [0, 0], &[(0, 3), (1, 3)]),
        ("contention", &[CONTENDS, CONTENDS], Ok([1, 7, 3]), [3, 7], &[(0, 3), (1, 3), (2, 3)]),
        (
            "contention and failure",
            &[CONTENDS, FAILS, CONTENDS],
            Ok([1, 7, 3]),
            [3, 7],
            &[(0, 3), (1, 3), (2, 3), (3, 3)],
        ),
        (
            "contention that lasts",
            &[CONTENDS, CONTENDS, CONTENDS],
            Err(RaiseError::Contended),
            [0, 0],
            &[(0, 3), (1, 3), (2, 3)],
        ),
        ("a full queue", &[BUSY], Err(RaiseError::Busy), [0, 0], &[(0, 3)]),
        ("a rejection", &[REJECTS], Err(RaiseError::Rejected), [0, 0], &[(0, 3)]),
    ];
    for (name, script, outputs, counts, loads) in cases {
        let counters = Counters::with(script.iter().copied());
        let decided = decide_and_commit(&counters, &jobs).await;
        assert_eq!(decided, outputs.map(Vec::from), "{name}");
        assert_eq!(counters.counts(), counts, "{name}");
        assert_eq!(counters.loads(), loads, "{name}");
    }
}

#[tokio::test]
async fn a_job_that_conflicts_in_the_twentieth_round_too_is_contended() {
    for (conflicts, outcome) in [(19, Ok(vec![1_900])), (20, Err(RaiseError::Contended))] {
        let counters = Counters::with(vec![Commit::Conflict("a"); conflicts]);
        assert_eq!(decide_and_commit(&counters, &[Raise("a", 1)]).await, outcome, "{conflicts}");
        assert_eq!(counters.loads().len(), 20);
    }
}

#[tokio::test]
async fn a_batch_leaves_open_what_others_keep_locked_and_decides_nothing_else_twice() {
    use Commit::Conflict;
    let jobs = [Raise("a", 1), Raise("b", 7), Raise("a", 3)];
    type Case = (
        &'static str,
        &'static [Commit],
        Result<[Option<i64>; 3], RaiseError>,
        [i64; 2],
        &'static [(u32, usize)],
    );
    let cases: [Case; 6] = [
        ("nothing", &[], Ok([Some(1), Some(7), Some(3)]), [3, 7], &[(0, 3)]),
        (
            "a row that stays locked",
            &[Conflict("a"); 7],
            Ok([None, Some(7), None]),
            [700, 7],
            &[(0, 3), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2)],
        ),
        (
            "contention that lasts for the batch",
            &[CONTENDS, CONTENDS, CONTENDS],
            Ok([Some(1), Some(7), Some(3)]),
            [3, 7],
            &[(0, 3), (1, 3), (2, 3), (0, 1), (0, 1), (0, 1)],
        ),
        (
            "contention that lasts for a job: the next of its key is not tried",
            &[CONTENDS, CONTENDS, CONTENDS, CONTENDS],
            Ok([None, Some(7), None]),
            [0, 7],
            &[(0, 3), (1, 3), (2, 3), (0, 1), (0, 1)],
        ),
        (
            "contention of what was a conflict: what is committed is not tried again",
            &[Conflict("a"), CONTENDS, CONTENDS, CONTENDS, CONTENDS],
            Ok([None, Some(7), None]),
            [100, 7],
            &[(0, 3), (1, 2), (2, 2), (3, 2), (0, 1)],
        ),
        ("a rejection", &[REJECTS], Err(RaiseError::Rejected), [0, 0], &[(0, 3)]),
    ];
    for (name, script, outputs, counts, loads) in cases {
        let counters = Counters::with(script.iter().copied());
        let decided = decide_batch(&counters, &jobs).await;
        assert_eq!(decided, outputs.map(Vec::from), "{name}");
        assert_eq!(counters.counts(), counts, "{name}");
        assert_eq!(counters.loads(), loads, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_decided_ends_the_round_uncommitted() {
    let counters = Counters::with([]);
    let decided = decide_and_commit(&counters, &[Raise("a", 1), Raise("b", -1)]).await;
    assert_eq!(decided, Err(RaiseError::Negative));
    assert_eq!(counters.counts(), [0, 0]);
    assert_eq!(*counters.commits.lock().unwrap(), 0);
}

#[tokio::test]
async fn no_jobs_load_and_commit_nothing() {
    let counters = Counters::with([]);
    assert_eq!(decide_and_commit(&counters, &[]).await, Ok(vec![]));
    assert_eq!(counters.loads(), []);
    assert_eq!(*counters.commits.lock().unwrap(), 0);
}

#[tokio::test]
async fn after_a_lost_answer_what_is_stored_is_looked_at_until_the_store_is_back() {
    let counters = Counters::with([Commit::LostAnswer]);
    *counters.failing_loads.lock().unwrap() = 3;
    assert_eq!(decide_and_commit(&counters, &[Raise("a", 1)]).await, Ok(vec![1]));
    assert_eq!(counters.loads(), [(0, 1), (1, 1), (1, 1), (1, 1), (1, 1)]);
    // Nothing says that an ordinary load would go better the next time.
    let counters = Counters::with([Commit::Conflict("a")]);
    *counters.failing_loads.lock().unwrap() = 3;
    let decided = decide_and_commit(&counters, &[Raise("a", 1)]).await;
    assert_eq!(decided, Err(RaiseError::Unavailable));
}

/// The same counters, whose use case has no errors of its own.
struct Plain(Counters);

#[async_trait]
impl Decider for Plain {
    type Job = Raise;
    type Key = &'static str;
    type UnitOfWork = Unit;
    type Output = i64;
    type Error = StoreError;

    fn key(&self, job: &Raise) -> &'static str {
        job.0
    }

    async fn load(&self, jobs: &[&Raise], round: u32) -> Result<Unit, StoreError> {
        self.0.load(jobs, round).await
    }

    fn decide(&self, unit: &mut Unit, job: &Raise) -> Result<i64, StoreError> {
        Ok(self.0.decide(unit, job).expect("the jobs are positive"))
    }

    async fn commit(&self, unit: Unit) -> Result<HashSet<&'static str>, StoreError> {
        self.0.commit(unit).await
    }
}

#[tokio::test]
async fn a_job_that_the_store_rejects_does_not_stop_the_others() {
    use Commit::Lands;
    let jobs = [Raise("a", 1), Raise("b", 7), Raise("a", 3)];
    type Case = (&'static [Commit], [&'static str; 3], [i64; 2]);
    const LOCKED: [Commit; 7] = [Commit::Conflict("a"); 7];
    let cases: [Case; 8] = [
        (&[], ["1", "7", "3"], [3, 7]),
        (&LOCKED, ["contended", "7", "contended"], [700, 7]),
        (&[REJECTS, Lands, REJECTS, Lands], ["1", "rejected", "3"], [3, 0]),
        (&[CONTENDS, CONTENDS, CONTENDS], ["1", "7", "3"], [3, 7]),
        // Later ones of a key wait behind the one that is contended.
        (&[CONTENDS, CONTENDS, CONTENDS, CONTENDS], ["contended", "7", "contended"], [0, 7]),
        (&[REJECTS, CONTENDS], ["contended", "7", "contended"], [0, 7]),
        (&[FAILS, FAILS], ["unavailable", "unavailable", "unavailable"], [0, 0]),
        (&[REJECTS, REJECTS, FAILS, FAILS], ["rejected", "unavailable", "unavailable"], [0, 0]),
    ];
    for (script, outcomes, counts) in cases {
        let counters = Plain(Counters::with(script.iter().copied()));
        let decided = decide_each(&counters, &jobs).await.into_iter().map(|output| match output {
            Ok(count) => count.to_string(),
            Err(StoreError::RejectedByStore(_)) => "rejected".to_owned(),
            Err(StoreError::Unavailable(_)) => "unavailable".to_owned(),
            Err(StoreError::Contended(_)) => "contended".to_owned(),
            Err(error) => panic!("{error}"),
        });
        assert_eq!(decided.collect::<Vec<_>>(), outcomes, "{script:?}");
        assert_eq!(counters.0.counts(), counts, "{script:?}");
    }
}
