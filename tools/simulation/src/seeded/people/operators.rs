//! Operators: they look at what is stuck, unknown, dead-lettered or missing, think about it, and act on what they
//! saw, also if that has resolved itself meanwhile. They say of a payment what the provider's ledger says.

use std::{sync::Arc, time::Duration};

use karcis_booking_service::{
    application::{OperatorError, cancel_by_operator, resume_saga},
    domain::Stage,
};
use karcis_database::PrivilegedAct;
use karcis_kernel::{BookingId, UserId};
use karcis_payment_service::{
    application::{
        AskError, Charge, SettleError, Settling, Unsettled, UnsettledPayments, ask_again,
        settle_attempt,
    },
    domain::{AttemptId, Outcome, RefundKind, Settlement, is_refused},
};
use karcis_process::timer::wait;
use uuid::Uuid;

use super::requests::request;
use crate::seeded::{
    broker::Group,
    messages::Content,
    plan::OperatorPlan,
    ports::Ports,
    random::hash,
    world::{State, World},
};

/// What an operator refers to who has paid money back in another way.
pub(crate) const BY_HAND: &str = "by hand";
const LEDGER: &str = "the provider's ledger";
/// What has not changed for so long is looked at.
const OLD: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_secs(10);
const AT_A_TIME: u16 = 100;

/// What an operator is to do.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// An answer is missing for long.
    Resume(BookingId),
    /// Its buyer calls, and wants out.
    Cancel(BookingId),
    /// The provider left it open, and its ledger says this of it, or it went back by hand.
    Settle(BookingId, Settlement, Option<AttemptId>, &'static str),
    Ask(BookingId),
    /// The dead letter of this id, which is sent again or thrown away.
    DeadLetter(Group, u64, bool),
}

#[derive(Clone)]
struct Operator {
    world: Arc<World>,
    number: u64,
    /// One of two who do the same at the same time.
    colleague: u64,
}

/// Looks as often as the plan says, and does something about what there is.
pub(crate) async fn operate(world: Arc<World>, plan: OperatorPlan) {
    wait(plan.at).await;
    let number = plan.number;
    if plan.has_colleague {
        let colleague = Operator { world: world.clone(), number, colleague: 1 };
        let working = Box::pin(colleague.work(plan.clone()));
        world.spawn_person(hash(&[127, number]), working);
    }
    Operator { world, number, colleague: 0 }.work(plan).await;
}

/// Ends, again and again, what nobody but an operator ends.
pub(crate) async fn be_on_duty(world: Arc<World>) {
    let operator = Operator { world, number: 1_000, colleague: 0 };
    loop {
        wait(Duration::from_secs(30)).await;
        for act in operator.due().await {
            operator.perform(act).await;
        }
    }
}

impl Operator {
    async fn work(self, plan: OperatorPlan) {
        for look in 0..plan.looks {
            let mut acts = self.due().await;
            acts.extend(self.wanted(look));
            wait(plan.thinks).await;
            for (nth, act) in (0_u64..).zip(acts) {
                if plan.presses_twice {
                    let again = self.clone();
                    let pressing = Box::pin(async move { again.perform(act).await });
                    let name = hash(&[131, self.number, self.colleague, look.into(), nth]);
                    self.world.spawn_person(name, pressing);
                }
                self.perform(act).await;
            }
            wait(plan.pause).await;
        }
    }

    fn client(&self, number: u64) -> u64 {
        hash(&[113, self.number, self.colleague, number]) % (1 << 32)
    }

    /// What nobody but an operator ends, and attempts that the provider has left open.
    async fn due(&self) -> Vec<Act> {
        let listing = request(&self.world, Group::Payment, self.client(1), |ports: Ports| {
            Box::pin(async move {
                let before = ports.world.lock().now(Some(ports.instance)) - OLD;
                ports.unsettled(before, None, AT_A_TIME).await
            })
        });
        // Without an answer the operator looks later.
        let unsettled = listing.await.and_then(Result::ok).unwrap_or_default();
        let state = &*self.world.lock();
        let mut acts: Vec<Act> = state.unknown_money().map(Act::Ask).collect();
        acts.extend(unsettled.iter().filter_map(|open| settling(state, open)));
        let dead_letters = state.obstacles.dead_letters();
        acts.extend(dead_letters.filter_map(|(id, (group, message))| {
            let is_poison = matches!(message.content, Content::Poison(..));
            let is_mended = state.obstacles.are_mended(&state.faults, *group);
            (is_poison || is_mended).then_some(Act::DeadLetter(*group, id, !is_poison))
        }));
        acts
    }

    /// What this operator does about bookings that wait, and one whose buyer calls now and then.
    fn wanted(&self, look: u32) -> Vec<Act> {
        let state = &*self.world.lock();
        let now = state.now(None);
        let drawn = |id: BookingId| {
            let id = id.0.as_u128() as u64;
            hash(&[state.seed, 137, self.number, look.into(), id])
        };
        let acts = state.tables.bookings.all().filter_map(|booking| {
            let id = booking.order.id;
            let waits = booking.stuck.is_some()
                || booking.updated_at + OLD <= now && !booking.pending().is_empty();
            match drawn(id) % 64 {
                0 => Some(Act::Cancel(id)),
                1..4 if waits => Some(Act::Cancel(id)),
                4..16 if waits => Some(Act::Resume(id)),
                _ => None,
            }
        });
        acts.collect()
    }

    /// Does it, until that is answered.
    async fn perform(&self, act: Act) {
        for attempt in 0_u32.. {
            let is_answered = match act {
                Act::Resume(id) => self.resume(id).await,
                Act::Cancel(id) => self.cancel(id).await,
                Act::Settle(id, settlement, of, reference) => {
                    self.settle(id, settlement, of, reference).await
                }
                Act::Ask(id) => self.ask(id).await,
                Act::DeadLetter(group, id, is_sent) => {
                    self.end_dead_letter(group, id, is_sent).await
                }
            };
            if is_answered {
                return;
            }
            wait(Duration::from_millis(300 << attempt.min(6)).min(LONGEST)).await;
        }
    }

    fn act(&self, action: &'static str, id: BookingId, detail: Option<String>) -> PrivilegedAct {
        let actor = u128::from(1_000 + self.number * 2 + self.colleague);
        PrivilegedAct {
            actor: Some(UserId(Uuid::from_u128(actor))),
            action,
            subject: id.0,
            detail: detail.map(Into::into),
            reason: Some("the runbook says so".to_owned()),
        }
    }

    async fn resume(&self, id: BookingId) -> bool {
        let act = self.act("resume_saga", id, None);
        let resuming = request(&self.world, Group::Booking, self.client(2), |ports: Ports| {
            Box::pin(async move { resume_saga(&ports, ports.context(), id, act).await })
        });
        let answer = resuming.await;
        let state = &mut *self.world.lock();
        match answer {
            Some(Ok((booking, is_changed))) => {
                let has_ended = matches!(
                    booking.stage,
                    Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. }
                );
                state.acted(id, "resume", is_changed);
                if is_changed && has_ended {
                    state.violate(10, || "a booking that has ended is sent again".to_owned());
                }
            }
            Some(Err(OperatorError::Store(_))) | None => return false,
            Some(Err(error)) => state.violate(15, || format!("nothing is sent again: {error}")),
        }
        true
    }

    /// A booking whose cancel was accepted before is not changed by another.
    async fn cancel(&self, id: BookingId) -> bool {
        let act = self.act("cancel_booking", id, None);
        let was_accepted = self.world.lock().checks.is_cancel_accepted(id);
        let cancelling = request(&self.world, Group::Booking, self.client(3), |ports: Ports| {
            Box::pin(async move { cancel_by_operator(&ports, ports.context(), id, act).await })
        });
        let answer = cancelling.await;
        let state = &mut *self.world.lock();
        match answer {
            Some(Ok((_, is_changed))) => {
                state.acted(id, "cancel", is_changed);
                if was_accepted && is_changed {
                    state.violate(10, || "a repeated cancel changes something".to_owned());
                }
                state.checks.cancel_accepted(id);
                state.check(&[id], None);
            }
            Some(Err(OperatorError::Refused(why))) => {
                state.acted(id, "cancel", false);
                if was_accepted {
                    state.violate(10, || format!("a cancel is accepted, and then {why:?}"));
                }
            }
            Some(Err(OperatorError::Store(_))) | None => return false,
            Some(Err(OperatorError::NotFound)) => {
                state.violate(15, || "a booking that was shown is not found".to_owned());
            }
        }
        true
    }

    async fn settle(
        &self,
        booking_id: BookingId,
        settlement: Settlement,
        of: Option<AttemptId>,
        reference: &'static str,
    ) -> bool {
        let named = of.map(|id| format!(" of {}", id.0)).unwrap_or_default();
        let detail = format!("{}{named}, reference {reference}", settlement.as_str());
        let act = self.act("settle_payment", booking_id, Some(detail));
        if settlement == Settlement::AskAgain {
            self.world.lock().tables.provider.mend_refunds(booking_id);
        }
        let settling =
            Settling { booking_id, settlement, of, is_unanswered: false, act: act.clone() };
        let asking = request(&self.world, Group::Payment, self.client(4), |ports: Ports| {
            Box::pin(async move { settle_attempt(&ports, settling).await })
        });
        let answer = asking.await;
        let state = &mut *self.world.lock();
        let is_done = match answer {
            Some(Ok(_)) => true,
            Some(Err(SettleError::NothingOpen)) => false,
            Some(Err(SettleError::ProviderIsAsked | SettleError::Store(_))) | None => return false,
            Some(Err(SettleError::NotFound)) => {
                state.violate(15, || "a payment that was shown is not found".to_owned());
                return true;
            }
        };
        state.acted(booking_id, settlement.as_str(), is_done);
        let is_recorded = state.tables.payments.recorded(&act) > 0;
        // The provider may refuse again what it was asked for again.
        if is_recorded != is_done && settlement != Settlement::AskAgain || is_done && !is_recorded {
            state.violate(10, || format!("{act:?} is recorded: {is_recorded}, done: {is_done}"));
        }
        true
    }

    async fn ask(&self, id: BookingId) -> bool {
        let act = self.act("ask_provider", id, None);
        let asking = request(&self.world, Group::Payment, self.client(5), |ports: Ports| {
            Box::pin(async move { ask_again(&ports, id, act).await })
        });
        let answer = asking.await;
        let state = &mut *self.world.lock();
        match answer {
            Some(Ok(_)) => state.acted(id, "ask", true),
            Some(Err(AskError::Store(_))) | None => return false,
            Some(Err(error)) => state.violate(15, || format!("the provider is not asked: {error}")),
        }
        true
    }

    async fn end_dead_letter(&self, group: Group, id: u64, is_sent: bool) -> bool {
        let ending = request(&self.world, group, self.client(6), |ports: Ports| {
            Box::pin(async move { ports.end_dead_letter(id, is_sent).await })
        });
        let Some(Ok(is_done)) = ending.await else { return false };
        let what = if is_sent { "redrive" } else { "discard" };
        self.world.lock().count_act(what, is_done);
        true
    }
}

impl State {
    /// An operator is told what became of an act on a booking.
    fn acted(&mut self, id: BookingId, what: &'static str, is_done: bool) {
        let (name, answer) = (self.name(id.0), if is_done { "done" } else { "not needed" });
        self.tell(|| format!("an operator is told of {name}: {what} is {answer}"));
        self.count_act(what, is_done);
    }

    fn count_act(&mut self, what: &'static str, is_done: bool) {
        *self.acts.entry(if is_done { what } else { "too late" }).or_default() += 1;
    }
}

/// What the provider's ledger says of what it left open; `None`: it says nothing yet.
fn settling(state: &State, open: &Unsettled) -> Option<Act> {
    let (id, attempt) = (open.booking_id, AttemptId(open.attempt_id));
    let provider = &state.tables.provider;
    if open.what == "attempt" {
        let key = Charge::of(state.tables.payments.payment(id)?, attempt)?.key;
        let settlement = match provider.end_of(id, &key) {
            Some(Outcome::Approved) => Settlement::Approved,
            Some(Outcome::Declined(_)) => Settlement::Declined,
            Some(Outcome::Voided) => Settlement::Voided,
            _ => return Some(Act::Ask(id)),
        };
        return Some(Act::Settle(id, settlement, Some(attempt), LEDGER));
    }
    let of = (open.what == "reversal").then_some(attempt);
    if provider.given_back(id) > 0 {
        return Some(Act::Settle(id, Settlement::Refunded, of, LEDGER));
    }
    let payment = state.tables.payments.payment(id)?;
    let kind = of.map_or(RefundKind::Requested, RefundKind::Reversal);
    let drawn = hash(&[state.seed, 139, state.running.name, id.0.as_u128() as u64]);
    let (settlement, reference) = match drawn % 2 {
        0 => (Settlement::Refunded, BY_HAND),
        _ => (Settlement::AskAgain, LEDGER),
    };
    is_refused(payment, kind).then_some(Act::Settle(id, settlement, of, reference))
}
