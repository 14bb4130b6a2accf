//! The four services on a bed of their own, as tasks or as processes.

mod concert;
mod consistency;
mod ledger;
mod person;
mod processes;
mod service;
mod tasks;

use std::{
    collections::{BTreeMap, HashMap},
    panic::resume_unwind,
};

use karcis_kernel::{BookingId, Role, UserId};
use uuid::Uuid;

pub use concert::{Concert, ConcertPlan, Stock};
pub use ledger::Ledger;
pub use person::{Answer, Booking, NoAnswer, Person};
pub use processes::{Processes, program};
pub use service::{Service, Urls};

use crate::{Bed, eventually, tokens};
use tasks::Tasks;

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

    /// Starts the services as tasks of this process and waits until each is ready.
    pub async fn start(self) -> Fleet {
        let bed = match self.bed {
            Some(bed) => bed,
            None => Bed::start().await,
        };
        tokens::publish_in(bed.superuser()).await;
        let (tasks, urls) = Tasks::start(&bed, &self.flags);
        let fleet = Fleet::new(bed, urls, Members::Tasks(tasks));
        for service in Service::ALL {
            fleet.ready(service).await;
        }
        fleet
    }
}

/// The four services, with people who use them. At its end every message must have been sent and
/// none put aside, and all must agree on every booking that has ended, unless [`Fleet::unchecked`]
/// says otherwise.
pub struct Fleet {
    bed: Bed,
    http: reqwest::Client,
    urls: Urls,
    members: Option<Members>,
    checked: bool,
}

enum Members {
    Tasks(Tasks),
    Processes(Vec<Processes>),
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

    /// Four services that are processes of their own, with this in their environment, such as
    /// `("KARCIS_PAYMENT_WINDOW", "5s")`.
    pub async fn of_processes(environment: &[(&str, &str)]) -> Self {
        Self::of_instances(1, environment).await
    }

    /// So many instances of each service, as processes of their own. People go to the first unless
    /// [`Person::through`] says otherwise.
    pub async fn of_instances(count: usize, environment: &[(&str, &str)]) -> Self {
        let bed = Bed::start().await;
        // The keys are read at the start, so the tables have to be there before.
        tokens::publish_in(bed.superuser()).await;
        let mut instances = Vec::new();
        for number in 0..count {
            instances.push(Processes::start(&bed, &number.to_string(), environment).await);
        }
        let urls = instances[0].urls().clone();
        Self::new(bed, urls, Members::Processes(instances))
    }

    fn new(bed: Bed, urls: Urls, members: Members) -> Self {
        Self { bed, http: reqwest::Client::new(), urls, members: Some(members), checked: true }
    }

    /// The database and topics they work on.
    pub fn bed(&self) -> &Bed {
        &self.bed
    }

    /// Where this service serves, such as `http://127.0.0.1:34567`.
    pub fn url(&self, service: Service) -> &str {
        &self.urls[&service]
    }

    /// The end of this test is not looked at.
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
        concert::stock(self.bed.superuser(), concert.ticket_type(ticket)).await
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
        self.tasks().stop(service).await;
    }

    /// Starts a stopped service where it served before.
    pub async fn start_again(&self, service: Service) {
        self.tasks().start_again(service).await;
        self.ready(service).await;
    }

    /// The services' processes: of each service its first instance.
    pub fn processes(&self) -> &Processes {
        &self.instances()[0]
    }

    /// The instances of the services: each holds one of every service.
    pub fn instances(&self) -> &[Processes] {
        match &self.members {
            Some(Members::Processes(instances)) => instances,
            _ => panic!("only a fleet of processes has some"),
        }
    }

    fn tasks(&self) -> &Tasks {
        match &self.members {
            Some(Members::Tasks(tasks)) => tasks,
            _ => panic!("only tasks can be stopped and started again"),
        }
    }

    /// Waits until the service can serve.
    pub async fn ready(&self, service: Service) {
        let url = format!("{}/readyz", self.url(service));
        eventually(async || {
            if let Some(Members::Tasks(tasks)) = &self.members
                && tasks.has_ended(service)
            {
                tasks.stop(service).await; // panics with the reason
            }
            let answer = self.http.get(&url).send().await.map_err(|error| error.to_string())?;
            match answer.status().as_u16() {
                200 => Ok(()),
                status => Err(format!("{service:?}: {status} {:?}", answer.text().await)),
            }
        })
        .await;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let members = self.members.take().expect("a fleet is dropped once");
        if std::thread::panicking() {
            return match members {
                Members::Tasks(tasks) => tasks.abandon(),
                Members::Processes(instances) => drop(instances),
            };
        }
        let (url, checked) = (self.bed.database_url().to_owned(), self.checked);
        let checks = async move {
            if checked {
                consistency::at_rest(&url).await;
            }
        };
        // The test's own runtime forbids to wait here, so another thread does.
        let end = std::thread::spawn(move || match members {
            Members::Tasks(tasks) => tasks.end(checks),
            Members::Processes(instances) => processes::end(instances, checks),
        });
        if let Err(panic) = end.join() {
            resume_unwind(panic);
        }
    }
}
