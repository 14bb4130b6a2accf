//! What must hold once nothing is under way, and when that is.

use std::collections::BTreeSet;

use karcis_booking_service::domain::{Booking, Stage};
use karcis_event_service::domain::{Hold, Stage as EventStage};
use karcis_kernel::{BookingId, EventId};
use karcis_payment_service::domain::{AttemptId, State as PaymentState};
use uuid::Uuid;

use super::{
    broker::Group,
    checks::{Violation, is_owed, require},
    rows::Open,
    world::State,
};

/// Why the world does not rest; `None`: nothing is under way.
pub(crate) fn unrest(state: &State) -> Option<String> {
    for booking in state.tables.bookings.all() {
        if !is_over(state, booking) {
            let name = state.name(booking.order.id.0);
            return Some(format!("{name} is {}", booking.stage.name()));
        }
    }
    for (group, outbox) in &state.outboxes {
        if !outbox.rows.is_empty() {
            return Some(format!("the outbox of {group:?} has {} messages", outbox.rows.len()));
        }
    }
    for group in Group::ALL {
        if state.broker.lag(group) > 0 {
            return Some(format!(
                "group {group:?} has {} messages to read",
                state.broker.lag(group)
            ));
        }
    }
    for payment in state.tables.payments.all().filter_map(|record| record.payment()) {
        if payment.needs_provider() {
            let name = state.name(payment.booking_id.0);
            return Some(format!("the payment of {name} waits for the provider"));
        }
    }
    if let Some(intent) = state.unknown_money().next() {
        return Some(format!("nobody knows of late money for {}", state.name(intent.0)));
    }
    if let Some(intent) = state.tables.provider.next_webhook().or(state.tables.payments.looked_up())
    {
        return Some(format!("a webhook about {} is under way", state.name(intent.0)));
    }
    if let Some(id) = state.tables.users.waiting() {
        return Some(format!("an e-mail about {} waits", state.name(id.0)));
    }
    if state.obstacles.dead_letters().next().is_some() {
        return Some("dead letters wait for an operator".to_owned());
    }
    for why in [Open::Cancelled, Open::Moved] {
        if let Some(event) = state.tables.bookings.known.next(why, &[]) {
            return Some(format!("{} is still {why:?} to bookings", state.name(event.event_id.0)));
        }
    }
    let announced = state.tables.events.next_announcement();
    announced.map(|_| "a cancelled event is announced".to_owned())
}

/// Whether the booking stays as it is.
fn is_over(state: &State, booking: &Booking) -> bool {
    match &booking.stage {
        Stage::Rejected { .. } | Stage::Cancelled { .. } => true,
        Stage::Confirmed { .. } => !cancelled_events(state).contains(&booking.order.event_id),
        _ => false,
    }
}

fn cancelled_events(state: &State) -> BTreeSet<EventId> {
    let rows = state.tables.events.all();
    let cancelled = rows.filter(|row| matches!(row.event.stage, EventStage::Cancelled(_)));
    cancelled.map(|row| row.event.id).collect()
}

/// Everything that must hold of a world that rests.
pub(crate) fn check_at_rest(state: &State) -> Result<(), Violation> {
    let cancelled = cancelled_events(state);
    for (booking, event, hold) in state.tables.events.holds() {
        let is_taken = matches!(hold, Hold::Held(_) | Hold::Sold(..));
        require(9, !is_taken || !cancelled.contains(&event), || {
            format!("{} has seats of a cancelled event", state.name(booking.0))
        })?;
    }
    for booking in state.tables.bookings.all() {
        check_booking(state, booking)?;
    }
    for id in state.checks.accepted() {
        let exists = state.tables.bookings.get(id).is_some();
        require(15, exists, || format!("{} was accepted and does not exist", state.name(id.0)))?;
    }
    for drawn in state.checks.drawn() {
        let made = drawn.iter().filter(|id| is_made(state, **id));
        let made: Vec<String> = made.map(|id| state.name(*id)).collect();
        require(13, made.len() <= 1, || format!("one key made {}", made.join(" and ")))?;
    }
    for (id, kind) in state.told.untold() {
        let is_held = state.tables.users.waits_for_tomorrow(*id, kind);
        require(15, is_held, || format!("the buyer of {} was not told: {kind}", state.name(id.0)))?;
    }
    for user in state.told.all_erased() {
        let is_there = state.tables.users.account(user).is_some();
        require(15, !is_there, || format!("{} is erased and there", state.name(user.0)))?;
    }
    let mut alive = state.broker.poisons().filter(|poison| !state.obstacles.is_dead(*poison));
    require(15, alive.next().is_none(), || "a poison message is not dead-lettered".to_owned())
}

fn check_booking(state: &State, booking: &Booking) -> Result<(), Violation> {
    let (id, name) = (booking.order.id, state.name(booking.order.id.0));
    let (captured, refunded) = state.tables.provider.sums(id);
    let expected = match &booking.stage {
        Stage::Confirmed { reservation, .. } => reservation.total.amount,
        _ => 0,
    };
    let net = captured - refunded;
    require(4, net == expected, || format!("{name}: at rest {net} is captured, not {expected}"))?;
    if let Some(payment) = state.tables.payments.payment(id) {
        let (known, back) = (payment.captured.amount, payment.refunded.amount);
        require(5, (known, back) == (captured, refunded), || {
            format!(
                "{name}: payments have {known} and {back}, the provider {captured} and {refunded}"
            )
        })?;
        let is_closed = !matches!(payment.state, PaymentState::Open);
        require(8, is_closed, || format!("{name} is over, and can still be paid"))?;
        require(4, !is_owed(payment), || format!("{name}: money is not returned"))?;
    } else {
        require(5, captured == 0, || format!("{name}: {captured} without a payment"))?;
    }
    require(15, booking.stuck.is_none(), || format!("{name} is stuck: {:?}", booking.stuck))?;
    let is_confirmed = matches!(booking.stage, Stage::Confirmed { .. });
    let hold = state.tables.events.hold(id);
    let is_taken = matches!(hold, Some(Hold::Held(_) | Hold::Sold(..)));
    require(7, is_taken == is_confirmed, || {
        format!("{name} is {}, its hold {hold:?}", booking.stage.name())
    })
}

/// Whether a request made this booking or this attempt.
fn is_made(state: &State, id: Uuid) -> bool {
    let attempts = state.tables.payments.all().filter_map(|record| record.payment());
    let mut attempts = attempts.filter(|payment| payment.attempt(AttemptId(id)).is_some());
    state.tables.bookings.get(BookingId(id)).is_some() || attempts.next().is_some()
}
