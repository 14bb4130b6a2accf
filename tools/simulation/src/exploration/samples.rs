//! The one order that is explored, and the event it is for.

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, TimeZone as _, Utc};
use karcis_booking_service::domain as booking;
use karcis_event_service::domain as event;
use karcis_kernel::{
    BookingId, Currency, EventId, Money, PaymentId, TicketTypeId, Timestamp, UserId,
};
use karcis_payment_service::domain as payment;
use uuid::Uuid;

pub(crate) const BOOKING: BookingId = BookingId(Uuid::from_u128(1));
pub(crate) const BUYER: UserId = UserId(Uuid::from_u128(2));
pub(crate) const EVENT: EventId = EventId(Uuid::from_u128(3));
pub(crate) const TICKET_TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(4));
pub(crate) const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(5));
/// Another buyer's booking of the same seat.
pub(crate) const RIVAL_BOOKING: BookingId = BookingId(Uuid::from_u128(6));
pub(crate) const RIVAL: UserId = UserId(Uuid::from_u128(7));

/// What is booked: at which price, and whether a confirmed booking can still be cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// In rupiah; 0 is free.
    pub price: i64,
    pub is_refundable: bool,
    /// How many attempts to pay the buyer makes at most.
    pub attempts: usize,
    /// Whether the event may be put off, which opens its refund window again.
    pub is_moved: bool,
}

/// The moment at which everything happens.
pub(crate) fn now() -> Timestamp {
    Utc.with_ymd_and_hms(2030, 1, 1, 12, 0, 0).single().expect("a valid time")
}

/// The moment, with the schedule that a service has by default.
pub(crate) fn context() -> booking::DecisionContext {
    let resends = booking::ResendSchedule::new(Duration::from_secs(5));
    booking::DecisionContext { at: now(), resends }
}

/// An order created five minutes ago, to be paid within the next ten.
pub(crate) fn order() -> Arc<booking::Order> {
    let item = booking::Item { ticket_type_id: TICKET_TYPE, quantity: 1 };
    Arc::new(booking::Order {
        id: BOOKING,
        buyer: BUYER,
        event_id: EVENT,
        items: booking::Items::new(vec![item]).expect("valid items"),
        expected_total: None,
        created_at: now() - TimeDelta::minutes(5),
        pay_by: now() + TimeDelta::minutes(10),
    })
}

/// A published event with a single seat.
pub(crate) fn event(scenario: Scenario) -> event::Event {
    let text = |text: &str| text.to_owned();
    let last_moment = now() - TimeDelta::seconds(i64::from(!scenario.is_refundable));
    let new = event::NewEvent {
        id: EVENT,
        organiser_id: UserId(Uuid::from_u128(8)),
        details: event::Details {
            title: text("Concert").try_into().expect("a valid title"),
            description: None,
            venue: text("Hall").try_into().expect("a valid venue"),
            starts_at: now() + TimeDelta::days(30),
            ends_at: None,
            time_zone: event::TimeZone::named("Asia/Jakarta"),
            refundable_until: Some(last_moment),
            refundable_after_start: false,
            reopened_until: None,
            max_per_buyer: None,
        },
        ticket_types: vec![event::NewTicketType {
            id: TICKET_TYPE,
            name: text("VIP").try_into().expect("a valid name"),
            price: Money::new(scenario.price, Currency::Idr).try_into().expect("a valid price"),
            capacity: 1.try_into().expect("a valid capacity"),
            max_per_booking: event::PerBooking::DEFAULT,
            sales_start: None,
            sales_end: None,
            closed: false,
        }],
        publish: true,
    };
    event::Event::create(new, now()).expect("a valid event")
}

/// ReserveTickets of this booking.
pub(crate) fn reserve(booking_id: BookingId, user_id: UserId) -> event::Reserve {
    event::Reserve {
        hold: event::HoldRef { booking_id, event_id: EVENT },
        user_id,
        items: vec![(TICKET_TYPE, 1)].try_into().expect("valid items"),
        expected_total: None,
    }
}

/// The booking's event cancelled by its organiser; unchanged if it was before.
pub(crate) fn cancelled(event: &event::Event) -> event::Event {
    let reason = "rain".to_owned().try_into().expect("a valid reason");
    event.cancel(reason).unwrap_or_else(|| event.clone())
}

/// What booking-service knows of the event once it is put off: money goes back until now.
pub(crate) fn put_off() -> booking::CurrentEvent {
    let event = booking::EventSnapshot {
        version: 2,
        title: "Concert".to_owned(),
        venue: "Hall".to_owned(),
        starts_at: now() + TimeDelta::days(330),
        time_zone: "Asia/Jakarta".to_owned(),
    };
    let refundable_until = Some(now());
    let details = booking::EventDetails { event, shown_since: 2, refundable_until, ends_at: None };
    booking::CurrentEvent { details: Some(details), cancel_reason: None }
}

/// What booking-service makes of event-service's reservation, which may be older than the event is now.
pub(crate) fn reservation(reservation: &event::Reservation) -> Arc<booking::Reservation> {
    let items = reservation.items.iter().map(|item| booking::ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Arc::new(booking::Reservation {
        event: booking::EventSnapshot {
            version: booking::EventSnapshot::FIRST_VERSION,
            title: reservation.event.title.clone(),
            venue: reservation.event.venue.clone(),
            starts_at: reservation.event.starts_at,
            time_zone: reservation.event.time_zone.to_string(),
        },
        items: items.collect(),
        total: reservation.total,
        refundable_until: reservation.refundable_until,
        sales_end: None,
    })
}

/// What booking-service makes of event-service's tickets.
pub(crate) fn tickets(tickets: &[event::Ticket]) -> Arc<[booking::Ticket]> {
    let ticket = |ticket: &event::Ticket| booking::Ticket {
        code: ticket.code.clone(),
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name.clone(),
    };
    tickets.iter().map(ticket).collect()
}

/// The attempt of this number, which counts from 0.
pub(crate) fn attempt_id(number: usize) -> payment::AttemptId {
    payment::AttemptId(Uuid::from_u128(100 + number as u128))
}
