//! The provider as payment-service reaches it: calls and answers may be lost, and calls may arrive late.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_kernel::{BookingId, Currency, Money, Timestamp};
use karcis_payment_service::{
    application::{
        Charge, Method, PaymentGateway, Payments, ProviderUnavailable, Refund, WrongSignature,
    },
    domain::{Outcome, RefundOutcome},
};
use karcis_process::timer::wait;

use super::Ports;
use crate::seeded::{
    broker::Group,
    faults::FaultKind,
    processes::INSTANCES,
    random::hash,
    world::{State, World, start},
};

/// How long a refund takes that is not done at once.
const REFUND_TIME: Duration = Duration::from_secs(20);

/// What becomes of a call.
enum Call {
    Answered,
    AnswerLost,
    NeverArrives,
    /// After this time.
    Late(Duration),
}

impl Ports {
    fn call(&self, state: &mut State, intent: BookingId) -> Call {
        let place = intent.0.as_u128() as u64;
        if state.faults.strikes(FaultKind::AnswerLost, place) {
            Call::AnswerLost
        } else if state.faults.strikes(FaultKind::NeverArrives, place) {
            Call::NeverArrives
        } else if state.faults.strikes(FaultKind::ExecutesLate, place) {
            Call::Late(Duration::from_millis(500 + state.faults.how_much(39_500)))
        } else {
            Call::Answered
        }
    }

    /// Asks the provider, who does `work`; `None`: nobody knows whether it was done.
    async fn ask<T: Send + 'static>(
        &self,
        intent: BookingId,
        what: &'static str,
        work: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Option<T> {
        self.about(Some(intent.0)).step().await;
        let answer = {
            let state = &mut *self.world.lock();
            let (call, name) = (self.call(state, intent), state.name(intent.0));
            match call {
                Call::Answered => {
                    state.tell(|| format!("the provider is asked to {what} for {name}"));
                    Some(done(state, intent, work))
                }
                Call::AnswerLost => {
                    done(state, intent, work);
                    state.tell(|| {
                        format!("the provider is asked to {what} for {name}; its answer is lost")
                    });
                    None
                }
                Call::NeverArrives => {
                    state.tell(|| format!("to {what} for {name} never arrives at the provider"));
                    None
                }
                Call::Late(after) => {
                    state.tell(|| {
                        let after = after.as_secs_f64();
                        format!(
                            "to {what} for {name} is under way to the provider for {after:.1} s"
                        )
                    });
                    let world = self.world.clone();
                    let late = Box::pin(async move {
                        wait(after).await;
                        let state = &mut *world.lock();
                        let name = state.name(intent.0);
                        state.tell(|| format!("the provider is asked to {what} for {name}, late"));
                        done(state, intent, work);
                    });
                    state.spawn(hash(&[13, intent.0.as_u128() as u64]), None, late);
                    None
                }
            }
        };
        self.about(Some(intent.0)).step().await;
        answer
    }
}

/// Captures money of an intent that is closed, of which a webhook tells. If that is lost, an operator has the
/// provider asked, as the ledgers differ.
async fn capture_late(world: Arc<World>, intent: BookingId, after: Duration) {
    wait(after).await;
    let is_told = {
        let state = &mut *world.lock();
        state.tables.provider.capture_late(intent);
        let name = state.name(intent.0);
        state.tell(|| format!("the provider captures money for {name}, late"));
        state.check(&[intent], None);
        let is_lost = state.faults.strikes(FaultKind::WebhookLost, intent.0.as_u128() as u64);
        if is_lost {
            state.tables.provider.never_tells_of(intent);
        }
        !is_lost
    };
    if is_told {
        send_webhook(world, intent).await;
    }
}

/// The buyer approves or declines what the provider waits for, of which a webhook tells unless it is lost: it
/// is asked anyway.
pub(crate) async fn act(world: Arc<World>, intent: BookingId, approves: bool) {
    let is_told = {
        let state = &mut *world.lock();
        let now = state.now(None);
        if !state.tables.provider.buyer_acts(intent, approves, now) {
            return;
        }
        let name = state.name(intent.0);
        let what = if approves { "approves" } else { "declines" };
        state.tell(|| format!("the buyer {what} the charge for {name}"));
        state.check(&[intent], None);
        !state.faults.strikes(FaultKind::WebhookLost, intent.0.as_u128() as u64)
    };
    if is_told {
        send_webhook(world, intent).await;
    }
}

/// What was to go back goes back, as [`act`] says it.
async fn end_refunds(world: Arc<World>, intent: BookingId) {
    wait(REFUND_TIME).await;
    let is_told = {
        let state = &mut *world.lock();
        if !state.tables.provider.end_refunds(intent) {
            return;
        }
        let name = state.name(intent.0);
        state.tell(|| format!("the provider has given back the money of {name}"));
        state.check(&[intent], None);
        !state.faults.strikes(FaultKind::WebhookLost, intent.0.as_u128() as u64)
    };
    if is_told {
        send_webhook(world, intent).await;
    }
}

/// Sends a webhook about the intent until it is taken.
async fn send_webhook(world: Arc<World>, intent: BookingId) {
    world.lock().tables.provider.add_webhook(intent);
    let mut instance = Group::Payment as usize * INSTANCES;
    while Ports::new(world.clone(), instance).ask_soon(intent, true).await.is_err() {
        wait(Duration::from_secs(1)).await;
        instance = Group::Payment as usize * INSTANCES + (instance + 1) % INSTANCES;
    }
    let state = &mut *world.lock();
    state.tables.provider.webhook_taken(intent);
    let name = state.name(intent.0);
    state.tell(|| format!("a webhook about {name} is taken"));
}

fn done<T>(state: &mut State, intent: BookingId, work: impl FnOnce(&mut State) -> T) -> T {
    let done = work(state);
    state.check(&[intent], None);
    done
}

#[async_trait]
impl PaymentGateway for Ports {
    fn methods(&self) -> &'static [Method] {
        &[]
    }

    fn accepts(&self, _token: &str) -> bool {
        true
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        let charged = self.ask(charge.intent, "charge", move |state| {
            let now = start() + karcis_process::timer::monotonic();
            state.tables.provider.charge(&charge, now)
        });
        charged.await.unwrap_or(Outcome::Unknown)
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        let world = self.world.clone();
        let voided = self.ask(intent, "void", move |state| {
            let outcome = state.tables.provider.void(intent);
            let place = intent.0.as_u128() as u64;
            if state.tables.provider.left_by(intent).is_some()
                && state.faults.strikes(FaultKind::CapturedAfterVoid, place)
            {
                // Mostly soon, while nobody knows yet that the intent is closed.
                let after = Duration::from_millis(state.faults.how_much(200).pow(2));
                let late = Box::pin(capture_late(world, intent, after));
                state.spawn(hash(&[19, place]), None, late);
            }
            outcome
        });
        voided.await.unwrap_or(Outcome::Unknown)
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        let intent = refund.intent;
        let world = self.world.clone();
        let refunded = self.ask(intent, "refund", move |state| {
            let outcome = state.tables.provider.refund(&refund);
            if outcome == RefundOutcome::Pending {
                let name = hash(&[23, intent.0.as_u128() as u64]);
                state.spawn(name, None, Box::pin(end_refunds(world, intent)));
            }
            outcome
        });
        refunded.await.ok_or_else(|| ProviderUnavailable("no answer".to_owned()))
    }

    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable> {
        let captured = self
            .ask(intent, "list captures", move |state| state.tables.provider.captured_by(intent));
        captured.await.ok_or_else(|| ProviderUnavailable("no answer".to_owned()))
    }

    async fn refunded(
        &self,
        intent: BookingId,
        currency: Currency,
    ) -> Result<Money, ProviderUnavailable> {
        let refunded = self.ask(intent, "list refunds", move |state| {
            Money::new(state.tables.provider.given_back(intent), currency)
        });
        refunded.await.ok_or_else(|| ProviderUnavailable("no answer".to_owned()))
    }

    fn read_webhook(
        &self,
        _header: &dyn Fn(&str) -> Option<String>,
        _body: &[u8],
        _now: Timestamp,
    ) -> Result<Option<BookingId>, WrongSignature> {
        Ok(None)
    }
}
