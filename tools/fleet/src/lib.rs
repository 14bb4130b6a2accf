//! A whole fleet, driven from outside: its services as tasks or as processes, the people who use it,
//! a sale, and the check of the books.

// A test says by a panic what went wrong.
#![expect(clippy::unwrap_used, reason = "a fleet is for tests")]

mod books;
mod concert;
mod ledger;
mod person;
mod poison;
mod processes;
mod sale;
mod tasks;

use std::{
    collections::{BTreeMap, HashMap},
    panic::resume_unwind,
    path::Path,
    time::Duration,
};

use karcis_kernel::{BookingId, Role, UserId};
use karcis_schemas::{BOOKING, SERVICES, Service};
use karcis_testkit::{TestEnvironment, eventually, token, tokens};
use sqlx::PgPool;
use uuid::Uuid;

pub use books::{Violation, When, story, violations};
pub use concert::{Concert, ConcertPlan, Stock};
pub use karcis_testkit::Ledger;
pub use person::{Booking, FleetAnswer, Person};
pub use processes::{Processes, program};
pub use sale::{Bought, Sale, TIMEOUT, Tolerance};

use tasks::Tasks;

/// Where each service serves, such as `http://127.0.0.1:34567`, by its short name.
pub type Urls = HashMap<&'static str, String>;

/// What a fleet is started with.
#[derive(Default)]
pub struct FleetBuilder {
    flags: HashMap<&'static str, Vec<String>>,
    environment: Option<TestEnvironment>,
}

impl FleetBuilder {
    /// Passes a flag with its value to one service.
    pub fn flag(mut self, service: &'static Service, flag: &str, value: &str) -> Self {
        self.flags.entry(service.name).or_default().extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// How long buyers have to pay, such as `5s`.
    pub fn payment_window(self, window: &str) -> Self {
        self.flag(&BOOKING, "--payment-window", window)
    }

    /// On this environment in place of a new one.
    pub fn on(self, environment: TestEnvironment) -> Self {
        Self { environment: Some(environment), ..self }
    }

    /// Starts the services as tasks of this process and waits until each is ready.
    pub async fn start(self) -> Fleet {
        let environment = match self.environment {
            Some(environment) => environment,
            None => TestEnvironment::start().await,
        };
        publish_key_in(environment.superuser()).await;
        let (tasks, urls) = Tasks::start(&environment, &self.flags);
        let fleet = Fleet::new(environment, urls, Members::Tasks(tasks));
        for service in SERVICES {
            fleet.ready(service).await;
        }
        fleet
    }
}

/// All services, with people who use them. At its end every message must have been sent and none
/// dead-lettered, and all must agree on every booking that has ended, unless [`Fleet::unchecked`]
/// says otherwise.
pub struct Fleet {
    environment: TestEnvironment,
    http: reqwest::Client,
    urls: Urls,
    members: Option<Members>,
    /// How long the services may take to agree at the end; `None`: nothing is checked.
    checked_for: Option<Duration>,
    checked_as: When,
}

enum Members {
    Tasks(Tasks),
    Processes(Vec<Processes>),
}

impl Fleet {
    /// All services as they are by default.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// All services with settings of their own.
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// All services as processes of their own, with this in their environment, such as
    /// `("KARCIS_PAYMENT_WINDOW", "5s")`.
    pub async fn of_processes(variables: &[(&str, &str)]) -> Self {
        Self::of_instances(1, variables).await
    }

    /// So many instances of each service, as processes of their own. People go to the first unless
    /// [`Person::through`] says otherwise.
    pub async fn of_instances(count: usize, variables: &[(&str, &str)]) -> Self {
        Self::of_instances_on(TestEnvironment::start().await, count, variables).await
    }

    /// The same on this environment in place of a new one.
    pub async fn of_instances_on(
        environment: TestEnvironment,
        count: usize,
        variables: &[(&str, &str)],
    ) -> Self {
        Self::of_each(program("karcis"), environment, &vec![variables.to_vec(); count]).await
    }

    /// An instance of this `karcis` for each of these variables.
    pub async fn of_each(
        karcis: &Path,
        environment: TestEnvironment,
        variables: &[Vec<(&str, &str)>],
    ) -> Self {
        // The keys are read at the start, so the tables have to be there before.
        publish_key_in(environment.superuser()).await;
        let mut instances = Vec::new();
        for (number, variables) in variables.iter().enumerate() {
            let name = number.to_string();
            instances.push(Processes::start(karcis, &environment, &name, variables).await);
        }
        let urls = instances[0].urls().clone();
        Self::new(environment, urls, Members::Processes(instances))
    }

    fn new(environment: TestEnvironment, urls: Urls, members: Members) -> Self {
        Self {
            environment,
            http: reqwest::Client::new(),
            urls,
            members: Some(members),
            checked_for: Some(TIMEOUT),
            checked_as: When::Quiet,
        }
    }

    /// The database and topics they work on.
    pub fn environment(&self) -> &TestEnvironment {
        &self.environment
    }

    /// Where this service serves, such as `http://127.0.0.1:34567`.
    pub fn url(&self, service: &Service) -> &str {
        &self.urls[service.name]
    }

    /// Nothing is checked at the end of this test.
    pub fn unchecked(&mut self) {
        self.checked_for = None;
    }

    /// The services may take this long to agree at the end of this test.
    pub fn checked_for(&mut self, timeout: Duration) {
        self.checked_for = Some(timeout);
    }

    /// At its end no booking may be under way, nothing owed, and everybody told.
    pub fn checked_at_rest(&mut self) {
        self.checked_as = When::Rest;
    }

    /// A new person who books tickets.
    pub async fn buyer(&self, name: &str) -> Person {
        self.person(name, Role::Buyer)
    }

    /// A new person with this role and a token, whom user-service does not know.
    pub fn person(&self, name: &str, role: Role) -> Person {
        self.somebody(name, UserId(Uuid::now_v7()), role)
    }

    /// So many buyers.
    pub fn crowd(&self, size: usize) -> Vec<Person> {
        (1..=size).map(|number| self.person(&format!("buyer {number}"), Role::Buyer)).collect()
    }

    /// This user, with a new token for this role.
    pub fn somebody(&self, name: &str, user: UserId, role: Role) -> Person {
        self.bearer(name, user, token(user, role))
    }

    /// The person with this token.
    pub fn bearer(&self, name: &str, user: UserId, token: String) -> Person {
        Person::new(name, user, token, self.http.clone(), self.urls.clone())
    }

    /// A person who registers with an e-mail address and a password.
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
        concert::stock(self.environment.superuser(), concert.ticket_type(ticket)).await
    }

    /// How many bookings are in each stage of their saga.
    pub async fn stages(&self) -> BTreeMap<String, i64> {
        let count = "SELECT stage, count(*) FROM bookings.booking GROUP BY stage";
        // The database may be away for a moment, or go to another server: a test has killed it.
        let stages = async || sqlx::query_as(count).fetch_all(self.environment.superuser()).await;
        let stages: Vec<(String, i64)> = eventually(stages).await;
        stages.into_iter().collect()
    }

    /// What the provider's books say of a booking's money.
    pub async fn ledger(&self, booking: &Booking) -> Ledger {
        self.ledgers(&[booking.id]).await[0]
    }

    /// The same of many bookings, in their order.
    pub async fn ledgers(&self, bookings: &[BookingId]) -> Vec<Ledger> {
        ledger::ledgers(self.environment.superuser(), bookings).await
    }

    /// Waits until all messages are handled and all agree on what has ended.
    pub async fn adds_up(&self) {
        books::add_up(self.environment.database_url(), TIMEOUT, When::Quiet).await;
    }

    /// Stops one service in order.
    pub async fn stop(&self, service: &Service) {
        self.tasks().stop(service).await;
    }

    /// Starts a stopped service where it served before.
    pub async fn start_again(&self, service: &'static Service) {
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
    pub async fn ready(&self, service: &Service) {
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
                status => Err(format!("{}: {status} {:?}", service.name, answer.text().await)),
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
        let (url, checked_for) = (self.environment.database_url().to_owned(), self.checked_for);
        let checked_as = self.checked_as;
        let checks = async move {
            if let Some(timeout) = checked_for {
                books::add_up(&url, timeout, checked_as).await;
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

/// Makes the tests' key one of user-service's own, before it starts.
async fn publish_key_in(superuser: &PgPool) {
    sqlx::query("INSERT INTO users.signing_key (kid, private_key) VALUES ($1, $2)")
        .bind(tokens::KEY_ID)
        .bind(tokens::PRIVATE_KEY.as_slice())
        .execute(superuser)
        .await
        .expect("user-service keeps its keys in signing_key");
}
