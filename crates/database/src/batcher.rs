//! Group commit: what queued while the last group was at work is the next group.
//!
//! Guarantees: jobs are done in the order they came, one group at a time; an idle batcher starts at
//! once; a full one refuses at once; a job that the store rejects, or that contends with another
//! transaction, fails alone; a panic fails its group alone. A job whose submitter has gone before its
//! turn is left out.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use metrics::{describe_histogram, histogram};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError::{self, Contended, RejectedByStore};

const BATCH_SIZE: &str = "karcis_batcher_batch_size";

/// How many jobs wait and share a transaction at most.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Jobs that may wait; more are refused.
    pub capacity: usize,
    /// Jobs that share a transaction or a statement.
    pub group: usize,
}

type Reply<Output> = oneshot::Sender<Result<Output, StoreError>>;

/// A bounded FIFO queue, whose jobs one task does in groups. It never waits to fill a group.
pub struct Batcher<Job, Output> {
    jobs: mpsc::Sender<(Job, Reply<Output>)>,
}

impl<Job: Clone + Send + 'static, Output: Send + 'static> Batcher<Job, Output> {
    /// Starts the task, which ends when the batcher is dropped. `work` returns one output for each
    /// job of a group, in their order. A group that is rejected or contended is tried
    /// job by job. Each group is cloned for that, so a job should be cheap to clone, as an `Arc` is.
    pub fn start<F>(
        limits: BatchLimits,
        work: impl Fn(Vec<Job>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Vec<Output>, StoreError>> + Send,
    {
        describe_histogram!(BATCH_SIZE, "Requests that shared a transaction or a read.");
        let BatchLimits { capacity, group } = limits;
        let (jobs, mut queue) = mpsc::channel::<(Job, Reply<Output>)>(capacity);
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(group);
            while queue.recv_many(&mut taken, group).await > 0 {
                taken.retain(|(_, reply)| !reply.is_closed());
                let (jobs, replies): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
                if jobs.is_empty() {
                    continue;
                }
                histogram!(BATCH_SIZE).record(jobs.len() as f64);
                match attempt(&work, jobs.clone()).await {
                    Err(RejectedByStore(_) | Contended(_)) if jobs.len() > 1 => {
                        for (job, reply) in jobs.into_iter().zip(replies) {
                            send(attempt(&work, vec![job]).await, [reply]);
                        }
                    }
                    result => send(result, replies),
                }
            }
        });
        Self { jobs }
    }

    /// The output of `job`; `Busy` at once if the queue is full. An `Unavailable` job may have been
    /// done.
    pub async fn submit(&self, job: Job) -> Result<Output, StoreError> {
        let (reply, output) = oneshot::channel();
        let full = "too many requests are waiting: try again in a moment";
        self.jobs.try_send((job, reply)).map_err(|_| StoreError::busy(full))?;
        output.await.unwrap_or_else(|_| Err(StoreError::unavailable("the work gave no output")))
    }
}

/// The outputs of these jobs; a panic, which the process's hook reports, is an error like others.
async fn attempt<Job, Output, F>(
    work: &impl Fn(Vec<Job>) -> F,
    jobs: Vec<Job>,
) -> Result<Vec<Output>, StoreError>
where
    F: Future<Output = Result<Vec<Output>, StoreError>>,
{
    let outputs = AssertUnwindSafe(async { work(jobs).await }).catch_unwind().await;
    outputs.unwrap_or_else(|_| Err(StoreError::unavailable("the work panicked")))
}

/// Gives each submitter its output; one that has gone meanwhile misses it.
fn send<Output>(
    result: Result<Vec<Output>, StoreError>,
    replies: impl IntoIterator<Item = Reply<Output>>,
) {
    match result {
        Ok(outputs) => {
            for (reply, output) in replies.into_iter().zip(outputs) {
                let _ = reply.send(Ok(output));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}
