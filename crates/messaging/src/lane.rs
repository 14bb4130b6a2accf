//! One lane that coalesces what queued while the last group was at work: group commit.
//!
//! Guarantees: jobs are worked off in the order they came, one group at a time; an idle lane starts
//! at once; a full one refuses at once; a panic of the work costs its group and nobody else. A job
//! whose submitter has gone before its turn is left out.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

/// The queue is full, or the work broke down: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is waiting: try again in a moment")]
pub struct Busy;

/// A bounded FIFO queue, worked off by one task in groups. No linger: an idle lane starts at once.
pub struct Lane<Job, Answer> {
    jobs: mpsc::Sender<(Job, oneshot::Sender<Answer>)>,
}

impl<Job: Send + 'static, Answer: Send + 'static> Lane<Job, Answer> {
    /// Starts the lane's task, which ends when the lane is dropped. `work` takes up to `group`
    /// jobs and returns one answer for each, in their order.
    pub fn start<F>(
        capacity: usize,
        group: usize,
        work: impl Fn(Vec<Job>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<Answer>> + Send,
    {
        let (jobs, mut queue) = mpsc::channel::<(Job, oneshot::Sender<Answer>)>(capacity);
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(group);
            while queue.recv_many(&mut taken, group).await > 0 {
                taken.retain(|(_, asker)| !asker.is_closed());
                let (jobs, askers): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
                if jobs.is_empty() {
                    continue;
                }
                metrics::histogram!("karcis_lane_batch_size").record(jobs.len() as f64);
                // The panic itself is reported by the process's hook; its askers hear `Busy`.
                let answers = AssertUnwindSafe(async { work(jobs).await }).catch_unwind().await;
                for (asker, answer) in askers.into_iter().zip(answers.into_iter().flatten()) {
                    // Who asked may have gone meanwhile.
                    let _ = asker.send(answer);
                }
            }
        });
        Self { jobs }
    }

    /// The answer to `job`, or [`Busy`] at once if the queue is full. The job may be done although
    /// the answer is [`Busy`] when the work panicked.
    pub async fn submit(&self, job: Job) -> Result<Answer, Busy> {
        let (asker, answer) = oneshot::channel();
        self.jobs.try_send((job, asker)).map_err(|_| Busy)?;
        answer.await.map_err(|_| Busy)
    }
}
