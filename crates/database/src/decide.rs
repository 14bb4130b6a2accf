//! The one decide-and-commit loop: load, decide in memory, commit once, decide conflicts again.

use std::{collections::HashSet, hash::Hash, mem, slice, time::Duration};

use async_trait::async_trait;
use karcis_kernel::Bug;
use karcis_process::timer::{monotonic, wait};

use crate::StoreError;

/// How long the same jobs are tried.
#[derive(Clone, Copy)]
struct Tries {
    /// How often a job is decided: again each time its change is a conflict.
    rounds: u32,
    /// How many commits may meet another transaction in their way.
    contended: u32,
}

const OF_A_REQUEST: Tries = Tries { rounds: 20, contended: 3 };
/// Others wait for the end.
const OF_A_BATCH: Tries = Tries { rounds: 7, contended: 3 };
/// A batch has been tried before, and others of it wait.
const ALONE: Tries = Tries { rounds: 7, contended: 1 };
/// After a commit that may have landed, for how long what is stored is looked at before the jobs
/// fail: the server may be starting again.
const LOOK_TIME: Duration = Duration::from_secs(3);
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// For how long the jobs of a batch are decided one at a time, each of which may wait for a lock: the
/// rest come again with those that are contended.
const ALONE_TIME: Duration = Duration::from_secs(10);

/// How the jobs of a use case are loaded, decided and committed.
#[async_trait]
pub trait Decider: Sync {
    /// An input, a command or a request.
    type Job: Sync;
    /// The id of what a conflict is about, such as a booking's.
    type Key: Eq + Hash + Send + Sync;
    /// What was loaded, and what the jobs decided so far have changed in it.
    type UnitOfWork: Send;
    /// What became of a job.
    type Output: Send;
    /// Why the jobs cannot be decided.
    type Error: From<StoreError> + Send;

    /// The id of what the job changes.
    fn key(&self, job: &Self::Job) -> Self::Key;

    /// What these jobs need. `round` counts from 0: a job may bring what it saw last, which spares
    /// the load of round 0 alone.
    async fn load(&self, jobs: &[&Self::Job], round: u32) -> Result<Self::UnitOfWork, StoreError>;

    /// Decides a job on what the jobs before it have made of the unit of work. An error ends the
    /// round uncommitted.
    fn decide(
        &self,
        unit: &mut Self::UnitOfWork,
        job: &Self::Job,
    ) -> Result<Self::Output, Self::Error>;

    /// Commits once, or nothing if nothing changed. If another instance or request changed the row
    /// meanwhile, or has it locked, the change is not written: this is a conflict. Returns the keys of
    /// conflicts. It waits for nobody's lock for long.
    async fn commit(&self, unit: Self::UnitOfWork) -> Result<HashSet<Self::Key>, StoreError>;
}

/// Decides all jobs and commits what they change. Returns one output for each job, in order. If others
/// change or keep locked the rows of some for 20 rounds, some 5 s, this is `Contended`; the other jobs are
/// committed all the same.
///
/// A commit that ends `Unavailable` may have landed. Once, the jobs are then loaded, for up to 3 s, and
/// decided again; nothing is ever written a second time without a look at what is stored. A `Contended`
/// commit wrote nothing: it is decided again, up to 3 times in all. A `Busy` one is returned at once.
pub async fn decide_and_commit<D: Decider>(
    decider: &D,
    jobs: &[D::Job],
) -> Result<Vec<D::Output>, D::Error> {
    let Rounds { outputs, in_the_way } = in_rounds(decider, jobs, OF_A_REQUEST).await?;
    let outputs: Option<_> = outputs.into_iter().collect();
    outputs.ok_or_else(|| in_the_way.unwrap_or_else(locked).into())
}

/// The same for a batch that others wait behind: after 7 rounds, within 0.1 s, no more is waited for
/// locks. Returns the outputs of the jobs that are committed, in order; `None` for those that are not,
/// since others change or keep locked their rows. These are all open jobs of their keys, so that none
/// overtakes an earlier one of its key.
///
/// Where another transaction is in the way of the commit itself, each job is decided alone, for up to
/// 10 s; those behind a contended one of their key are not tried.
pub async fn decide_batch<D: Decider>(
    decider: &D,
    jobs: &[D::Job],
) -> Result<Vec<Option<D::Output>>, D::Error> {
    let Rounds { mut outputs, in_the_way } = in_rounds(decider, jobs, OF_A_BATCH).await?;
    if in_the_way.is_some() && jobs.len() > 1 {
        let mut alone = Alone::new(decider);
        for (output, job) in outputs.iter_mut().zip(jobs).filter(|(output, _)| output.is_none()) {
            *output = alone.decide(job).await?;
        }
    }
    Ok(outputs)
}

fn locked() -> StoreError {
    StoreError::contended("others changed or locked the same data in every round")
}

/// What became of jobs.
struct Rounds<Output> {
    /// `None` for one that is not committed.
    outputs: Vec<Option<Output>>,
    /// The error of the last commit, if another transaction was in its way.
    in_the_way: Option<StoreError>,
}

async fn in_rounds<D: Decider>(
    decider: &D,
    jobs: &[D::Job],
    tries: Tries,
) -> Result<Rounds<D::Output>, D::Error> {
    let mut outputs: Vec<Option<D::Output>> = jobs.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    let mut may_have_landed = false;
    let mut contended = 0;
    for round in 0..tries.rounds {
        if open.is_empty() {
            break;
        }
        wait(pause_before(round)).await;
        let open_jobs: Vec<&D::Job> = open.iter().map(|at| &jobs[*at]).collect();
        let mut unit = load(decider, &open_jobs, round, may_have_landed).await?;
        let decided = open_jobs.iter().map(|job| decider.decide(&mut unit, job));
        let decided: Vec<D::Output> = decided.collect::<Result<_, _>>()?;
        match decider.commit(unit).await {
            Ok(conflicts) => {
                for (at, output) in mem::take(&mut open).into_iter().zip(decided) {
                    let is_open = conflicts.contains(&decider.key(&jobs[at]));
                    if is_open && !Bug::ConflictsForgotten.is_planted() {
                        open.push(at);
                    } else {
                        outputs[at] = Some(output);
                    }
                }
            }
            Err(StoreError::Unavailable(_)) if Bug::LostAnswerIsDone.is_planted() => {
                let done = mem::take(&mut open).into_iter().zip(decided);
                done.for_each(|(at, output)| outputs[at] = Some(output));
            }
            Err(StoreError::Unavailable(_)) if !may_have_landed => may_have_landed = true,
            Err(StoreError::Contended(_)) if contended + 1 < tries.contended => contended += 1,
            Err(error @ StoreError::Contended(_)) => {
                return Ok(Rounds { outputs, in_the_way: Some(error) });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Rounds { outputs, in_the_way: None })
}

/// None before the first three rounds, as most conflicts are over at once; then 5 ms, doubling to
/// half a second.
fn pause_before(round: u32) -> Duration {
    let doublings = round.checked_sub(3);
    doublings.map_or(Duration::ZERO, |n| Duration::from_millis((5 << n.min(7)).min(500)))
}

async fn load<D: Decider>(
    decider: &D,
    jobs: &[&D::Job],
    round: u32,
    may_have_landed: bool,
) -> Result<D::UnitOfWork, StoreError> {
    let began = monotonic();
    loop {
        match decider.load(jobs, round).await {
            Err(StoreError::Unavailable(_))
                if may_have_landed && monotonic() - began < LOOK_TIME =>
            {
                wait(LOOK_PAUSE).await;
            }
            loaded => return loaded,
        }
    }
}

/// Decides and commits all jobs as [`decide_batch`] does. A job that the store rejects does not stop the
/// others: where a whole batch is rejected, each job is decided alone. Returns what became of each job, in
/// order, `Contended` for one whose rows others keep locked; once the store is unavailable, the rest are
/// not tried.
pub async fn decide_each<D: Decider<Error = StoreError>>(
    decider: &D,
    jobs: &[D::Job],
) -> Vec<Result<D::Output, StoreError>> {
    let error = match decide_batch(decider, jobs).await {
        Ok(outputs) => return outputs.into_iter().map(|it| it.ok_or_else(locked)).collect(),
        Err(error) => error,
    };
    if jobs.len() < 2 || ends_all(&error) {
        return jobs.iter().map(|_| Err(error.clone())).collect();
    }
    let mut outputs = Vec::with_capacity(jobs.len());
    let mut alone = Alone::new(decider);
    let mut ended = None;
    for job in jobs {
        let output = match &ended {
            Some(error) => Err(StoreError::clone(error)),
            None => alone.decide(job).await.and_then(|output| output.ok_or_else(locked)),
        };
        ended = output.as_ref().err().filter(|error| ends_all(error)).cloned();
        outputs.push(output);
    }
    outputs
}

fn ends_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Busy(_))
}

/// Decides jobs one at a time.
struct Alone<'a, D: Decider> {
    decider: &'a D,
    /// The keys of jobs that were contended: what follows waits behind them.
    contended: HashSet<D::Key>,
    /// By [`monotonic`].
    until: Duration,
}

impl<'a, D: Decider> Alone<'a, D> {
    fn new(decider: &'a D) -> Self {
        Self { decider, contended: HashSet::new(), until: monotonic() + ALONE_TIME }
    }

    /// `None` if it is contended.
    async fn decide(&mut self, job: &D::Job) -> Result<Option<D::Output>, D::Error> {
        let key = self.decider.key(job);
        if self.contended.contains(&key) {
            return Ok(None);
        }
        let mut output = None;
        if monotonic() < self.until {
            let rounds = in_rounds(self.decider, slice::from_ref(job), ALONE).await?;
            output = rounds.outputs.into_iter().flatten().next();
        }
        if output.is_none() {
            self.contended.insert(key);
        }
        Ok(output)
    }
}
