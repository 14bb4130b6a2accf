//! The four services in this process, on a bed of their own.

mod concert;
mod ledger;
mod person;
mod service;

use std::{
    collections::{BTreeMap, HashMap},
    net::{SocketAddr, TcpListener},
    panic::resume_unwind,
    sync::Mutex,
};

use karcis_kernel::{BookingId, Role, UserId};
use karcis_local_stack::schemas;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub use concert::{Concert, ConcertPlan, Stock};
pub use ledger::Ledger;
pub use person::{Answer, Booking, Person};
pub use service::Service;

use crate::{Bed, bed, eventually, tokens};
use service::Running;

/// Where each service serves.
pub type Urls = HashMap<Service, String>;

/// What a fleet is started with.
#[derive(Default)]
pub struct FleetBuilder {
    flags: HashMap<Service, Vec<String>>,
    bed: Option<Bed>,
}

impl FleetBuilder {
    /// Passes a flag with its value to one service.
    pub fn flag(mut self, service: Service, flag: &str, value: &str) -> Self {
        self.flags.entry(service).or_default().extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// How long buyers have to pay, such as `5s`.
    pub fn payment_window(self, window: &str) -> Self {
        self.flag(Service::Booking, "--payment-window", window)
    }

    /// On this bed in place of a new one.
    pub fn on(self, bed: Bed) -> Self {
        Self { bed: Some(bed), ..self }
    }

    /// Starts the services and waits until each is ready.
    pub async fn start(self) -> Fleet {
        let bed = match self.bed {
            Some(bed) => bed,
            None => Bed::start().await,
        };
        tokens::publish_in(bed.superuser()).await;
        let listeners = Service::ALL.map(|_| listen("127.0.0.1:0"));
        let addresses = listeners
            .each_ref()
            .map(|listener| listener.local_addr().expect("a listener has an address"));
        let addresses: HashMap<_, _> = Service::ALL.into_iter().zip(addresses).collect();
        let urls: Urls =
            addresses.iter().map(|(service, at)| (*service, format!("http://{at}"))).collect();
        let flags = Service::ALL.map(|service| {
            let mut flags = bed.flags(service.schema());
            flags.extend(own_flags(service, &bed, &urls));
            flags.extend(self.flags.get(&service).cloned().unwrap_or_default());
            (service, flags)
        });
        // A runtime of their own, so that the services go on while a test's own thread waits.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let fleet = Fleet {
            bed,
            http: reqwest::Client::new(),
            addresses,
            urls,
            flags: flags.into_iter().collect(),
            running: Mutex::default(),
            runtime: Some(runtime),
            checked: true,
        };
        for (service, listener) in Service::ALL.into_iter().zip(listeners) {
            fleet.launch(service, listener);
        }
        for service in Service::ALL {
            fleet.ready(service).await;
        }
        fleet
    }
}

fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).expect("a port is free")
}

/// The flags that not every service takes.
fn own_flags(service: Service, bed: &Bed, urls: &Urls) -> Vec<String> {
    let keys = ["--jwks-url".to_owned(), format!("{}/.well-known/jwks.json", urls[&Service::User])];
    let ledger = || ["--gateway-database-url".to_owned(), bed.role_url(schemas::GATEWAY)];
    match service {
        Service::User => Vec::new(),
        Service::Event | Service::Booking => keys.into(),
        Service::Payment => keys.into_iter().chain(ledger()).collect(),
    }
}

/// The four services, with people who use them. At its end every message must have been sent and
/// none put aside, unless [`Fleet::unchecked`] says otherwise.
pub struct Fleet {
    bed: Bed,
    http: reqwest::Client,
    addresses: HashMap<Service, SocketAddr>,
    urls: Urls,
    flags: HashMap<Service, Vec<String>>,
    running: Mutex<HashMap<Service, Running>>,
    runtime: Option<Runtime>,
    checked: bool,
}

impl Fleet {
    /// Four services as they are by default.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Four services with settings of their own.
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// The database and topics they work on.
    pub fn bed(&self) -> &Bed {
        &self.bed
    }

    /// Where this service serves, such as `http://127.0.0.1:34567`.
    pub fn url(&self, service: Service) -> &str {
        &self.urls[&service]
    }

    /// Messages may be left unsent or aside at the end of this test.
    pub fn unchecked(&mut self) {
        self.checked = false;
    }

    /// Somebody new who books tickets.
    pub async fn buyer(&self, name: &str) -> Person {
        self.person(name, Role::Buyer)
    }

    /// Somebody new with this role and a token, whom user-service does not know.
    pub fn person(&self, name: &str, role: Role) -> Person {
        self.somebody(name, UserId(Uuid::now_v7()), role)
    }

    /// So many buyers.
    pub fn crowd(&self, size: usize) -> Vec<Person> {
        (1..=size).map(|number| self.person(&format!("buyer {number}"), Role::Buyer)).collect()
    }

    /// This user, with a new token for this role.
    pub fn somebody(&self, name: &str, user: UserId, role: Role) -> Person {
        self.bearer(name, user, tokens::token(user, role))
    }

    /// Whoever this token is of.
    pub fn bearer(&self, name: &str, user: UserId, token: String) -> Person {
        Person::new(name, user, token, self.http.clone(), self.urls.clone())
    }

    /// Somebody who registers with an e-mail address and a password.
    pub async fn registers(&self, name: &str) -> Person {
        Person::register(name, self.http.clone(), self.urls.clone()).await
    }

    /// The plan of an event, to be given tickets and published.
    pub fn concert(&self) -> ConcertPlan {
        ConcertPlan::new(self.person("organiser", Role::Organiser))
    }

    /// How many seats of this type are free.
    pub async fn free(&self, concert: &Concert, ticket: &str) -> i64 {
        self.stock(concert, ticket).await.free
    }

    /// How this type's seats are spread.
    pub async fn stock(&self, concert: &Concert, ticket: &str) -> Stock {
        concert.stock(ticket).await
    }

    /// How many bookings are in each stage of their saga.
    pub async fn stages(&self) -> BTreeMap<String, i64> {
        let count = "SELECT stage, count(*) FROM bookings.booking GROUP BY stage";
        let stages = sqlx::query_as(count).fetch_all(self.bed.superuser()).await;
        let stages: Vec<(String, i64)> = stages.expect("bookings can be read");
        stages.into_iter().collect()
    }

    /// What the provider's books say of a booking's money.
    pub async fn ledger(&self, booking: &Booking) -> Ledger {
        self.ledgers(&[booking.id]).await[0]
    }

    /// The same of many bookings, in their order.
    pub async fn ledgers(&self, bookings: &[BookingId]) -> Vec<Ledger> {
        ledger::ledgers(self.bed.superuser(), bookings).await
    }

    /// Stops one service in order.
    pub async fn stop(&self, service: Service) {
        let running = self.running().remove(&service).expect("it runs");
        running.stop().await;
    }

    /// Starts a stopped service where it served before.
    pub async fn start_again(&self, service: Service) {
        let address = self.addresses[&service];
        let listener = eventually(async || TcpListener::bind(address)).await;
        self.launch(service, listener);
        self.ready(service).await;
    }

    fn launch(&self, service: Service, listener: TcpListener) {
        let runtime = self.runtime.as_ref().expect("a fleet has its runtime until it is dropped");
        let running = service.start(&self.flags[&service], listener, runtime.handle());
        self.running().insert(service, running);
    }

    async fn ready(&self, service: Service) {
        let url = format!("{}/readyz", self.url(service));
        eventually(async || {
            let has_ended = self.running().get(&service).is_none_or(Running::has_ended);
            if has_ended {
                self.stop(service).await; // panics with the reason
            }
            let answer = self.http.get(&url).send().await.map_err(|error| error.to_string())?;
            match answer.status().as_u16() {
                200 => Ok(()),
                status => Err(format!("{service:?}: {status} {:?}", answer.text().await)),
            }
        })
        .await;
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<Service, Running>> {
        self.running.lock().expect("nothing panics while it holds the services")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let runtime = self.runtime.take().expect("a fleet is dropped once");
        if std::thread::panicking() {
            return runtime.shutdown_background();
        }
        let running = std::mem::take(&mut *self.running());
        let (url, checked) = (self.bed.database_url().to_owned(), self.checked);
        let end = async move {
            if checked {
                for service in Service::ALL {
                    bed::all_sent(&url, service.schema()).await;
                }
            }
            for running in running.into_values() {
                running.stop().await;
            }
        };
        // The test's own runtime forbids to wait here, so another thread does.
        if let Err(panic) = std::thread::spawn(move || runtime.block_on(end)).join() {
            resume_unwind(panic);
        }
    }
}
