//! Bookings, stages and offers for the domain's tests.

use std::sync::Arc;

use chrono::{TimeDelta, TimeZone, Utc};
use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};
use uuid::Uuid;

use super::*;

/// The moment of every test.
pub(super) fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2030, 1, 1, 12, 0, 0).single().expect("a valid date")
}

/// An order placed five minutes before noon, to be paid ten minutes after it.
pub(super) fn order() -> Arc<Order> {
    let item = Item { ticket_type_id: TicketTypeId(Uuid::from_u128(4)), quantity: 1 };
    Arc::new(Order {
        id: BookingId(Uuid::from_u128(1)),
        buyer: UserId(Uuid::from_u128(2)),
        event_id: EventId(Uuid::from_u128(3)),
        items: Items::new(vec![item]).expect("valid items"),
        expected_total: None,
        created_at: noon() - TimeDelta::minutes(5),
        pay_by: noon() + TimeDelta::minutes(10),
    })
}

/// What event-service holds for the order at this price, refundable until then.
pub(super) fn offer(price: i64, refundable_until: Timestamp) -> Arc<Offer> {
    let unit_price = Money::new(price, Currency::Idr);
    Arc::new(Offer {
        event: EventSnapshot {
            title: "Concert".into(),
            venue: "Hall".into(),
            starts_at: noon() + TimeDelta::days(30),
            time_zone: "Asia/Jakarta".into(),
        },
        items: vec![OfferedItem {
            ticket_type_id: TicketTypeId(Uuid::from_u128(4)),
            name: "VIP".into(),
            quantity: 1,
            unit_price,
        }],
        total: unit_price,
        refundable_until,
    })
}

/// The order's one ticket.
pub(super) fn tickets() -> Arc<[Ticket]> {
    Arc::new([Ticket {
        code: TicketCode::from_bits(5),
        ticket_type_id: TicketTypeId(Uuid::from_u128(4)),
        name: "VIP".into(),
    }])
}

/// A booking in this stage whose resend is due at noon.
pub(super) fn booking(stage: Stage) -> Booking {
    let mut booking = place(order()).booking;
    booking.resend = (!booking_ends(&stage)).then(|| Resend { attempt: 1, wake_at: noon() });
    Booking { stage, version: 7, ..booking }
}

pub(super) fn booking_ends(stage: &Stage) -> bool {
    matches!(stage, Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. })
}

/// The stage of this name: a letter is its cause; `free` and `late` are about its offer.
pub(super) fn stage(name: &str) -> Stage {
    let (head, rest) = name.split_once('(').unwrap_or((name, ""));
    let words: Vec<&str> = rest.trim_end_matches(')').split(' ').collect();
    let has = |word| words.contains(&word);
    let last_moment = if has("late") { noon() - TimeDelta::microseconds(1) } else { noon() };
    let offer = offer(if has("free") { 0 } else { 100 }, last_moment);
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
        "awaiting" => Stage::Awaiting { offer, payable: has("payable") },
        "cancelling" => Stage::Cancelling { offer, cause },
        "confirming" => Stage::Confirming { offer },
        "confirmed" => Stage::Confirmed { offer, tickets: tickets() },
        "releasing" => Stage::Releasing { offer: Some(offer), cause },
        "refunding" => Stage::Refunding { offer, cause, released, refunded },
        "rejected" => Stage::Rejected { reason: RejectReason::SoldOut },
        "cancelled" => Stage::Cancelled { offer: Some(offer), cause, refunded },
        other => panic!("no stage {other}"),
    }
}
