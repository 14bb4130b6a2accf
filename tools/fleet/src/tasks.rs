//! The services as tasks of this process: fast to start, and each can be stopped in order.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use clap::Parser;
use karcis_process::{CancellationToken, Process};
use karcis_schemas as schemas;
use tokio::{runtime::Runtime, task::JoinHandle};

use super::{Service, Urls};
use crate::{Bed, eventually};

type Outcome = Result<(), String>;

/// The services with what each was started with.
pub struct Tasks {
    runtime: Runtime,
    settings: HashMap<Service, (SocketAddr, Vec<String>)>,
    running: Mutex<HashMap<Service, Running>>,
}

struct Running {
    stopping: CancellationToken,
    task: JoinHandle<Outcome>,
}

impl Tasks {
    /// Starts all four on free ports, with these flags on top of a bed's.
    pub fn start(bed: &Bed, flags: &HashMap<Service, Vec<String>>) -> (Self, Urls) {
        let listeners = Service::ALL.map(|service| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            (service, listener.local_addr().expect("a listener has an address"), listener)
        });
        let urls: Urls =
            listeners.iter().map(|(service, at, _)| (*service, format!("http://{at}"))).collect();
        let settings = listeners.iter().map(|(service, at, _)| {
            let mut own = bed.flags(service.schema());
            own.extend(own_flags(*service, bed, &urls));
            own.extend(flags.get(service).cloned().unwrap_or_default());
            (*service, (*at, own))
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
    pub async fn stop(&self, service: Service) {
        let running = self.running().remove(&service).expect("it runs");
        running.stop(service).await;
    }

    /// Starts a stopped one where it served before.
    pub async fn start_again(&self, service: Service) {
        let address = self.settings[&service].0;
        // While it was stopped its port was anybody's: another test may have it for a while.
        let bind = eventually(async || TcpListener::bind(address));
        let listener = bind.within(Duration::from_secs(120)).await;
        self.launch(service, listener);
    }

    /// Whether it ended by itself.
    pub fn has_ended(&self, service: Service) -> bool {
        self.running().get(&service).is_none_or(|running| running.task.is_finished())
    }

    /// Waits for `checks`, then stops all that run.
    pub fn end(self, checks: impl Future<Output = ()>) {
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
    pub fn abandon(self) {
        self.runtime.shutdown_background();
    }

    fn launch(&self, service: Service, listener: TcpListener) {
        let _inside = self.runtime.enter();
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime has I/O");
        let stopping = CancellationToken::new();
        let process = Process::embedded(stopping.clone());
        let run = run(service, &self.settings[&service].1, listener, process);
        let running = Running { stopping, task: self.runtime.spawn(run) };
        self.running().insert(service, running);
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Service, Running>> {
        self.running.lock().expect("nothing panics while it holds the services")
    }
}

impl Running {
    async fn stop(self, service: Service) {
        let by_itself = self.task.is_finished();
        self.stopping.cancel();
        let outcome = self.task.await;
        assert!(matches!(outcome, Ok(Ok(()))), "{service:?} did not stop in order: {outcome:?}");
        assert!(!by_itself, "{service:?} ended before it was asked to");
    }
}

/// The flags that not every service takes.
fn own_flags(service: Service, bed: &Bed, urls: &Urls) -> Vec<String> {
    let keys = ["--jwks-url".to_owned(), format!("{}/.well-known/jwks.json", urls[&Service::User])];
    let ledger = || ["--gateway-database-url".to_owned(), bed.role_url(schemas::SIMULATED_GATEWAY)];
    match service {
        Service::User => Vec::new(),
        Service::Event | Service::Booking => keys.into(),
        Service::Payment => keys.into_iter().chain(ledger()).collect(),
    }
}

macro_rules! run {
    ($service:ident, $flags:expr, $listener:expr, $process:expr) => {{
        let flags = [stringify!($service)].into_iter().chain($flags.iter().map(String::as_str));
        let config = $service::Config::try_parse_from(flags)
            .unwrap_or_else(|error| panic!("{} refuses its flags: {error}", stringify!($service)));
        Box::pin(async move {
            $service::run(config, $listener, $process).await.map_err(|error| error.to_string())
        })
    }};
}

fn run(
    service: Service,
    flags: &[String],
    listener: tokio::net::TcpListener,
    process: Process,
) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    match service {
        Service::User => run!(karcis_user_service, flags, listener, process),
        Service::Event => run!(karcis_event_service, flags, listener, process),
        Service::Booking => run!(karcis_booking_service, flags, listener, process),
        Service::Payment => run!(karcis_payment_service, flags, listener, process),
    }
}
