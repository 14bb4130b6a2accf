//! Tasks that live and stop together.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// The tasks of one service. When one ends before a stop was asked for, all are stopped.
pub struct Process {
    stopping: CancellationToken,
}

/// A task that failed, or that did not end in time.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// A task ended before it was asked to.
    #[error("task {task} ended: {reason}")]
    TaskEnded {
        /// Its name.
        task: &'static str,
        /// Its error, or that it returned or panicked.
        reason: String,
    },
    /// A task went on after it was asked to stop.
    #[error("task {task} did not stop within 10 s")]
    Stuck {
        /// Its name.
        task: &'static str,
    },
}

impl Process {
    /// For a binary: sets up logging (`RUST_LOG`, `LOG_FORMAT=json`) and stops at SIGINT or SIGTERM.
    pub fn start(_service: &'static str) -> Self {
        todo!()
    }

    /// For a test: no logging, no signals; stops when `stopping` is cancelled.
    pub fn embedded(stopping: CancellationToken) -> Self {
        Self { stopping }
    }

    /// Cancelled once the process is to stop: tasks then finish what they hold and return.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Runs `task` beside the others.
    pub fn run<E: std::fmt::Display + Send + 'static>(
        self,
        _name: &'static str,
        _task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        todo!()
    }

    /// Waits for the stop and for every task to end, 10 s at most.
    pub async fn until_stopped(self) -> Result<(), StopError> {
        todo!()
    }
}
