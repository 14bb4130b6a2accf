//! Visits every world that can be reached, checks each, and lets each heal from the loss of all messages.

use std::collections::HashSet;

use karcis_booking_service::domain::{EventSnapshot, Input, Stage};
use karcis_payment_service::domain::{
    AttemptOutcome, DeclineKind, Outcome, PaymentRecord, RefundOutcome, State,
};

use super::{
    Rules, Scenario,
    invariants::{hold_code, is_end},
    messages::{Messages, REPLIES, command},
    participants::refunds,
    world::{Provider, Violation, World, require},
};

/// Rounds in which a world without messages must come to rest.
const ROUNDS: usize = 12;

/// What an exploration saw.
#[derive(Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many different worlds there are.
    pub worlds: usize,
    /// The stages that the booking was in.
    pub stages: Vec<&'static str>,
}

/// Visits every world of this scenario.
///
/// # Errors
/// The first rule that a world breaks, with that world.
pub fn explore(rules: &Rules, scenario: Scenario) -> Result<Explored, String> {
    let start = World::new(scenario);
    let mut seen = HashSet::from([key(&start)]);
    let mut healed = HashSet::new();
    let mut stages = HashSet::new();
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        let explain = |violation: Violation| format!("{violation} in {world:?}");
        stages.insert(world.booking.stage.name());
        world.check(scenario).map_err(explain)?;
        let silent = World { sent: Messages::default(), ..world.clone() };
        if healed.insert(key(&silent)) {
            silent.heal(rules, scenario).map_err(explain)?;
        }
        for next in world.next(rules, scenario).map_err(explain)? {
            world.check_step(&next).map_err(explain)?;
            if seen.insert(key(&next)) {
                open.push(next);
            }
        }
    }
    let mut stages: Vec<_> = stages.into_iter().collect();
    stages.sort_unstable();
    Ok(Explored { worlds: seen.len(), stages })
}

impl World {
    /// Without any help of the buyer, and with every message in flight lost: resends, the deadline,
    /// the announcement of a cancelled event and the provider's answers bring the booking to rest.
    fn heal(self, rules: &Rules, scenario: Scenario) -> Result<(), Violation> {
        let mut world = self;
        for _ in 0..ROUNDS {
            if world.is_at_rest() {
                world.check(scenario)?;
                return world.check_at_rest(scenario);
            }
            let pending = world.booking.pending();
            for command in pending.iter().filter_map(command) {
                world = world.with_command(rules, command)?;
            }
            world = world.answered_by_provider(rules)?;
            let sent = std::mem::take(&mut world.sent);
            for reply in sent.of(&REPLIES) {
                world = world.alone(rules, &world.input(reply)?)?;
            }
            if world.booking.due_at().is_some() {
                world = world.alone(rules, &Input::Due)?;
            }
            if world.is_event_cancelled() {
                world = world.alone(rules, &Input::EventCancelled)?;
            }
        }
        Err(format!("it never comes to rest, but to {world:?}"))
    }

    fn is_at_rest(&self) -> bool {
        let confirmed = matches!(self.booking.stage, Stage::Confirmed { .. });
        let over = is_end(&self.booking) || confirmed && !self.is_event_cancelled();
        over && !self.owes_refund()
    }

    /// The input, with what it sends lost.
    fn alone(&self, rules: &Rules, input: &Input) -> Result<Self, Violation> {
        let next = self.with_input(rules, input)?;
        Ok(Self { sent: Messages::default(), ..next })
    }

    /// Every attempt that is under way gets an answer, and every refund is done.
    fn answered_by_provider(self, rules: &Rules) -> Result<Self, Violation> {
        let mut world = self;
        if let Some(payment) = world.payment().cloned()
            && let State::Processing { cancel_wanted, .. } = payment.state
        {
            let number = payment.attempts.len() - 1;
            let captured = world.provider.captured & (1 << number) != 0;
            let voided = cancel_wanted && !captured;
            let outcome = if voided { Outcome::Voided } else { Outcome::Approved };
            world = world.with_outcome(rules, &payment, number, &outcome)?;
        }
        while let Some(payment) = world.payment().cloned()
            && let Some(kind) = refunds(&payment).into_iter().next()
        {
            world = world.with_refund(rules, &payment, kind, &RefundOutcome::Done)?;
            require(world.provider.net() >= 0, || "more money went back than came".to_owned())?;
        }
        Ok(world)
    }
}

/// What tells two worlds apart. What is the same in every world, or follows from the rest, is left
/// out; so is the payment's version.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    stage: (&'static str, u8),
    stuck: bool,
    holds: [u8; 2],
    is_event_cancelled: bool,
    payment: (u8, [u8; 3]),
    provider: Provider,
    sent: Messages,
    minted: u8,
    flags: [bool; 4],
}

fn key(world: &World) -> Key {
    let bits = match &world.booking.stage {
        Stage::Awaiting { payable, .. } => u8::from(*payable),
        Stage::Refunding { cause, released, refunded, .. } => {
            *cause as u8 * 4 + u8::from(*released) * 2 + u8::from(*refunded)
        }
        Stage::Releasing { cause, reservation } => {
            *cause as u8 * 4 + u8::from(reservation.is_some())
        }
        Stage::Cancelled { cause, refunded, reservation } => {
            *cause as u8 * 4 + u8::from(*refunded) * 2 + u8::from(reservation.is_some())
        }
        Stage::Rejected { reason } => *reason as u8,
        stage => stage.cause().map_or(0, |cause| cause as u8),
    };
    Key {
        stage: (world.booking.stage.name(), bits),
        stuck: world.booking.stuck.is_some(),
        holds: [hold_code(world.hold.as_ref()), hold_code(world.rival.as_ref())],
        is_event_cancelled: world.is_event_cancelled(),
        payment: payment_code(world.payment.as_ref()),
        provider: world.provider,
        sent: world.sent,
        minted: world.minted,
        flags: [
            world.cancel_accepted,
            world.released_by_mistake,
            world.is_moved(),
            world.booking.event_version > EventSnapshot::FIRST_VERSION,
        ],
    }
}

fn payment_code(entry: Option<&PaymentRecord>) -> (u8, [u8; 3]) {
    let mut outcomes = [0; 3];
    let payment = match entry {
        None => return (0, outcomes),
        Some(PaymentRecord::Tombstone { .. }) => return (1, outcomes),
        Some(PaymentRecord::Payment(payment)) => payment,
    };
    for (code, attempt) in outcomes.iter_mut().zip(&payment.attempts) {
        *code = match &attempt.outcome {
            None => 1,
            Some(AttemptOutcome::Approved) => 2,
            Some(AttemptOutcome::Declined(decline)) => match decline.kind {
                DeclineKind::Soft => 3,
                DeclineKind::Hard => 4,
            },
            Some(AttemptOutcome::Voided) => 5,
            Some(AttemptOutcome::Reversing { refusal }) => 6 + u8::from(refusal.is_some()) * 8,
            Some(AttemptOutcome::Reversed) => 7,
        };
    }
    let state = match &payment.state {
        State::Open => 2,
        State::Processing { cancel_wanted, .. } => 3 + u8::from(*cancel_wanted),
        State::Succeeded => 5,
        State::Failed { .. } => 6,
        State::Cancelled => 7,
        State::Refunding { refusal } => 8 + u8::from(refusal.is_some()),
        State::Refunded => 10,
    };
    (state, outcomes)
}
