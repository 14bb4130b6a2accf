//! The services as tasks of this process: fast to start, and each can be stopped in order.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use karcis_process::{CancellationToken, Process};
use karcis_schemas::{SERVICES, Service, USER};
use karcis_services::{Linked, RunResult};
use karcis_testkit::{TestEnvironment, eventually};
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::Urls;

/// The services with what each was started with.
pub(crate) struct Tasks {
    runtime: Runtime,
    settings: HashMap<&'static str, (SocketAddr, Vec<String>)>,
    running: Mutex<HashMap<&'static str, Running>>,
}

struct Running {
    stopping: CancellationToken,
    task: JoinHandle<RunResult>,
}

impl Tasks {
    /// Starts all on free ports, with these flags on top of the environment's.
    pub(crate) fn start(
        environment: &TestEnvironment,
        flags: &HashMap<&'static str, Vec<String>>,
    ) -> (Self, Urls) {
        let listeners = SERVICES.map(|service| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            (service, listener.local_addr().expect("a listener has an address"), listener)
        });
        let urls: Urls = listeners
            .iter()
            .map(|(service, at, _)| (service.name, format!("http://{at}")))
            .collect();
        let jwks_url = format!("{}/.well-known/jwks.json", urls[USER.name]);
        let settings = listeners.iter().map(|(service, at, _)| {
            let command = (linked(service).command)();
            let mut own = environment.flags_of(service, &command, &jwks_url);
            own.extend(flags.get(service.name).cloned().unwrap_or_default());
            (service.name, (*at, own))
        });
        // A runtime of their own, so that the services go on while a test's own thread waits.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let tasks = Self { runtime, settings: settings.collect(), running: Mutex::default() };
        for (service, _, listener) in listeners {
            tasks.launch(service, listener);
        }
        (tasks, urls)
    }

    /// Stops one in order; panics if it ended in any other way.
    pub(crate) async fn stop(&self, service: &Service) {
        let running = self.running().remove(service.name).expect("it runs");
        running.stop(service.name).await;
    }

    /// Starts a stopped one where it served before.
    pub(crate) async fn start_again(&self, service: &'static Service) {
        let address = self.settings[service.name].0;
        // While it was stopped its port was free: another test may have it for a while.
        let bind = eventually(async || TcpListener::bind(address));
        let listener = bind.within(Duration::from_secs(120)).await;
        self.launch(service, listener);
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&self, service: &Service) -> bool {
        self.running().get(service.name).is_none_or(|running| running.task.is_finished())
    }

    /// Waits for `checks`, then stops all that run.
    pub(crate) fn end(self, checks: impl Future<Output = ()>) {
        let Self { runtime, running, .. } = self;
        let running = running.into_inner().expect("nothing panics while it holds the services");
        runtime.block_on(async {
            checks.await;
            for (service, running) in running {
                running.stop(service).await;
            }
        });
    }

    /// Drops the services as they are.
    pub(crate) fn abandon(self) {
        self.runtime.shutdown_background();
    }

    fn launch(&self, service: &'static Service, listener: TcpListener) {
        let _inside = self.runtime.enter();
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime has I/O");
        let stopping = CancellationToken::new();
        let process = Process::embedded(stopping.clone());
        let flags = self.settings[service.name].1.clone();
        let run = (linked(service).run)(flags, Some(listener), process);
        let running = Running { stopping, task: self.runtime.spawn(run) };
        self.running().insert(service.name, running);
    }

    fn running(&self) -> MutexGuard<'_, HashMap<&'static str, Running>> {
        self.running.lock().expect("nothing panics while it holds the services")
    }
}

impl Running {
    async fn stop(self, service: &str) {
        let by_itself = self.task.is_finished();
        self.stopping.cancel();
        let outcome = self.task.await;
        assert!(
            matches!(outcome, Ok(Ok(()))),
            "{service}-service did not stop in order: {outcome:?}"
        );
        assert!(!by_itself, "{service}-service ended before it was asked to");
    }
}

fn linked(service: &Service) -> &'static Linked {
    karcis_services::find(service.name).expect("every service is linked")
}
