//! The harness of one service: it runs in the test's process, on a test environment.

use std::{fmt::Display, net::TcpListener};

use clap::Parser;
use karcis_process::{CancellationToken, Process};
use karcis_schemas::Service;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{TestEnvironment, eventually};

/// A service that runs, in a runtime of its own so that it can be killed.
pub struct RunningService {
    /// Such as `http://127.0.0.1:34567`.
    pub url: String,
    stopping: CancellationToken,
    task: JoinHandle<Result<(), String>>,
    /// Until it is dropped.
    runtime: Option<Runtime>,
}

impl RunningService {
    /// Runs the service on a free port and waits until it is ready. It gets the flags that the
    /// environment gives to its command line, but for those that are among these.
    pub async fn start<C, F, E>(
        service: &Service,
        environment: &TestEnvironment,
        jwks_url: &str,
        flags: &[&str],
        run: impl FnOnce(C, tokio::net::TcpListener, Process) -> F + Send + 'static,
    ) -> Self
    where
        C: Parser + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        let running = Self::launch(service, environment, jwks_url, flags, run);
        running.ready().await;
        running
    }

    /// The same, without waiting until it is ready.
    pub fn launch<C, F, E>(
        service: &Service,
        environment: &TestEnvironment,
        jwks_url: &str,
        flags: &[&str],
        run: impl FnOnce(C, tokio::net::TcpListener, Process) -> F + Send + 'static,
    ) -> Self
    where
        C: Parser + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        let own = flags.iter().map(|flag| (*flag).to_owned());
        let given = environment.flags_of(service, &C::command(), jwks_url);
        let given = given.chunks(2).filter(|pair| !flags.contains(&pair[0].as_str()));
        let flags = given.flatten().cloned().chain(own);
        let config = C::try_parse_from([service.full_name().to_owned()].into_iter().chain(flags))
            .unwrap_or_else(|error| panic!("{} refuses its flags: {error}", service.full_name()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let stopping = CancellationToken::new();
        let process = Process::embedded(stopping.clone());
        let task = runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it has I/O");
            run(config, listener, process).await.map_err(|error| error.to_string())
        });
        Self { url, stopping, task, runtime: Some(runtime) }
    }

    /// Waits until it can serve; panics if it ends before.
    pub async fn ready(&self) {
        let ready = format!("{}/readyz", self.url);
        eventually(async || {
            assert!(!self.task.is_finished(), "the service ended by itself");
            let answer = reqwest::get(&ready).await.map_err(|error| error.to_string())?;
            match answer.status().as_u16() {
                200 => Ok(()),
                status => Err(format!("{status} {:?}", answer.text().await)),
            }
        })
        .await;
    }

    /// Stops it in order; panics if it ends in any other way.
    pub async fn stop(mut self) {
        assert!(!self.task.is_finished(), "the service ended before it was asked to");
        self.stopping.cancel();
        let outcome = (&mut self.task).await;
        assert!(matches!(outcome, Ok(Ok(()))), "it did not stop in order: {outcome:?}");
    }

    /// Waits until it ends by itself, and returns why; panics if it ends without an error.
    pub async fn error(mut self) -> String {
        let outcome = (&mut self.task).await.expect("the service does not panic");
        outcome.expect_err("the service must not start")
    }

    /// Ends it as kill -9 would: it finishes nothing.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for RunningService {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
