//! A provider that takes scripted tokens. Its ledger is durable and separate from the payments, as a
//! real provider's is: each can know what the other has lost.

mod ledger;
mod methods;
mod page;
mod refunds;
mod webhooks;

use std::{
    collections::HashSet,
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use async_trait::async_trait;
use karcis_database::{BatchLimits, Batcher, Pool, StoreError};
use karcis_kernel::{BookingId, Currency, Money, Timestamp};
use karcis_process::{chain, now};
use rand::RngExt;
use tokio::time::{sleep, timeout};

use self::{
    ledger::Standing,
    methods::{NEVER_ARRIVES, QR, VIRTUAL_ACCOUNT},
};
pub(super) use self::{page::pages, webhooks::work};
use super::{config::GatewayConfig, signature::verify};
use crate::{
    application::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund, WrongSignature},
    domain::{BuyerAction, NextAction, Outcome, RefundOutcome},
};

/// As for payments: each waiting buyer may wait for a call of the provider.
const LIMITS: BatchLimits = BatchLimits { capacity: 8_192, group: 512 };

/// Connections to the ledger: one for each batcher, one for reads and the page, one for what the provider
/// does by itself.
pub(super) const CONNECTIONS: u32 = 5;

/// The header of a webhook that has its signature.
const SIGNATURE: &str = "Karcis-Signature";

/// Where the provider sends its webhooks and shows its page, and what it signs with.
pub(in crate::adapters::gateway) struct Settings {
    webhook_url: String,
    page_url: String,
    /// At least one; the provider signs with the first.
    secrets: Vec<String>,
}

impl Settings {
    /// Of one that sends nothing and shows nothing.
    pub(super) fn none() -> Self {
        Self { webhook_url: String::new(), page_url: String::new(), secrets: vec![] }
    }

    /// What is not configured leads to where this service listens, with a secret that nobody knows.
    pub(super) fn new(
        config: &GatewayConfig,
        mut secrets: Vec<String>,
        listening: SocketAddr,
    ) -> Self {
        let ip = match listening.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let own = format!("http://{}", SocketAddr::new(ip, listening.port()));
        if secrets.is_empty() {
            let bits: [u64; 4] = rand::rng().random();
            secrets.push(bits.iter().map(|bits| format!("{bits:016x}")).collect());
        }
        let webhook_url = config.webhook_url.clone();
        let page_url = config.simulated_provider_url.clone();
        Self {
            webhook_url: webhook_url.unwrap_or_else(|| format!("{own}/payment/status")),
            page_url: page_url.unwrap_or(own),
            secrets,
        }
    }
}

/// The simulated provider.
pub(super) struct SimulatedGateway {
    charges: Batcher<Charge, Standing>,
    voids: Batcher<BookingId, Outcome>,
    refunds: Batcher<Refund, RefundOutcome>,
    pool: Pool,
    /// How long a caller waits for an answer.
    timeout: Duration,
    page_url: String,
    secrets: Vec<String>,
}

impl SimulatedGateway {
    /// With its ledger in `pool`'s schema; the outcome of a call that takes longer than `timeout` is
    /// unknown.
    pub(super) fn new(pool: &Pool, timeout: Duration, settings: &Settings) -> Self {
        Self {
            charges: batcher(pool, |pool, charges: Vec<Charge>| async move {
                ledger::charge(&pool, &charges, now()).await
            }),
            voids: batcher(pool, |pool, intents: Vec<BookingId>| async move {
                ledger::void(&pool, &intents, now()).await
            }),
            refunds: batcher(pool, |pool, refunds: Vec<Refund>| async move {
                refunds::refund(&pool, &refunds, now()).await
            }),
            pool: pool.clone(),
            timeout,
            page_url: settings.page_url.clone(),
            secrets: settings.secrets.clone(),
        }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ProviderUnavailable> {
        match timeout(self.timeout, work).await {
            Ok(answer) => answer.map_err(|error| ProviderUnavailable(chain(&error).to_string())),
            Err(elapsed) => Err(ProviderUnavailable(elapsed.to_string())),
        }
    }

    /// The charge's answer, once it is due.
    async fn answer(&self, charge: Charge) -> Outcome {
        loop {
            match self.charges.submit(charge.clone()).await {
                Ok(Standing::Answered(outcome)) => return outcome,
                Ok(Standing::Unapproved(expires_at)) => {
                    let action = self.action(&charge);
                    return Outcome::ActionRequired(NextAction { action, expires_at });
                }
                Ok(Standing::Due(at)) => sleep((at - now()).to_std().unwrap_or_default()).await,
                Err(error) => return unknown(&error),
            }
        }
    }

    /// What the buyer has to do for this charge.
    fn action(&self, charge: &Charge) -> BuyerAction {
        let page = || format!("{}{}{}", self.page_url, page::PATH, charge.intent);
        match charge.method.as_str() {
            VIRTUAL_ACCOUNT => BuyerAction::VirtualAccount { number: account(charge.intent) },
            QR => BuyerAction::Qr { text: page() },
            _ => BuyerAction::Redirect { url: page() },
        }
    }
}

/// The account to which a buyer transfers the money for this intent.
fn account(intent: BookingId) -> String {
    format!("8800{:012}", intent.0.as_u128() % 1_000_000_000_000)
}

/// A batcher whose groups are one call of the ledger, which is tried once more when it fails for a
/// moment: its keys make that harmless.
fn batcher<J, A, F>(
    pool: &Pool,
    call: impl Fn(Pool, Vec<J>) -> F + Copy + Send + Sync + 'static,
) -> Batcher<J, A>
where
    J: Clone + Send + Sync + 'static,
    A: Send + 'static,
    F: Future<Output = Result<Vec<A>, StoreError>> + Send + 'static,
{
    let pool = pool.clone();
    Batcher::start(LIMITS, move |jobs: Vec<J>| {
        let pool = pool.clone();
        async move {
            match call(pool.clone(), jobs.clone()).await {
                Err(StoreError::Unavailable(_) | StoreError::Contended(_)) => {
                    call(pool, jobs).await
                }
                answered => answered,
            }
        }
    })
}

fn unknown(error: &StoreError) -> Outcome {
    tracing::warn!(error = %chain(error), "the simulated provider does not answer");
    Outcome::Unknown
}

#[async_trait]
impl PaymentGateway for SimulatedGateway {
    fn methods(&self) -> &'static [Method] {
        methods::METHODS
    }

    fn accepts(&self, token: &str) -> bool {
        methods::METHODS.iter().any(|method| method.token == token)
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        if charge.method == NEVER_ARRIVES {
            return Outcome::Unknown;
        }
        let answer = timeout(self.timeout, self.answer(charge)).await;
        answer.unwrap_or(Outcome::Unknown)
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        match timeout(self.timeout, self.voids.submit(intent)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => unknown(&error),
            Err(_) => Outcome::Unknown,
        }
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        self.in_time(self.refunds.submit(refund)).await
    }

    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable> {
        let keys = self.in_time(ledger::captures(&self.pool, intent)).await?;
        Ok(keys.into_iter().collect())
    }

    async fn refunded(
        &self,
        intent: BookingId,
        currency: Currency,
    ) -> Result<Money, ProviderUnavailable> {
        let sum = self.in_time(refunds::refunded(&self.pool, intent, now())).await?;
        Ok(Money::new(sum, currency))
    }

    fn read_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<BookingId>, WrongSignature> {
        let signature = header(SIGNATURE).ok_or(WrongSignature::Missing)?;
        verify(&signature, &self.secrets, body, now)?;
        Ok(webhooks::intent(body))
    }
}

#[cfg(test)]
mod tests {
    use karcis_schemas::SIMULATED_GATEWAY;
    use karcis_testkit::TestEnvironment;

    use super::*;
    use crate::application::provider_tests::{self, TestMethods, TestedProvider};

    struct OnLedger {
        gateway: SimulatedGateway,
        environment: TestEnvironment,
    }

    async fn provider() -> OnLedger {
        let environment = TestEnvironment::start().await;
        let url = environment.role_url(SIMULATED_GATEWAY);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 5).await.expect("a database");
        let settings = Settings {
            webhook_url: "http://shop.example".to_owned(),
            page_url: "http://shop.example".to_owned(),
            secrets: vec![],
        };
        let gateway = SimulatedGateway::new(&pool, Duration::from_secs(60), &settings);
        OnLedger { gateway, environment }
    }

    #[async_trait]
    impl TestedProvider for OnLedger {
        fn gateway(&self) -> &dyn PaymentGateway {
            &self.gateway
        }

        fn methods(&self) -> TestMethods {
            TestMethods {
                approved: "tok_approved",
                insufficient_funds: "tok_insufficient_funds",
                stolen_card: "tok_stolen_card",
                action_required: "tok_action_required",
                answer_lost: "tok_answer_lost",
                never_arrives: "tok_never_arrives",
                refund_pending: "tok_refund_pending",
                refund_refused: "tok_refund_refused",
            }
        }

        async fn buyer_acts(&self, intent: BookingId, approves: bool) {
            let act = match approves {
                true => "UPDATE simulated_gateway.charge SET approved = true WHERE intent = $1",
                false => {
                    "UPDATE simulated_gateway.charge
                     SET answer = 'declined', decline_code = 'action_declined' WHERE intent = $1"
                }
            };
            let act = sqlx::query(act).bind(intent.0).execute(self.environment.superuser());
            act.await.expect("the ledger can be changed");
        }

        async fn refunds_are_done(&self, intent: BookingId) {
            let end = "UPDATE simulated_gateway.refund SET due_at = NULL WHERE intent = $1";
            let end = sqlx::query(end).bind(intent.0).execute(self.environment.superuser());
            end.await.expect("the ledger can be changed");
        }
    }

    #[tokio::test]
    async fn an_intent_captures_once() {
        provider_tests::an_intent_captures_once(&provider().await).await;
    }

    #[tokio::test]
    async fn a_declined_charge_can_be_followed_by_another() {
        provider_tests::a_declined_charge_can_be_followed_by_another(&provider().await).await;
    }

    #[tokio::test]
    async fn a_voided_intent_takes_no_money() {
        provider_tests::a_voided_intent_takes_no_money(&provider().await).await;
    }

    #[tokio::test]
    async fn a_charge_waits_for_its_buyer() {
        provider_tests::a_charge_waits_for_its_buyer(&provider().await).await;
    }

    #[tokio::test]
    async fn a_lost_answer_is_found() {
        provider_tests::a_lost_answer_is_found(&provider().await).await;
    }

    #[tokio::test]
    async fn money_goes_back_once() {
        provider_tests::money_goes_back_once(&provider().await).await;
    }
}
