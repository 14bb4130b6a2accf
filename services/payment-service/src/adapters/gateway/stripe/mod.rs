//! Stripe: a PaymentIntent for each booking, confirmed once for each attempt.
//!
//! Guarantees: an intent is confirmed only once its name is stored, so one that is unknown here holds no money
//! and never will. Each question begins with the intent as it is now: a key that Stripe has forgotten, after 24
//! hours, charges nothing twice.
//!
//! Eight calls on the HTTP client that fetches token keys, with small structs: async-stripe, whose 1.0 is a
//! release candidate, would bring some hundred thousand generated lines and another TLS set-up for them.

mod amounts;
mod api;
mod outcomes;
mod pace;
mod refunds;
mod webhooks;

use std::{collections::HashSet, fmt::Display, time::Duration};

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_kernel::{BookingId, Currency, Money, Timestamp};
use karcis_process::chain;
use tokio::time::timeout;

use self::{
    amounts::{in_minor_units, of_minor_units},
    api::{Api, ApiError, BOOKING, CHARGE_KEY, IntentStatus, REFUND_KEY, Refusal},
    outcomes::{captured_by, decline, is_begun, outcome},
};
use super::signature::verify;
use crate::{
    adapters::postgres::{IntentReferences, Reference},
    application::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund, WrongSignature},
    domain::{Decline, DeclineKind, Outcome, RefundOutcome},
};

/// The header of a webhook that has its signature.
const SIGNATURE: &str = "Stripe-Signature";
/// How the name of every method begins.
const TOKEN: &str = "pm_";
/// Longer names are none of Stripe's.
const MAX_TOKEN_BYTES: usize = 255;

const METHODS: &[Method] = &[Method {
    token: TOKEN,
    label: "Stripe",
    about: "the id of a PaymentMethod that Stripe's Elements have made of what the buyer enters, pm_…",
}];

/// What the adapter is told by the configuration.
pub(super) struct Settings {
    /// Stripe's address, without a path.
    pub api: String,
    pub key: String,
    /// Where Stripe sends buyers who have done what their bank wants.
    pub return_url: String,
    /// What webhooks are signed with.
    pub secrets: Vec<String>,
    /// How long a caller waits for an answer.
    pub timeout: Duration,
}

/// Stripe.
pub(super) struct StripeGateway {
    api: Api,
    intents: IntentReferences,
    settings: Settings,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("Stripe has not answered within {0:?}")]
    TooSlow(Duration),
}

impl StripeGateway {
    /// With the names of intents in `pool`'s schema.
    pub(super) fn new(settings: Settings, pool: Pool) -> Self {
        let api = Api::new(&settings.api, &settings.key);
        Self { api, intents: IntentReferences(pool), settings }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = self.settings.timeout;
        timeout(limit, work).await.unwrap_or(Err(Failure::TooSlow(limit)))
    }

    async fn try_charge(&self, charge: &Charge) -> Result<Outcome, Failure> {
        let intent = match self.intent_of(charge).await? {
            Ok(Reference::Intent(intent)) => intent,
            Ok(Reference::Voided) => return Ok(Outcome::Voided),
            Err(refused) => return Ok(Outcome::Declined(refused)),
        };
        let now = self.api.retrieve(&intent).await?;
        if let Some(outcome) = outcome(&now, charge) {
            return Ok(outcome);
        }
        if !is_begun(&now, charge) {
            // Also clears the error of the attempt before.
            let form = [(&*format!("metadata[{CHARGE_KEY}]"), charge.key.as_str())];
            self.api.update(&intent, &form).await?;
        }
        let form = [
            ("payment_method", charge.method.as_str()),
            ("return_url", self.settings.return_url.as_str()),
        ];
        match self.api.confirm(&intent, &charge.key, &form).await {
            Ok(confirmed) => Ok(outcome(&confirmed, charge).unwrap_or(Outcome::Unknown)),
            Err(ApiError::Refused(refusal)) => {
                let now = self.api.retrieve(&intent).await?;
                Ok(outcome(&now, charge).unwrap_or_else(|| not_tried(&refusal)))
            }
            Err(unknown) => Err(unknown.into()),
        }
    }

    /// What is known of the booking's intent, which is made now if nothing is; or why Stripe makes none. Its key
    /// is the booking's, so what a crash leaves unknown is found again.
    async fn intent_of(&self, charge: &Charge) -> Result<Result<Reference, Decline>, Failure> {
        if let Some(known) = self.intents.find(charge.intent).await? {
            return Ok(Ok(known));
        }
        let Some(amount) = in_minor_units(charge.amount) else {
            let code = "amount_too_large".to_owned();
            return Ok(Err(Decline { kind: DeclineKind::Hard, code }));
        };
        let form = [
            ("amount", &*amount.to_string()),
            ("currency", &*charge.amount.currency.as_str().to_lowercase()),
            ("automatic_payment_methods[enabled]", "true"),
            ("capture_method", "automatic"),
            (&*format!("metadata[{BOOKING}]"), &*charge.intent.to_string()),
        ];
        match self.api.create(&format!("intent/{}", charge.intent), &form).await {
            Ok(intent) => Ok(Ok(self.intents.keep(charge.intent, Some(&intent)).await?)),
            Err(ApiError::Refused(refusal)) => {
                tracing::warn!(?refusal, "Stripe refuses an intent");
                Ok(Err(decline(&refusal)))
            }
            Err(unknown) => Err(unknown.into()),
        }
    }

    async fn try_void(&self, booking: BookingId) -> Result<Outcome, Failure> {
        let known = match self.intents.find(booking).await? {
            Some(known) => known,
            None => self.intents.keep(booking, None).await?,
        };
        let Reference::Intent(intent) = known else { return Ok(Outcome::Voided) };
        let after = match self.api.cancel(&intent).await {
            // It is over already, or cannot be cancelled at this moment.
            Err(ApiError::Refused(_)) => self.api.retrieve(&intent).await?,
            cancelled => cancelled?,
        };
        Ok(match after.status {
            IntentStatus::Canceled => Outcome::Voided,
            IntentStatus::Succeeded => {
                after.latest_charge.as_ref().map_or(Outcome::Unknown, captured_by)
            }
            _ => Outcome::Unknown,
        })
    }

    async fn try_refund(&self, refund: &Refund) -> Result<RefundOutcome, Failure> {
        let known = self.intents.find(refund.intent).await?;
        let (Some(Reference::Intent(intent)), Some(amount)) =
            (known, in_minor_units(refund.amount))
        else {
            // A restored database may have forgotten it: somebody has to look.
            return Ok(RefundOutcome::Refused { reason: "intent_unknown".to_owned() });
        };
        let standing = |refunds: &[api::Refund]| refunds::standing(refunds, &refund.key, amount);
        self.api.background.turn().await;
        if let Some(outcome) = standing(&self.api.list("/v1/refunds", &intent).await?) {
            return Ok(outcome);
        }
        let form = [
            ("payment_intent", intent.as_str()),
            ("amount", &*amount.to_string()),
            (&*format!("metadata[{BOOKING}]"), &*refund.intent.to_string()),
            (&*format!("metadata[{REFUND_KEY}]"), refund.key.as_str()),
        ];
        self.api.background.turn().await;
        match self.api.refund(&refund.key, &form).await {
            Ok(begun) => Ok(standing(&[begun]).unwrap_or(RefundOutcome::Pending)),
            // What came in between is found when it is asked again.
            Err(ApiError::Refused(refusal)) if !refusal.is("charge_already_refunded") => {
                let reason = refusal.code.or(refusal.message);
                Ok(RefundOutcome::Refused { reason: reason.unwrap_or(refusal.kind) })
            }
            Err(unknown) => Err(unknown.into()),
        }
    }

    async fn try_refunded(&self, booking: BookingId, currency: Currency) -> Result<Money, Failure> {
        let Some(Reference::Intent(intent)) = self.intents.find(booking).await? else {
            return Ok(Money::zero(currency));
        };
        self.api.background.turn().await;
        let refunds: Vec<api::Refund> = self.api.list("/v1/refunds", &intent).await?;
        Ok(of_minor_units(refunds::done(&refunds), currency))
    }

    async fn try_captures(&self, booking: BookingId) -> Result<HashSet<String>, Failure> {
        let Some(Reference::Intent(intent)) = self.intents.find(booking).await? else {
            return Ok(HashSet::new());
        };
        let charges: Vec<api::Charge> = self.api.list("/v1/charges", &intent).await?;
        let captured = charges.into_iter().filter(|it| it.captured && it.status == "succeeded");
        Ok(captured.filter_map(|mut charge| charge.metadata.remove(CHARGE_KEY)).collect())
    }
}

/// What a refusal says of an intent that shows no try: the method is none that could be tried, or the intent has
/// just changed.
fn not_tried(refusal: &Refusal) -> Outcome {
    if refusal.is("payment_intent_unexpected_state") {
        return Outcome::Unknown;
    }
    tracing::warn!(?refusal, "Stripe refuses a charge");
    Outcome::Declined(decline(refusal))
}

fn unknown(error: impl Display) -> Outcome {
    tracing::warn!(%error, "Stripe gives no definite answer");
    Outcome::Unknown
}

fn unavailable(failure: Failure) -> ProviderUnavailable {
    ProviderUnavailable(chain(&failure))
}

#[async_trait]
impl PaymentGateway for StripeGateway {
    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn accepts(&self, token: &str) -> bool {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let name = token.strip_prefix(TOKEN).filter(|_| token.len() <= MAX_TOKEN_BYTES);
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_word))
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        let charged = self.in_time(self.try_charge(&charge)).await;
        charged.unwrap_or_else(|failure| unknown(chain(&failure)))
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        let voided = self.in_time(self.try_void(intent)).await;
        voided.unwrap_or_else(|failure| unknown(chain(&failure)))
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        self.in_time(self.try_refund(&refund)).await.map_err(unavailable)
    }

    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable> {
        self.in_time(self.try_captures(intent)).await.map_err(unavailable)
    }

    async fn refunded(
        &self,
        intent: BookingId,
        currency: Currency,
    ) -> Result<Money, ProviderUnavailable> {
        self.in_time(self.try_refunded(intent, currency)).await.map_err(unavailable)
    }

    fn read_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<BookingId>, WrongSignature> {
        let signature = header(SIGNATURE).ok_or(WrongSignature::Missing)?;
        verify(&signature, &self.settings.secrets, body, now)?;
        Ok(webhooks::booking(body))
    }
}

#[cfg(test)]
mod tests {
    use karcis_schemas::PAYMENTS;
    use karcis_testkit::{STRIPE_KEY, StripeDouble, TestEnvironment};

    use super::*;
    use crate::application::provider_tests::{self, TestMethods, TestedProvider};

    struct OnDouble {
        gateway: StripeGateway,
        stripe: StripeDouble,
        _environment: TestEnvironment,
    }

    async fn provider() -> OnDouble {
        let (environment, stripe) = (TestEnvironment::start().await, StripeDouble::start().await);
        let url = environment.role_url(PAYMENTS);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 4).await.expect("a database");
        let settings = Settings {
            api: stripe.url.clone(),
            key: STRIPE_KEY.to_owned(),
            return_url: "https://shop.example/paid".to_owned(),
            secrets: vec![],
            timeout: Duration::from_secs(60),
        };
        let gateway = StripeGateway::new(settings, pool);
        OnDouble { gateway, stripe, _environment: environment }
    }

    #[async_trait]
    impl TestedProvider for OnDouble {
        fn gateway(&self) -> &dyn PaymentGateway {
            &self.gateway
        }

        fn methods(&self) -> TestMethods {
            TestMethods {
                approved: "pm_card_visa",
                insufficient_funds: "pm_card_visa_chargeDeclinedInsufficientFunds",
                stolen_card: "pm_card_visa_chargeDeclinedStolenCard",
                action_required: "pm_card_authenticationRequired",
                answer_lost: "pm_answer_lost",
                never_arrives: "pm_never_arrives",
                refund_pending: "pm_card_pendingRefund",
                refund_refused: "pm_card_refundFail",
            }
        }

        async fn buyer_acts(&self, intent: BookingId, approves: bool) {
            self.stripe.buyer_acts(intent, approves);
        }

        async fn refunds_are_done(&self, intent: BookingId) {
            self.stripe.refunds_are_done(intent);
        }
    }

    #[tokio::test]
    async fn an_intent_captures_once() {
        provider_tests::an_intent_captures_once(&provider().await).await;
    }

    #[tokio::test]
    async fn a_declined_charge_can_be_followed_by_another() {
        let provider = provider().await;
        provider_tests::a_declined_charge_can_be_followed_by_another(&provider).await;
        let pages = provider.stripe.calls("GET", "/v1/charges");
        assert_eq!(pages, 3, "the second list of charges has two");
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

    #[tokio::test]
    async fn methods_are_named_as_stripe_names_them() {
        let provider = provider().await;
        let long = format!("pm_{}", "a".repeat(253));
        for token in ["", "pm_", "tok_approved", "pm_a b", "pm_a&amount=1", "pm_é", &long] {
            assert!(!provider.gateway.accepts(token), "{token}");
        }
        assert!(provider.gateway.accepts("pm_1QK2x3LkdIwHu7ixABCDEFGH"));
    }
}
