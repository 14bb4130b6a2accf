//! payment-service with booking-service played by the test: it sends commands and reads facts.

use std::time::Duration;

use clap::Parser;
use karcis_contracts::{CancelPayment, Message, PaymentFact, RefundPayment, RequestPayment};
use karcis_database::{DatabaseConfig, connect};
use karcis_kernel::{BookingId, Currency, Money, Role, UserId};
use karcis_messaging::{Outbox, Outgoing};
use karcis_payment_service::{Config, run};
use karcis_process::{CancellationToken, Process, now};
use karcis_schemas::{self as schemas, SIMULATED_GATEWAY};
use karcis_testkit::{Ledger, TestEnvironment, TokenMint, eventually};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use tokio::{runtime::Runtime, task::JoinHandle};
use uuid::Uuid;

use crate::inbox::Facts;

/// What every payment of these tests asks for.
pub(crate) const PRICE: i64 = 750_000;

/// Waits for the bank on a slow machine too, so that what is approved at once is never answered
/// with "processing".
const PATIENT: [&str; 4] = ["--provider-wait-ms", "600000", "--provider-timeout-ms", "600000"];

/// Waits only briefly for the bank, and never asks it again while a test runs: for a bank that
/// thinks.
pub(crate) const HASTY: [&str; 4] =
    ["--provider-wait-ms", "200", "--provider-timeout-ms", "600000"];

/// A payment-service, and the test in booking-service's place.
pub(crate) struct TestApp {
    pub bed: TestEnvironment,
    mint: TokenMint,
    outbox: Outbox,
    outbox_pool: PgPool,
    facts: Facts,
    stopping: CancellationToken,
    client: reqwest::Client,
    services: Vec<Service>,
}

/// A running service, in a runtime of its own so that it can be killed.
struct Service {
    url: String,
    stopping: CancellationToken,
    task: JoinHandle<Result<(), String>>,
    runtime: Option<Runtime>,
}

/// A buyer with a payment that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Buyer {
    pub user: UserId,
    pub booking: BookingId,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl TestApp {
    /// With a service running that waits for the bank as long as it takes.
    pub(crate) async fn open() -> Self {
        Self::open_with(&PATIENT).await
    }

    /// With a service running that has these flags.
    pub(crate) async fn open_with(flags: &[&str]) -> Self {
        let mut app = Self::closed().await;
        app.start_with(flags).await;
        app
    }

    /// Without a service.
    pub(crate) async fn closed() -> Self {
        let bed = TestEnvironment::start().await;
        // Else no bank could think for longer than 5 s.
        let database = bed.database_url().rsplit('/').next().unwrap();
        let wait = format!(
            "ALTER ROLE {} IN DATABASE {database} SET lock_timeout = 0",
            SIMULATED_GATEWAY.role
        );
        sqlx::query(AssertSqlSafe(wait)).execute(bed.superuser()).await.unwrap();
        let outbox_pool = connect(&DatabaseConfig {
            database_url: bed.role_url(schemas::BOOKINGS),
            database_connections: 4,
        })
        .await
        .unwrap();
        let outbox = Outbox::new(outbox_pool.clone(), "booking-service");
        let stopping = CancellationToken::new();
        tokio::spawn(outbox.clone().relay(bed.kafka().clone(), stopping.clone()));
        let facts = Facts::default();
        let reading = bed.kafka().clone().consume(
            "test",
            outbox_pool.clone(),
            facts.clone(),
            stopping.clone(),
        );
        tokio::spawn(reading);
        let mint = TokenMint::start().await;
        let client = reqwest::Client::new();
        Self { bed, mint, outbox, outbox_pool, facts, stopping, client, services: Vec::new() }
    }

    /// Starts an instance of the service and waits until it can serve; calls go to the newest.
    pub(crate) async fn start(&mut self) {
        self.start_with(&PATIENT).await;
    }

    /// As [`Self::start`], with these flags.
    pub(crate) async fn start_with(&mut self, more_flags: &[&str]) {
        let mut flags = vec!["payment-service".to_owned()];
        flags.extend(self.bed.flags(schemas::PAYMENTS));
        flags.extend(["--jwks-url".to_owned(), self.mint.jwks_url().to_owned()]);
        flags.extend(["--instance".to_owned(), self.services.len().to_string()]);
        let ledger = self.bed.role_url(SIMULATED_GATEWAY);
        flags.extend(["--gateway".to_owned(), "simulated".to_owned()]);
        flags.extend(["--gateway-database-url".to_owned(), ledger]);
        flags.extend(more_flags.iter().map(|flag| (*flag).to_owned()));
        let config = Config::try_parse_from(flags).unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stopping = CancellationToken::new();
        let process_stopping = stopping.clone();
        let task = runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let process = Process::embedded(process_stopping);
            run(config, listener, process).await.map_err(|error| error.to_string())
        });
        let ready = format!("{url}/readyz");
        eventually(|| async { self.client.get(&ready).send().await?.error_for_status() }).await;
        self.services.push(Service { url, stopping, task, runtime: Some(runtime) });
    }

    /// Stops the newest instance in order.
    pub(crate) async fn stop(&mut self) {
        let mut service = self.services.pop().unwrap();
        service.stopping.cancel();
        (&mut service.task).await.unwrap().unwrap();
    }

    /// Ends the newest instance as kill -9 would: it finishes nothing.
    pub(crate) fn kill(&mut self) {
        drop(self.services.pop().unwrap());
    }

    /// Sends a command as booking-service does.
    pub(crate) async fn send(&self, command: impl Into<karcis_contracts::PaymentCommand>) {
        self.send_all(vec![command.into()]).await;
    }

    pub(crate) async fn send_all(&self, commands: Vec<karcis_contracts::PaymentCommand>) {
        let messages: Vec<Outgoing> = commands.iter().map(Outgoing::new).collect();
        let mut transaction = self.outbox_pool.begin().await.unwrap();
        self.outbox.insert(&mut transaction, &messages).await.unwrap();
        transaction.commit().await.unwrap();
        self.outbox.notify();
    }

    /// A buyer whose payment is open.
    pub(crate) async fn buyer(&self) -> Buyer {
        let buyer = Buyer::new();
        self.send(buyer.request()).await;
        self.told_at_least(buyer, &["Requested"]).await;
        buyer
    }

    /// The bank thinks about every charge, and answers none, until this transaction ends.
    pub(crate) async fn bank_thinks(&self) -> Transaction<'static, Postgres> {
        let mut thinking = self.bed.superuser().begin().await.unwrap();
        let lock = "LOCK TABLE simulated_gateway.charge IN EXCLUSIVE MODE";
        sqlx::query(lock).execute(&mut *thinking).await.unwrap();
        thinking
    }

    /// This buyer does what the bank waits for.
    pub(crate) async fn approves(&self, buyer: Buyer) {
        let approve = "UPDATE simulated_gateway.charge SET approved = true WHERE intent = $1";
        let approve = sqlx::query(approve).bind(buyer.booking.0);
        let approved = approve.execute(self.bed.superuser()).await.unwrap();
        assert_eq!(approved.rows_affected(), 1);
    }

    /// The value of a counter of the newest instance, all its labels together.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let metrics = self.get("/metrics").send().await.unwrap().text().await.unwrap();
        let counters = metrics.lines().filter(|line| line.starts_with(name));
        counters.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    }

    /// Waits until the facts of this buyer's payment are these.
    pub(crate) async fn told(&self, buyer: Buyer, facts: &[&str]) {
        eventually(async || self.kinds(buyer)).is(facts.to_vec()).await;
    }

    /// The same where a command may be taken, and a fact be sent, twice in a row: when an instance
    /// dies or comes, or its connections break.
    pub(crate) async fn told_at_least(&self, buyer: Buyer, facts: &[&str]) {
        let told = async || {
            let mut kinds = self.kinds(buyer);
            kinds.dedup();
            kinds
        };
        eventually(told).is(facts.to_vec()).await;
    }

    /// The types of this payment's facts so far, such as `Succeeded`.
    pub(crate) fn kinds(&self, buyer: Buyer) -> Vec<&'static str> {
        let facts = self.facts(buyer);
        facts
            .iter()
            .map(|fact| {
                let kind = fact.kind().strip_prefix("karcis.").unwrap();
                let kind = kind.strip_prefix("Payment").unwrap_or(kind);
                kind.strip_suffix(".v1").unwrap()
            })
            .collect()
    }

    /// The facts of this buyer's payment so far, in their order.
    pub(crate) fn facts(&self, buyer: Buyer) -> Vec<PaymentFact> {
        self.facts.of(buyer.booking)
    }

    /// What the provider's ledger says of this buyer.
    pub(crate) async fn ledger(&self, buyer: Buyer) -> Ledger {
        let read = sqlx::query_as(
            "SELECT (SELECT count(*) FROM simulated_gateway.charge WHERE intent = $1
                         AND answer = 'captured'),
                    (SELECT coalesce(sum(amount), 0)::bigint FROM simulated_gateway.charge
                     WHERE intent = $1 AND answer = 'captured'),
                    (SELECT count(*) FROM simulated_gateway.refund WHERE intent = $1),
                    (SELECT coalesce(sum(amount), 0)::bigint FROM simulated_gateway.refund
                     WHERE intent = $1)",
        );
        let read = read.bind(buyer.booking.0).fetch_one(self.bed.superuser()).await;
        let (captures, captured, refunds, refunded) = read.unwrap();
        Ledger { captures, captured, refunds, refunded }
    }

    pub(crate) async fn pay(&self, buyer: Buyer, method: &str) -> Answer {
        self.pay_with(buyer, method, None).await
    }

    pub(crate) async fn pay_with(&self, buyer: Buyer, method: &str, key: Option<&str>) -> Answer {
        self.pay_at(self.services.len() - 1, buyer, method, key).await
    }

    /// Pays at the instance that was started as number `instance`, from 0.
    pub(crate) async fn pay_at(
        &self,
        instance: usize,
        buyer: Buyer,
        method: &str,
        key: Option<&str>,
    ) -> Answer {
        let mut request = self
            .client
            .post(format!("{}/payment/process", self.services[instance].url))
            .bearer_auth(self.token(buyer))
            .json(&json!({"booking_id": buyer.booking, "method": method}));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// The payment as its buyer sees it. A 503 is repeated.
    pub(crate) async fn payment(&self, buyer: Buyer) -> Value {
        eventually(async || {
            let answer = self.see(buyer, buyer.user).await;
            match answer.status.as_u16() {
                200 => Ok(answer.body),
                503 => Err(answer.body),
                status => panic!("{status}: {}", answer.body),
            }
        })
        .await
    }

    /// What `user` sees of this buyer's payment.
    pub(crate) async fn see(&self, buyer: Buyer, user: UserId) -> Answer {
        let request = self
            .get(&format!("/payment/status?booking_id={}", buyer.booking))
            .bearer_auth(self.mint.token(user, Role::Buyer));
        Answer::of(request.send().await.unwrap()).await
    }

    /// Waits until the payment has this status.
    pub(crate) async fn becomes(&self, buyer: Buyer, status: &str) -> Value {
        eventually(async || self.payment(buyer).await["status"].clone()).is(json!(status)).await;
        self.payment(buyer).await
    }

    pub(crate) fn token(&self, buyer: Buyer) -> String {
        self.mint.token(buyer.user, Role::Buyer)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).timeout(Duration::from_secs(100))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.services.last().unwrap().url)
    }

    /// All messages of the service have been sent, and no message was dead-lettered.
    pub(crate) async fn is_clean(&self) {
        self.bed.all_sent(schemas::PAYMENTS).await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Buyer {
    /// A buyer nothing was asked of yet.
    pub(crate) fn new() -> Self {
        Self { user: UserId(Uuid::now_v7()), booking: BookingId(Uuid::now_v7()) }
    }

    pub(crate) fn request(self) -> RequestPayment {
        RequestPayment {
            booking_id: self.booking,
            user_id: self.user,
            amount: Money::new(PRICE, Currency::Idr),
            pay_by: now() + Duration::from_secs(900),
        }
    }

    pub(crate) fn cancel(self) -> CancelPayment {
        CancelPayment { booking_id: self.booking }
    }

    pub(crate) fn refund(self) -> RefundPayment {
        RefundPayment { booking_id: self.booking }
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }

    /// Asserts a problem of this status and slug.
    pub(crate) fn is_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["type"], format!("/problems/{slug}"), "{}", self.body);
    }

    /// Asserts a payment of this HTTP and payment status.
    pub(crate) fn is_payment(&self, http: u16, status: &str) {
        assert_eq!(self.status, http, "{}", self.body);
        assert_eq!(self.body["status"], status, "{}", self.body);
    }
}
