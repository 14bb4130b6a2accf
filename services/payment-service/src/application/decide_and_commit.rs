//! Load, decide in memory, commit once, decide conflicts again.

use std::{collections::HashSet, hash::Hash};

use async_trait::async_trait;

use super::ports::StoreError;

const ROUNDS: u32 = 20;

/// Load, decide in memory, commit once, decide conflicts again.
#[async_trait]
pub trait Decider: Sync {
    type Job: Sync;
    type Key: Eq + Hash + Send + Sync;
    type UnitOfWork: Send;
    type Output: Send;
    type Error: From<StoreError> + Send;
    fn key(&self, job: &Self::Job) -> Self::Key;
    async fn load(&self, jobs: &[&Self::Job], round: u32) -> Result<Self::UnitOfWork, StoreError>;
    fn decide(
        &self,
        unit: &mut Self::UnitOfWork,
        job: &Self::Job,
    ) -> Result<Self::Output, Self::Error>;
    async fn commit(&self, unit: Self::UnitOfWork) -> Result<HashSet<Self::Key>, StoreError>;
}

/// One output per job, in order.
pub async fn decide_and_commit<D: Decider>(
    decider: &D,
    jobs: &[D::Job],
) -> Result<Vec<D::Output>, D::Error> {
    let mut outputs: Vec<Option<D::Output>> = jobs.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    for round in 0..ROUNDS {
        let due: Vec<&D::Job> = open.iter().map(|i| &jobs[*i]).collect();
        let mut unit = decider.load(&due, round).await?;
        for i in &open {
            outputs[*i] = Some(decider.decide(&mut unit, &jobs[*i])?);
        }
        let conflicts = decider.commit(unit).await?;
        open.retain(|i| conflicts.contains(&decider.key(&jobs[*i])));
        if open.is_empty() {
            return Ok(outputs.into_iter().flatten().collect());
        }
    }
    Err(StoreError::Unavailable("conflicts did not end".to_owned()).into())
}
