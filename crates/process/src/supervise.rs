//! Tasks that live and stop together.

use std::{collections::HashMap, fmt::Display, future::Future, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::{Id, JoinError, JoinSet},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{export::Export, logs};

const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The tasks of one service. When one ends before a stop was asked for, all are stopped.
pub struct Process {
    stopping: CancellationToken,
    tasks: JoinSet<Ended>,
    names: HashMap<Id, &'static str>,
    drain_limit: Duration,
    export: Export,
}

/// How a task returned.
struct Ended {
    error: Option<String>,
    was_asked_to: bool,
}

/// A task ended too early, or did not end in time.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error("task {task} ended: {reason}")]
    TaskEnded { task: &'static str, reason: String },
    #[error("task {task} did not stop within 10 s")]
    Stuck { task: &'static str },
}

impl Process {
    /// For a binary: sets up logging (`RUST_LOG`, `LOG_FORMAT=json`) and the export of spans
    /// (`OTEL_*`), and stops at SIGINT or SIGTERM.
    pub fn start(service: &'static str) -> Self {
        logs::start();
        tracing::info!(service, version = env!("CARGO_PKG_VERSION"), "the service starts");
        let process =
            Self { export: Export::start(service), ..Self::embedded(CancellationToken::new()) };
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let stopping = process.stopping();
            match signal(kind) {
                Ok(mut signals) => drop(tokio::spawn(async move {
                    signals.recv().await;
                    tracing::info!(service, "the service stops");
                    stopping.cancel();
                })),
                Err(error) => tracing::warn!(%error, ?kind, "the signal will not stop the service"),
            }
        }
        process
    }

    /// For a test: no logging, no signals; stops when `stopping` is cancelled.
    pub fn embedded(stopping: CancellationToken) -> Self {
        let (tasks, names) = (JoinSet::new(), HashMap::new());
        Self { stopping, tasks, names, drain_limit: DRAIN_LIMIT, export: Export::none() }
    }

    /// Cancelled when the process is to stop: each task then finishes its work and returns.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Runs `task` beside the others.
    pub fn run<E: Display + Send + 'static>(
        mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        let stopping = self.stopping();
        let handle = self.tasks.spawn(async move {
            let error = task.await.err().map(|error| error.to_string());
            Ended { error, was_asked_to: stopping.is_cancelled() }
        });
        self.names.insert(handle.id(), name);
        self
    }

    /// Waits for the stop and for every task to end, 10 s at most.
    pub async fn until_stopped(mut self) -> Result<(), StopError> {
        let mut failure = None;
        while !self.stopping.is_cancelled() {
            tokio::select! {
                () = self.stopping.cancelled() => {}
                Some(joined) = self.tasks.join_next_with_id() => {
                    failure = failure.or(self.failure_of(joined));
                }
            }
        }
        let deadline = Instant::now() + self.drain_limit;
        while let Ok(Some(joined)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            failure = failure.or(self.failure_of(joined));
        }
        for task in self.names.values() {
            tracing::error!(task, "the task did not stop in time");
            failure = failure.or(Some(StopError::Stuck { task }));
        }
        self.export.finish(deadline.saturating_duration_since(Instant::now())).await;
        failure.map_or(Ok(()), Err)
    }

    /// Whether a task's end is a failure; if so, stops the others.
    fn failure_of(&mut self, joined: Result<(Id, Ended), JoinError>) -> Option<StopError> {
        let (id, Ended { error, was_asked_to }) = joined.unwrap_or_else(|panic| {
            (panic.id(), Ended { error: Some(panic.to_string()), was_asked_to: false })
        });
        let task = self.names.remove(&id).unwrap_or("unnamed");
        if was_asked_to {
            if let Some(error) = error {
                tracing::warn!(task, error, "the task failed while stopping");
            }
            return None;
        }
        let reason = error.unwrap_or_else(|| "it returned".to_owned());
        tracing::error!(task, reason, "the task ended: everything stops");
        self.stopping.cancel();
        Some(StopError::TaskEnded { task, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_goes_on_after_the_stop_is_named() {
        let stopping = CancellationToken::new();
        let mut process = Process::embedded(stopping.clone())
            .run("stuck", std::future::pending::<Result<(), String>>());
        process.drain_limit = Duration::from_millis(20);
        stopping.cancel();
        let stopped = process.until_stopped().await;
        assert!(matches!(stopped, Err(StopError::Stuck { task: "stuck" })), "{stopped:?}");
    }
}
