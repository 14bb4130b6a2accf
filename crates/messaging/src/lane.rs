//! One lane that coalesces what queued while the last group was at work: group commit.

use std::future::Future;

/// The queue is full: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is waiting: try again in a moment")]
pub struct Busy;

/// A bounded FIFO queue, worked off by one task in groups. No linger: an idle lane starts at once.
pub struct Lane<Job, Answer> {
    _jobs: tokio::sync::mpsc::Sender<(Job, tokio::sync::oneshot::Sender<Answer>)>,
}

impl<Job: Send + 'static, Answer: Send + 'static> Lane<Job, Answer> {
    /// Starts the lane's task, which ends when the lane is dropped. `work` takes up to `group`
    /// jobs and returns one answer for each, in their order.
    pub fn start<F>(
        _capacity: usize,
        _group: usize,
        _work: impl Fn(Vec<Job>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<Answer>> + Send,
    {
        todo!()
    }

    /// The answer to `job`, or [`Busy`] at once if the queue is full.
    pub async fn submit(&self, _job: Job) -> Result<Answer, Busy> {
        todo!()
    }
}
