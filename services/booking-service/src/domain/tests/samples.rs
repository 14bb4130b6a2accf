//! Bookings, stages and offers for the domain's tests.

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, TimeZone, Utc};
use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};
use uuid::Uuid;

use crate::domain::*;

/// The moment of every test.
pub(in crate::domain) fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2030, 1, 1, 12, 0, 0).single().expect("a valid date")
}

/// The first resend comes after 5 s.
pub(in crate::domain) fn resends() -> ResendSchedule {
    ResendSchedule::new(Duration::from_secs(5))
}

/// A decision at this moment.
pub(in crate::domain) fn context(at: Timestamp) -> DecisionContext {
    DecisionContext { at, resends: resends() }
}

/// An order created five minutes before noon, to be paid ten minutes after it.
pub(in crate::domain) fn order() -> Arc<Order> {
    let item = Item { ticket_type_id: TicketTypeId(Uuid::from_u128(4)), quantity: 1 };
    Arc::new(Order {
        // The last bits are zero: they would make waits longer.
        id: BookingId(Uuid::from_u128(1 << 16)),
        buyer: UserId(Uuid::from_u128(2)),
        event_id: EventId(Uuid::from_u128(3)),
        items: Items::new(vec![item]).expect("valid items"),
        expected_total: None,
        created_at: noon() - TimeDelta::minutes(5),
        pay_by: noon() + TimeDelta::minutes(10),
    })
}

/// What event-service holds for the order at this price, refundable until then.
pub(in crate::domain) fn reservation(price: i64, refundable_until: Timestamp) -> Arc<Reservation> {
    let unit_price = Money::new(price, Currency::Idr);
    Arc::new(Reservation {
        event: concert(1),
        items: vec![ReservedItem {
            ticket_type_id: TicketTypeId(Uuid::from_u128(4)),
            name: "VIP".into(),
            quantity: 1,
            unit_price,
        }],
        total: unit_price,
        refundable_until,
        sales_end: None,
    })
}

/// The event in this version, which always looks the same.
pub(in crate::domain) fn concert(version: i64) -> EventSnapshot {
    EventSnapshot {
        version,
        title: "Concert".into(),
        venue: "Hall".into(),
        starts_at: noon() + TimeDelta::days(30),
        time_zone: "Asia/Jakarta".into(),
    }
}

/// The event as it is in version 2, at a later time.
pub(in crate::domain) fn put_off() -> EventDetails {
    let event = concert(2);
    let starts_at = event.starts_at + TimeDelta::days(300);
    let event = EventSnapshot { starts_at, ..event };
    EventDetails { event, shown_since: 2, refundable_until: None, ends_at: None }
}

/// The order's one ticket.
pub(in crate::domain) fn tickets() -> Arc<[Ticket]> {
    Arc::new([Ticket {
        code: TicketCode::from_bits(5),
        ticket_type_id: TicketTypeId(Uuid::from_u128(4)),
        name: "VIP".into(),
    }])
}

/// A booking in this stage whose resend is due at noon, and whose event was put off.
pub(in crate::domain) fn booking(stage: Stage) -> Booking {
    let next_resend = (!waits_for_nothing(&stage)).then(|| NextResend { attempt: 1, at: noon() });
    let event = Some(Arc::new(CurrentEvent { details: Some(put_off()), cancel_reason: None }));
    Booking { stage, version: 7, next_resend, event, ..create(order(), resends()).booking }
}

pub(in crate::domain) fn waits_for_nothing(stage: &Stage) -> bool {
    matches!(stage, Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. })
}

/// The stage of this name: a letter is its cause, `free` and `late` are about its reservation.
pub(in crate::domain) fn stage(name: &str) -> Stage {
    let (head, rest) = name.split_once('(').unwrap_or((name, ""));
    let words: Vec<&str> = rest.trim_end_matches(')').split(' ').collect();
    let has = |word| words.contains(&word);
    let last_moment = if has("late") { noon() - TimeDelta::microseconds(1) } else { noon() };
    let reservation = reservation(if has("free") { 0 } else { 100 }, last_moment);
    let cause = match words[0] {
        "P" => Cause::PaymentFailed,
        "X" => Cause::HoldLost,
        "B" => Cause::Buyer,
        "E" => Cause::EventCancelled,
        _ => Cause::Deadline,
    };
    let (released, refunded) = (has("released"), has("refunded"));
    match head {
        "reserving" => Stage::Reserving,
        "awaiting" => Stage::Awaiting { reservation, payable: has("payable") },
        "cancelling" => Stage::Cancelling { reservation, cause },
        "confirming" => Stage::Confirming { reservation },
        "confirmed" => Stage::Confirmed { reservation, tickets: tickets() },
        "releasing" => Stage::Releasing { reservation: Some(reservation), cause },
        "refunding" => Stage::Refunding { reservation, cause, released, refunded },
        "rejected" => Stage::Rejected { reason: RejectReason::SoldOut },
        "cancelled" => Stage::Cancelled { reservation: Some(reservation), cause, refunded },
        other => panic!("no stage {other}"),
    }
}
