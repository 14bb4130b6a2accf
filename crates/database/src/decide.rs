//! The one decide-and-commit loop: load, decide in memory, commit once, decide conflicts again.

use std::{collections::HashSet, hash::Hash, slice, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::StoreError;

/// How often a job is decided: again each time its change is a conflict.
const ROUNDS: u32 = 20;
/// How many commits may meet another transaction in their way; the last one's error is returned.
const CONTENDED_COMMITS: u32 = 3;
/// After a commit that may have landed, for how long what is stored is looked at before the jobs
/// fail: the server may be starting again.
const LOOK_TIME: Duration = Duration::from_secs(3);
const LOOK_PAUSE: Duration = Duration::from_millis(100);

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
    /// meanwhile, the change is not written: this is a conflict. Returns the keys of conflicts.
    async fn commit(&self, unit: Self::UnitOfWork) -> Result<HashSet<Self::Key>, StoreError>;
}

/// Decides all jobs and commits what they change. Returns one output for each job, in order; jobs
/// that conflict in 20 rounds are `Unavailable`.
///
/// A commit that ends `Unavailable` may have landed. Once, the jobs are then loaded, for up to 3 s, and
/// decided again; nothing is ever written a second time without a look at what is stored. A `Contended` commit
/// wrote nothing: it is decided again, up to 3 times in all. A `Busy` one is returned at once.
pub async fn decide_and_commit<D: Decider>(
    decider: &D,
    jobs: &[D::Job],
) -> Result<Vec<D::Output>, D::Error> {
    let mut outputs: Vec<Option<D::Output>> = jobs.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    let mut may_have_landed = false;
    let mut contended = 0;
    for round in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        let open_jobs: Vec<&D::Job> = open.iter().map(|at| &jobs[*at]).collect();
        let mut unit = load(decider, &open_jobs, round, may_have_landed).await?;
        for at in &open {
            outputs[*at] = Some(decider.decide(&mut unit, &jobs[*at])?);
        }
        match decider.commit(unit).await {
            Ok(conflicts) => open.retain(|at| conflicts.contains(&decider.key(&jobs[*at]))),
            Err(StoreError::Unavailable(_)) if !may_have_landed => may_have_landed = true,
            Err(StoreError::Contended(_)) if contended + 1 < CONTENDED_COMMITS => contended += 1,
            Err(error) => return Err(error.into()),
        }
    }
    if open.is_empty() {
        Ok(outputs.into_iter().flatten().collect())
    } else {
        let cause = "others changed the same data in every round: try again in a moment";
        Err(StoreError::unavailable(cause).into())
    }
}

async fn load<D: Decider>(
    decider: &D,
    jobs: &[&D::Job],
    round: u32,
    may_have_landed: bool,
) -> Result<D::UnitOfWork, StoreError> {
    let began = Instant::now();
    loop {
        match decider.load(jobs, round).await {
            Err(StoreError::Unavailable(_)) if may_have_landed && began.elapsed() < LOOK_TIME => {
                sleep(LOOK_PAUSE).await;
            }
            loaded => return loaded,
        }
    }
}

/// Decides and commits all jobs as [`decide_and_commit`] does. A job that the store rejects does not
/// stop the others: where a batch is rejected, or another transaction is in its way, each job is
/// decided alone. Returns what became of each job, in order; once the store is unavailable, the rest
/// are not tried.
pub async fn decide_each<D: Decider<Error = StoreError>>(
    decider: &D,
    jobs: &[D::Job],
) -> Vec<Result<D::Output, StoreError>> {
    let error = match decide_and_commit(decider, jobs).await {
        Ok(outputs) => return outputs.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if jobs.len() < 2 || matches!(error, StoreError::Unavailable(_) | StoreError::Busy(_)) {
        return jobs.iter().map(|_| Err(error.clone())).collect();
    }
    let mut outputs = Vec::with_capacity(jobs.len());
    let mut ended = None;
    for job in jobs {
        let output = match &ended {
            Some(error) => Err(StoreError::clone(error)),
            None => one(decider, job).await,
        };
        if let Err(error @ (StoreError::Unavailable(_) | StoreError::Busy(_))) = &output {
            ended = Some(error.clone());
        }
        outputs.push(output);
    }
    outputs
}

async fn one<D: Decider<Error = StoreError>>(
    decider: &D,
    job: &D::Job,
) -> Result<D::Output, StoreError> {
    let output = decide_and_commit(decider, slice::from_ref(job)).await?.pop();
    output.ok_or_else(|| StoreError::unavailable("the job has no output"))
}
