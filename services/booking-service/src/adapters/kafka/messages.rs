//! Messages between domain and wire form, in both directions.

use std::sync::Arc;

use karcis_contracts as wire;
use karcis_kernel::{BookingId, Timestamp, UserId};
use karcis_messaging::Outgoing;

use crate::{
    application::{Change, EventEdit, EventNews, Sent},
    domain::{
        Booking, Cause, EventSnapshot, Input, Message, Order, RejectReason, Reservation,
        ReservedItem, Stage, Ticket,
    },
};

/// What a message of another service means here.
#[derive(Clone, Debug)]
pub(crate) enum Incoming {
    /// An input of this booking.
    Reply(BookingId, Input),
    Event(EventNews),
    UserErased(UserId),
    /// booking-service does not use it.
    ForOthers,
}

/// The messages of a change, ready for the outbox, with the running task's trace.
pub(crate) fn encode(change: &Change) -> Vec<Outgoing> {
    let encode = |sent: &Sent| {
        let is_confirmed = sent.message == Message::BookingConfirmed;
        let tickets = ticket_mail(&change.after, None).filter(|_| is_confirmed);
        outgoing(&change.after, sent).into_iter().chain(tickets)
    };
    change.messages.iter().flat_map(encode).collect()
}

/// The message; `None` if its booking has no tickets to be sent.
fn outgoing(booking: &Booking, sent: &Sent) -> Option<Outgoing> {
    let order = &booking.order;
    let (booking_id, event_id, user_id) = (order.id, order.event_id, order.buyer);
    let event = |command: wire::EventCommand| Outgoing::new(&command);
    let payment = |command: wire::PaymentCommand| Outgoing::new(&command);
    let fact = |fact: wire::BookingFact| Outgoing::new(&fact);
    let message = match &sent.message {
        Message::ReserveTickets => event(reserve_tickets(order).into()),
        Message::ConfirmTickets => event(wire::ConfirmTickets { booking_id, event_id }.into()),
        Message::ReleaseTickets => event(wire::ReleaseTickets { booking_id, event_id }.into()),
        Message::RequestPayment { amount, pay_by } => {
            let (amount, pay_by) = (*amount, *pay_by);
            payment(wire::RequestPayment { booking_id, user_id, amount, pay_by }.into())
        }
        Message::CancelPayment => payment(wire::CancelPayment { booking_id }.into()),
        Message::RefundPayment => payment(wire::RefundPayment { booking_id }.into()),
        Message::BookingCreated => {
            fact(wire::BookingCreated { booking_id, user_id, event_id }.into())
        }
        Message::BookingReserved { reservation, pay_by } => {
            let (booked, pay_by) = (booked(booking, reservation), *pay_by);
            fact(wire::BookingReserved { booking_id, user_id, event_id, booked, pay_by }.into())
        }
        Message::BookingConfirmed => fact(booking_confirmed(booking).into()),
        Message::BookingRejected(reason) => {
            let reason = reason.as_str().to_owned();
            let event = booking.event_details().map(|details| snapshot(&details.event));
            fact(wire::BookingRejected { booking_id, user_id, event_id, reason, event }.into())
        }
        Message::BookingCancelled(cause) => fact(booking_cancelled(booking, *cause).into()),
        Message::BookingEventChanged { reservation, refundable_until } => {
            let (booked, agreed) = (booked(booking, reservation), snapshot(&reservation.event));
            let refundable_until = *refundable_until;
            fact(
                wire::BookingEventChanged {
                    booking_id,
                    user_id,
                    event_id,
                    booked,
                    agreed,
                    refundable_until,
                }
                .into(),
            )
        }
        Message::TicketMailRequested(at) => ticket_mail(booking, Some(*at))?,
    };
    Some(message.attempt(sent.attempt.try_into().unwrap_or(i32::MAX)))
}

/// What has the booking's tickets mailed to its buyer; `None` if it has none.
fn ticket_mail(booking: &Booking, asked_at: Option<Timestamp>) -> Option<Outgoing> {
    let Stage::Confirmed { reservation, tickets } = &booking.stage else { return None };
    let tickets = tickets.iter().map(|ticket| wire::Ticket {
        code: ticket.code.clone(),
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name.clone(),
    });
    let request = wire::TicketMailRequested {
        booking_id: booking.order.id,
        user_id: booking.order.buyer,
        event_id: booking.order.event_id,
        booked: booked(booking, reservation),
        ends_at: booking.event_details().and_then(|details| details.ends_at),
        sequence: booking.calendar_sequence(reservation),
        tickets: tickets.collect(),
        asked_at,
    };
    Some(Outgoing::new(&wire::TicketMail::from(request)))
}

fn booking_confirmed(booking: &Booking) -> wire::BookingConfirmed {
    wire::BookingConfirmed {
        booking_id: booking.order.id,
        user_id: booking.order.buyer,
        event_id: booking.order.event_id,
        booked: booking.reservation().map(|reservation| booked(booking, reservation)),
        // One that is cancelled at the same time has none any more.
        tickets_are_mailed: matches!(booking.stage, Stage::Confirmed { .. }),
    }
}

fn booking_cancelled(booking: &Booking, cause: Cause) -> wire::BookingCancelled {
    let event_cancel_reason =
        booking.event_cancel_reason().filter(|_| cause == Cause::EventCancelled);
    wire::BookingCancelled {
        booking_id: booking.order.id,
        user_id: booking.order.buyer,
        event_id: booking.order.event_id,
        reason: cause.as_str().to_owned(),
        booked: booking.reservation().map(|reservation| booked(booking, reservation)),
        refunded: booking.refund().map(|refund| refund.amount),
        event_cancel_reason: event_cancel_reason.map(str::to_owned),
    }
}

fn booked(booking: &Booking, reservation: &Reservation) -> wire::Booked {
    let items = reservation.items.iter().map(|item| wire::ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    let event = snapshot(booking.event_of(reservation));
    wire::Booked { event, items: items.collect(), total: reservation.total }
}

fn snapshot(event: &EventSnapshot) -> wire::EventSnapshot {
    let EventSnapshot { version, title, venue, starts_at, time_zone } = event.clone();
    wire::EventSnapshot { title, venue, starts_at, time_zone, version: Some(version) }
}

fn reserve_tickets(order: &Order) -> wire::ReserveTickets {
    let items = order
        .items
        .as_slice()
        .iter()
        .map(|item| wire::Item { ticket_type_id: item.ticket_type_id, quantity: item.quantity });
    wire::ReserveTickets {
        booking_id: order.id,
        event_id: order.event_id,
        user_id: order.buyer,
        items: items.collect(),
        expected_total: order.expected_total,
    }
}

pub(super) fn ticket_fact(fact: wire::TicketFact) -> Incoming {
    match fact {
        wire::TicketFact::TicketsReserved(fact) => {
            Incoming::Reply(fact.booking_id, Input::TicketsReserved(Arc::new(reservation(fact))))
        }
        wire::TicketFact::TicketsRejected(fact) => {
            Incoming::Reply(fact.booking_id, Input::TicketsRejected(reject_reason(fact.reason)))
        }
        // An event-service of an older release tells the codes here. From others they come on a
        // topic of their own.
        wire::TicketFact::TicketsConfirmed(fact) => match fact.tickets {
            Some(tickets) => confirmed(fact.booking_id, tickets),
            None => Incoming::ForOthers,
        },
        wire::TicketFact::ConfirmRefused(fact) => {
            Incoming::Reply(fact.booking_id, Input::ConfirmRefused)
        }
        wire::TicketFact::TicketsReleased(fact) => {
            Incoming::Reply(fact.booking_id, Input::TicketsReleased)
        }
    }
}

pub(super) fn ticket_codes(message: wire::TicketCodes) -> Incoming {
    match message {
        wire::TicketCodes::TicketsIssued(issued) => confirmed(issued.booking_id, issued.tickets),
    }
}

fn confirmed(booking_id: BookingId, tickets: Vec<wire::Ticket>) -> Incoming {
    let tickets = tickets.into_iter().map(|ticket| Ticket {
        code: ticket.code,
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name,
    });
    Incoming::Reply(booking_id, Input::TicketsConfirmed(tickets.collect()))
}

fn reservation(fact: wire::TicketsReserved) -> Reservation {
    let items = fact.items.into_iter().map(|item| ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name,
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Reservation {
        event: EventSnapshot {
            version: fact.event.version.unwrap_or(EventSnapshot::FIRST_VERSION),
            title: fact.event.title,
            venue: fact.event.venue,
            starts_at: fact.event.starts_at,
            time_zone: fact.event.time_zone,
        },
        items: items.collect(),
        total: fact.total,
        refundable_until: fact.refundable_until,
        sales_end: fact.sales_end,
    }
}

fn reject_reason(reason: wire::RejectReason) -> RejectReason {
    match reason {
        wire::RejectReason::SoldOut => RejectReason::SoldOut,
        wire::RejectReason::SalesClosed => RejectReason::SalesClosed,
        wire::RejectReason::EventNotFound => RejectReason::EventNotFound,
        wire::RejectReason::EventCancelled => RejectReason::EventCancelled,
        wire::RejectReason::PriceChanged => RejectReason::PriceChanged,
        wire::RejectReason::OverLimit => RejectReason::OverLimit,
        wire::RejectReason::TooManyHolds => RejectReason::TooManyHolds,
    }
}

pub(super) fn payment_fact(fact: wire::PaymentFact) -> Incoming {
    let (booking, input) = match fact {
        wire::PaymentFact::PaymentRequested(fact) => (fact.booking_id, Input::PaymentRequested),
        wire::PaymentFact::PaymentSucceeded(fact) => (fact.booking_id, Input::PaymentSucceeded),
        wire::PaymentFact::PaymentFailed(fact) => (fact.booking_id, Input::PaymentFailed),
        wire::PaymentFact::PaymentCancelled(fact) => (fact.booking_id, Input::PaymentCancelled),
        wire::PaymentFact::PaymentRefunded(fact) => (fact.booking_id, Input::PaymentRefunded),
        wire::PaymentFact::RefundRefused(fact) => (fact.booking_id, Input::RefundRefused),
        // This money came after a cancellation: the saga never counted on it.
        wire::PaymentFact::PaymentReturned(_) => return Incoming::ForOthers,
    };
    Incoming::Reply(booking, input)
}

pub(super) fn event_fact(fact: wire::EventFact) -> Incoming {
    let edited = |fact: wire::EventUpdated| {
        let wire::EventUpdated { event_id, version, title, venue, starts_at, time_zone, .. } = fact;
        EventNews::Edited(EventEdit {
            event_id,
            organiser: fact.organiser_id,
            event: EventSnapshot { version, title, venue, starts_at, time_zone },
            refundable_until: fact.refundable_until,
            ends_at: fact.ends_at,
        })
    };
    Incoming::Event(match fact {
        wire::EventFact::EventPublished(fact) => edited(wire::EventUpdated {
            event_id: fact.event_id,
            version: fact.version,
            organiser_id: fact.organiser_id,
            title: fact.title,
            venue: fact.venue,
            starts_at: fact.starts_at,
            time_zone: fact.time_zone,
            refundable_until: fact.refundable_until,
            ends_at: fact.ends_at,
        }),
        wire::EventFact::EventUpdated(fact) => edited(fact),
        wire::EventFact::EventCancelled(fact) => EventNews::Cancelled(fact.event_id, fact.reason),
        wire::EventFact::EventDeleted(fact) => EventNews::Deleted(fact.event_id),
    })
}

pub(super) fn user_fact(fact: wire::UserFact) -> Incoming {
    match fact {
        wire::UserFact::UserErased(fact) => Incoming::UserErased(fact.user_id),
        wire::UserFact::UserRegistered(_) | wire::UserFact::ProfileUpdated(_) => {
            Incoming::ForOthers
        }
    }
}
