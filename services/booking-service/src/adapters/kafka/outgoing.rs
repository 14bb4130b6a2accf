//! A booking's messages as they go over the wire.

use karcis_contracts as wire;
use karcis_messaging::Outgoing;

use crate::{
    application::Sent,
    domain::{Message, Order},
};

/// The message about this order, ready for the outbox. Takes the running task's trace.
pub fn outgoing(order: &Order, sent: Sent) -> Outgoing {
    let (booking_id, event_id, user_id) = (order.id, order.event_id, order.buyer);
    let event = |command: wire::EventCommand| Outgoing::new(&command);
    let payment = |command: wire::PaymentCommand| Outgoing::new(&command);
    let fact = |fact: wire::BookingFact| Outgoing::new(&fact);
    let message = match sent.message {
        Message::ReserveTickets => event(reserve_tickets(order).into()),
        Message::ConfirmTickets => event(wire::ConfirmTickets { booking_id, event_id }.into()),
        Message::ReleaseTickets => event(wire::ReleaseTickets { booking_id, event_id }.into()),
        Message::RequestPayment { amount, pay_by } => {
            payment(wire::RequestPayment { booking_id, user_id, amount, pay_by }.into())
        }
        Message::CancelPayment => payment(wire::CancelPayment { booking_id }.into()),
        Message::RefundPayment => payment(wire::RefundPayment { booking_id }.into()),
        Message::BookingCreated => {
            fact(wire::BookingCreated { booking_id, user_id, event_id }.into())
        }
        Message::BookingConfirmed => {
            fact(wire::BookingConfirmed { booking_id, user_id, event_id }.into())
        }
        Message::BookingRejected(reason) => {
            let reason = reason.as_str().to_owned();
            fact(wire::BookingRejected { booking_id, user_id, event_id, reason }.into())
        }
        Message::BookingCancelled(cause) => {
            let reason = cause.as_str().to_owned();
            fact(wire::BookingCancelled { booking_id, user_id, event_id, reason }.into())
        }
    };
    message.attempt(sent.attempt.try_into().unwrap_or(i32::MAX))
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
