//! payment-service with booking-service played by the test: it sends commands and reads facts.

use std::time::Duration;

use karcis_contracts::{
    CancelPayment, Message, PaymentCommand, PaymentFact, RefundPayment, RequestPayment,
};
use karcis_kernel::{BookingId, Currency, Money, Role, UserId};
use karcis_payment_service::run;
use karcis_process::now;
use karcis_schemas::{BOOKING, PAYMENT, PAYMENTS, SIMULATED_GATEWAY};
use karcis_testkit::{
    Answer, Ledger, LostCommits, Peer, RunningService, TestEnvironment, TokenMint, eventually,
    token,
};
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use uuid::Uuid;

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
    pub(crate) environment: TestEnvironment,
    mint: TokenMint,
    booking_service: Peer,
    client: Client,
    instances: Vec<RunningService>,
}

/// A buyer with a payment that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Buyer {
    pub user: UserId,
    pub booking: BookingId,
}

impl TestApp {
    /// With a service running that waits for the bank as long as it takes.
    pub(crate) async fn start() -> Self {
        Self::start_with(&PATIENT).await
    }

    /// With a service running that has these flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let mut app = Self::without_instance().await;
        app.start_instance_with(flags).await;
        app
    }

    /// Without a service.
    pub(crate) async fn without_instance() -> Self {
        Self::on(TestEnvironment::start().await).await
    }

    /// The same, with a proxy that can lose COMMITs of instances.
    pub(crate) async fn losing_commits() -> (Self, LostCommits) {
        let mut environment = TestEnvironment::start().await;
        let proxy = environment.losing_commits().await;
        (Self::on(environment).await, proxy)
    }

    async fn on(environment: TestEnvironment) -> Self {
        // Else no bank could think for longer than 5 s.
        let database = environment.database_url().rsplit('/').next().unwrap();
        let role = SIMULATED_GATEWAY.role;
        let wait = format!("ALTER ROLE {role} IN DATABASE {database} SET lock_timeout = 0");
        sqlx::query(AssertSqlSafe(wait)).execute(environment.superuser()).await.unwrap();
        let booking_service = Peer::start(&environment, &BOOKING, &[PaymentFact::TOPIC]).await;
        let (mint, client) = (TokenMint::start().await, Client::new());
        Self { environment, mint, booking_service, client, instances: Vec::new() }
    }

    /// Starts an instance of the service and waits until it can serve; calls go to the newest.
    pub(crate) async fn start_instance(&mut self) {
        self.start_instance_with(&PATIENT).await;
    }

    /// As [`Self::start_instance`], with these flags.
    pub(crate) async fn start_instance_with(&mut self, more_flags: &[&str]) {
        let number = self.instances.len().to_string();
        let flags = [&["--instance", number.as_str()], more_flags].concat();
        let jwks_url = self.mint.jwks_url();
        let instance = RunningService::start(&PAYMENT, &self.environment, jwks_url, &flags, run);
        self.instances.push(instance.await);
    }

    /// Stops it all; no message may be left unsent or dead-lettered.
    pub(crate) async fn stop(mut self) {
        self.environment.all_sent(PAYMENTS).await;
        while !self.instances.is_empty() {
            self.stop_instance().await;
        }
        self.booking_service.stop().await;
    }

    /// Stops the newest instance in order.
    pub(crate) async fn stop_instance(&mut self) {
        self.instances.pop().unwrap().stop().await;
    }

    /// Ends the newest instance as kill -9 would: it finishes nothing.
    pub(crate) fn kill(&mut self) {
        self.instances.pop().unwrap().kill();
    }

    /// Sends a command as booking-service does.
    pub(crate) async fn send(&self, command: impl Into<PaymentCommand>) {
        self.send_all(vec![command.into()]).await;
    }

    pub(crate) async fn send_all(&self, commands: Vec<PaymentCommand>) {
        self.booking_service.say(commands).await;
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
        let mut thinking = self.environment.superuser().begin().await.unwrap();
        let lock = "LOCK TABLE simulated_gateway.charge IN EXCLUSIVE MODE";
        sqlx::query(lock).execute(&mut *thinking).await.unwrap();
        thinking
    }

    /// This buyer does what the bank waits for.
    pub(crate) async fn approves(&self, buyer: Buyer) {
        let approve = "UPDATE simulated_gateway.charge SET approved = true WHERE intent = $1";
        let approve = sqlx::query(approve).bind(buyer.booking.0);
        let approved = approve.execute(self.environment.superuser()).await.unwrap();
        assert_eq!(approved.rows_affected(), 1);
    }

    /// The value of a metric of the newest instance, all its labels together.
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
        let mut facts = self.booking_service.heard::<PaymentFact>();
        facts.retain(|fact| fact.key() == buyer.booking.0);
        facts
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
        let read = read.bind(buyer.booking.0).fetch_one(self.environment.superuser()).await;
        let (captures, captured, refunds, refunded) = read.unwrap();
        Ledger { captures, captured, refunds, refunded }
    }

    pub(crate) async fn pay(&self, buyer: Buyer, method: &str) -> Answer {
        self.pay_with(buyer, method, None).await
    }

    pub(crate) async fn pay_with(&self, buyer: Buyer, method: &str, key: Option<&str>) -> Answer {
        self.pay_at(self.instances.len() - 1, buyer, method, key).await
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
            .post(format!("{}/payment/process", self.instances[instance].url))
            .bearer_auth(self.token(buyer))
            .json(&json!({"booking_id": buyer.booking, "method": method}));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Answer::to(request).await
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
            .bearer_auth(token(user, Role::Buyer));
        Answer::to(request).await
    }

    /// Waits until the payment has this status.
    pub(crate) async fn becomes(&self, buyer: Buyer, status: &str) -> Value {
        eventually(async || self.payment(buyer).await["status"].clone()).is(json!(status)).await;
        self.payment(buyer).await
    }

    pub(crate) fn token(&self, buyer: Buyer) -> String {
        token(buyer.user, Role::Buyer)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).timeout(Duration::from_secs(100))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.instances.last().unwrap().url)
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

/// What payment-service answers.
pub(crate) trait PaymentAnswer {
    /// Asserts a payment of this HTTP and payment status.
    fn shows_payment(self, http: u16, status: &str) -> Self;
    fn is_replayed(&self) -> bool;
}

impl PaymentAnswer for Answer {
    #[track_caller]
    fn shows_payment(self, http: u16, status: &str) -> Self {
        let answer = self.is(http);
        assert_eq!(answer.body["status"], status, "{}", answer.body);
        answer
    }

    fn is_replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }
}
