//! What every provider does, as functions that the tests of each call, with a provider without intents.

use async_trait::async_trait;
use karcis_kernel::{BookingId, Currency, Money};
use uuid::Uuid;

use super::ports::{Charge, PaymentGateway, Refund};
use crate::domain::{AttemptId, Decline, DeclineKind, Outcome, RefundOutcome};

/// The methods that tests of a provider pay with, as its tokens.
#[derive(Clone, Copy, Debug)]
pub struct TestMethods {
    pub approved: &'static str,
    pub insufficient_funds: &'static str,
    pub stolen_card: &'static str,
    /// Waits for the buyer.
    pub action_required: &'static str,
    /// Is approved, but nobody hears the first answer.
    pub answer_lost: &'static str,
    /// No charge with it arrives.
    pub never_arrives: &'static str,
    pub refund_pending: &'static str,
    pub refund_refused: &'static str,
}

/// A provider, with what its tests do in the place of others.
#[async_trait]
pub trait TestedProvider: Send + Sync {
    /// The provider itself.
    fn gateway(&self) -> &dyn PaymentGateway;

    /// What is paid with.
    fn methods(&self) -> TestMethods;

    /// The buyer does what the provider waits for, or refuses it.
    async fn buyer_acts(&self, intent: BookingId, approves: bool);

    /// The intent's pending refunds are done.
    async fn refunds_are_done(&self, intent: BookingId);
}

/// A provider whose intent number 1 is used.
struct Asked<'a> {
    provider: &'a dyn TestedProvider,
    intent: BookingId,
}

impl Asked<'_> {
    async fn charge(&self, number: u128, method: &str) -> Outcome {
        let gateway = self.provider.gateway();
        assert!(gateway.accepts(method), "{method}");
        let (key, method) = (key(number), method.to_owned());
        let amount = Money::new(750_000, Currency::Idr);
        let pay_by = "2030-01-01T12:00:00Z".parse().expect("a time");
        gateway.charge(Charge { key, intent: self.intent, amount, method, pay_by }).await
    }

    async fn void(&self) -> Outcome {
        self.provider.gateway().void(self.intent).await
    }

    async fn refund(&self, key: &str) -> RefundOutcome {
        let amount = Money::new(750_000, Currency::Idr);
        let refund = Refund { key: key.to_owned(), intent: self.intent, amount };
        self.provider.gateway().refund(refund).await.expect("the provider answers")
    }

    async fn has_given_back(&self, amount: i64) {
        let refunded = self.provider.gateway().refunded(self.intent, Currency::Idr).await;
        assert_eq!(refunded.expect("the provider answers"), Money::new(amount, Currency::Idr));
    }

    async fn has_captured(&self, numbers: &[u128]) {
        let captured = self.provider.gateway().captures(self.intent).await;
        let captured = captured.expect("the provider answers");
        assert_eq!(captured, numbers.iter().map(|number| key(*number)).collect());
    }
}

fn asked(provider: &dyn TestedProvider, number: u128) -> (Asked<'_>, TestMethods) {
    (Asked { provider, intent: BookingId(Uuid::from_u128(number)) }, provider.methods())
}

/// The key of the attempt with this number.
fn key(number: u128) -> String {
    format!("charge/{}", Uuid::from_u128(number))
}

fn captured(number: u128) -> Outcome {
    Outcome::AlreadyCaptured { by: Some(AttemptId(Uuid::from_u128(number))) }
}

fn declined(kind: DeclineKind, code: &str) -> Outcome {
    Outcome::Declined(Decline { kind, code: code.to_owned() })
}

/// A key is one charge, and an intent captures once.
pub async fn an_intent_captures_once(provider: &dyn TestedProvider) {
    let (intent, method) = asked(provider, 1);
    for _ in 0..3 {
        assert_eq!(intent.charge(1, method.approved).await, Outcome::Approved);
    }
    assert_eq!(intent.charge(2, method.approved).await, captured(1));
    assert_eq!(intent.void().await, captured(1));
    assert_eq!(intent.charge(1, method.approved).await, Outcome::Approved);
    intent.has_captured(&[1]).await;
    asked(provider, 2).0.has_captured(&[]).await;
}

/// A decline is the charge's outcome for good, and leaves the intent open.
pub async fn a_declined_charge_can_be_followed_by_another(provider: &dyn TestedProvider) {
    let (intent, method) = asked(provider, 1);
    let soft = declined(DeclineKind::Soft, "insufficient_funds");
    for _ in 0..2 {
        assert_eq!(intent.charge(1, method.insufficient_funds).await, soft);
    }
    let hard = declined(DeclineKind::Hard, "stolen_card");
    assert_eq!(intent.charge(2, method.stolen_card).await, hard);
    intent.has_captured(&[]).await;
    assert_eq!(intent.charge(3, method.approved).await, Outcome::Approved);
    intent.has_captured(&[3]).await;
}

/// A voided intent takes no money, also if nothing was charged before.
pub async fn a_voided_intent_takes_no_money(provider: &dyn TestedProvider) {
    let (untouched, method) = asked(provider, 1);
    for _ in 0..2 {
        assert_eq!(untouched.void().await, Outcome::Voided);
    }
    assert_eq!(untouched.charge(1, method.approved).await, Outcome::Voided);
    untouched.has_captured(&[]).await;

    let (tried, _) = asked(provider, 2);
    let soft = declined(DeclineKind::Soft, "insufficient_funds");
    assert_eq!(tried.charge(2, method.insufficient_funds).await, soft);
    assert_eq!(tried.void().await, Outcome::Voided);
    assert_eq!(tried.charge(3, method.approved).await, Outcome::Voided);
    tried.has_captured(&[]).await;
}

/// A charge waits for its buyer, who approves or refuses; it can be voided while it waits.
pub async fn a_charge_waits_for_its_buyer(provider: &dyn TestedProvider) {
    let (intent, method) = asked(provider, 1);
    let waiting = intent.charge(1, method.action_required).await;
    assert!(matches!(waiting, Outcome::ActionRequired(_)), "{waiting:?}");
    assert_eq!(intent.charge(1, method.action_required).await, waiting);
    provider.buyer_acts(intent.intent, true).await;
    let approved = intent.charge(1, method.action_required).await;
    assert_eq!(approved, Outcome::Approved);
    intent.has_captured(&[1]).await;

    let (refused, _) = asked(provider, 2);
    refused.charge(2, method.action_required).await;
    provider.buyer_acts(refused.intent, false).await;
    let outcome = refused.charge(2, method.action_required).await;
    let Outcome::Declined(decline) = outcome else { panic!("{outcome:?}") };
    assert_eq!(decline.kind, DeclineKind::Soft);
    assert_eq!(refused.charge(3, method.approved).await, Outcome::Approved);

    let (voided, _) = asked(provider, 3);
    voided.charge(4, method.action_required).await;
    assert_eq!(voided.void().await, Outcome::Voided);
    assert_eq!(voided.charge(4, method.action_required).await, Outcome::Voided);
    voided.has_captured(&[]).await;
}

/// What became of a charge without an answer is found with its key, or by voiding its intent.
pub async fn a_lost_answer_is_found(provider: &dyn TestedProvider) {
    let (asked_again, method) = asked(provider, 1);
    assert_eq!(asked_again.charge(1, method.answer_lost).await, Outcome::Unknown);
    assert_eq!(asked_again.charge(1, method.answer_lost).await, Outcome::Approved);
    asked_again.has_captured(&[1]).await;

    let (voided, _) = asked(provider, 2);
    assert_eq!(voided.charge(2, method.answer_lost).await, Outcome::Unknown);
    assert_eq!(voided.void().await, captured(2));
    voided.has_captured(&[2]).await;

    let (lost, _) = asked(provider, 3);
    for _ in 0..2 {
        assert_eq!(lost.charge(3, method.never_arrives).await, Outcome::Unknown);
    }
    assert_eq!(lost.void().await, Outcome::Voided);
    lost.has_captured(&[]).await;
}

/// Money goes back once per key, and the intent takes none after that.
pub async fn money_goes_back_once(provider: &dyn TestedProvider) {
    let (intent, method) = asked(provider, 1);
    intent.charge(1, method.approved).await;
    intent.has_given_back(0).await;
    for _ in 0..2 {
        assert_eq!(intent.refund("refund/1").await, RefundOutcome::Done);
    }
    intent.has_given_back(750_000).await;
    // Nobody gets a ticket for money that went back, whatever a restored database asks.
    for number in [1, 2] {
        assert_eq!(intent.charge(number, method.approved).await, Outcome::Voided);
    }
    assert_eq!(intent.void().await, Outcome::Voided);
    intent.has_captured(&[1]).await;

    let (slow, _) = asked(provider, 2);
    slow.charge(3, method.refund_pending).await;
    for _ in 0..2 {
        assert_eq!(slow.refund("refund/3").await, RefundOutcome::Pending);
    }
    slow.has_given_back(0).await;
    provider.refunds_are_done(slow.intent).await;
    assert_eq!(slow.refund("refund/3").await, RefundOutcome::Done);

    let (refused, _) = asked(provider, 3);
    refused.charge(4, method.refund_refused).await;
    for _ in 0..2 {
        let outcome = refused.refund("refund/4").await;
        assert!(matches!(outcome, RefundOutcome::Refused { .. }), "{outcome:?}");
    }
}
