//! An example event, its ticket types, and what is done with them.

use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};

use crate::domain::*;

pub(super) const EVENT: EventId = EventId(uuid(1));
pub(super) const VIP: TicketTypeId = TicketTypeId(uuid(2));
pub(super) const LAWN: TicketTypeId = TicketTypeId(uuid(3));
pub(super) const BUYER: UserId = UserId(uuid(4));
pub(super) const ORGANISER: UserId = UserId(uuid(5));
pub(super) const BOOKING: BookingId = BookingId(uuid(6));
/// While tickets are sold.
pub(super) const NOW: i64 = 1_000_000;
/// When the event starts.
pub(super) const START: i64 = 2_000_000;

pub(super) const fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("a moment")
}

pub(super) fn per_buyer(seats: i64) -> Option<PerBuyer> {
    Some(PerBuyer::try_from(seats).expect("a limit"))
}

pub(super) fn title(text: &str) -> Title {
    Title::try_from(text.to_owned()).expect("a title")
}

pub(super) fn price(amount: i64, currency: Currency) -> Price {
    Price::try_from(Money::new(amount, currency)).expect("a price")
}

pub(super) fn capacity(seats: i64) -> Capacity {
    Capacity::try_from(seats).expect("a capacity")
}

pub(super) fn ticket_type(id: TicketTypeId, name: &str, amount: i64, seats: i64) -> NewTicketType {
    NewTicketType {
        id,
        name: TicketName::try_from(name.to_owned()).expect("a name"),
        price: price(amount, Currency::Idr),
        capacity: capacity(seats),
        max_per_booking: PerBooking::DEFAULT,
        sales_start: None,
        sales_end: None,
        closed: false,
    }
}

/// A draft with a VIP type (750,000, 20 seats) and a lawn type (free, 5 seats).
pub(super) fn plan() -> NewEvent {
    NewEvent {
        id: EVENT,
        organiser_id: ORGANISER,
        details: Details {
            title: title("Konser"),
            description: None,
            venue: Venue::try_from("Istora".to_owned()).expect("a venue"),
            starts_at: at(START),
            ends_at: None,
            time_zone: TimeZone::named("Asia/Jakarta"),
            refundable_until: None,
            refundable_after_start: false,
            reopened_until: None,
            max_per_buyer: None,
        },
        ticket_types: vec![ticket_type(VIP, "VIP", 750_000, 20), ticket_type(LAWN, "Lawn", 0, 5)],
        publish: false,
    }
}

pub(super) fn draft() -> Event {
    Event::create(plan(), at(NOW)).expect("a valid event")
}

pub(super) fn published() -> Event {
    draft().publish(at(NOW)).expect("an event to come").expect("it was a draft")
}

pub(super) fn cancelled(event: &Event) -> Event {
    let reason = CancelReason::try_from("rain".to_owned()).expect("a reason");
    event.cancel(reason).expect("it was not cancelled")
}

pub(super) fn request(seats: &[(TicketTypeId, u32)]) -> Reserve {
    Reserve {
        hold: HoldRef { booking_id: BOOKING, event_id: EVENT },
        user_id: BUYER,
        items: Items::try_from(seats.to_vec()).expect("valid items"),
        expected_total: None,
    }
}

pub(super) fn no_holds() -> BuyerHolds {
    BuyerHolds { unpaid: 0, max_unpaid: 2, seats: 0 }
}

/// Codes 1, 2, 3, …
pub(super) fn codes() -> impl FnMut() -> TicketCode {
    let mut next = 0;
    move || {
        next += 1;
        TicketCode::from_bits(next)
    }
}

pub(super) fn held(event: &mut Event, seats: &[(TicketTypeId, u32)]) -> Hold {
    let decision = reserve(Some(event), None, no_holds(), &request(seats), at(NOW));
    decision.hold.expect("a new hold")
}

pub(super) fn sold(event: &mut Event, seats: &[(TicketTypeId, u32)]) -> Hold {
    let held = held(event, seats);
    confirm(Some(event), Some(&held), &mut codes()).expect("the stock matches").hold.expect("sold")
}

/// (free, held, sold) of VIP.
pub(super) fn vip(event: &Event) -> (u32, u32, u32) {
    let stock = event.ticket_types[0].stock;
    (stock.free(), stock.held(), stock.sold())
}

/// The update that leaves this ticket type unchanged.
pub(super) fn unchanged(id: TicketTypeId) -> TicketTypeUpdate {
    TicketTypeUpdate {
        id,
        name: None,
        price: None,
        capacity: None,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        closed: None,
    }
}
