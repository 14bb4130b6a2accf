//! Every message on Kafka: nine topics, the messages on each, and how they are read and written.
//!
//! Bodies are JSON; the type stands in the `ce_type` header (CloudEvents 1.0, Kafka binary mode)
//! and ends in its version. Changes are additive: readers accept unknown fields and skip unknown
//! types. No message carries a person's name or e-mail address.

mod bookings;
mod event_commands;
mod events;
mod message;
mod payment_commands;
mod payments;
mod ticket_codes;
mod ticket_mails;
mod tickets;
mod users;

use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

pub use bookings::Booked;
pub use event_commands::Item;
pub use message::{Channel, Message};
pub use ticket_codes::Ticket;
pub use tickets::{EventSnapshot, RejectReason, ReservedItem};

message::topics! {
    /// What booking-service asks of event-service. One consumer owns all of an event's stock.
    EventCommand = "karcis.event-commands.v1" {
        key: event_id, of_booking: true,
        "booking-service" => "event-service", replies: Some(TicketFact::TOPIC),
        event_commands: ReserveTickets, ConfirmTickets, ReleaseTickets,
    }

    /// What booking-service asks of payment-service.
    PaymentCommand = "karcis.payment-commands.v1" {
        key: booking_id, of_booking: true,
        "booking-service" => "payment-service", replies: Some(PaymentFact::TOPIC),
        payment_commands: RequestPayment, CancelPayment, RefundPayment,
    }

    /// What became of a booking's seats: the saga's replies, and facts for anyone.
    TicketFact = "karcis.tickets.v1" {
        key: booking_id, of_booking: true,
        "event-service" => "booking-service", replies: None,
        tickets: TicketsReserved, TicketsRejected, TicketsConfirmed, ConfirmRefused, TicketsReleased,
    }

    /// The codes of sold tickets, for booking-service alone: who knows a code has the ticket. Nobody
    /// else may read it.
    TicketCodes = "karcis.ticket-codes.v1" {
        key: booking_id, of_booking: true,
        "event-service" => "booking-service", replies: None,
        ticket_codes: TicketsIssued,
    }

    /// What became of a booking's payment: the saga's replies, and facts for anyone.
    PaymentFact = "karcis.payments.v1" {
        key: booking_id, of_booking: true,
        "payment-service" => "booking-service", replies: None,
        payments: PaymentRequested, PaymentSucceeded, PaymentFailed, PaymentCancelled,
            PaymentRefunded, RefundRefused, PaymentReturned,
    }

    /// What organisers do with their events.
    EventFact = "karcis.events.v1" {
        key: event_id, of_booking: false,
        "event-service" => "booking-service", replies: None,
        events: EventPublished, EventUpdated, EventCancelled, EventDeleted,
    }

    /// The turns in a booking's life that people are told of.
    BookingFact = "karcis.bookings.v1" {
        key: booking_id, of_booking: true,
        "booking-service" => "user-service", replies: None,
        bookings: BookingCreated, BookingReserved, BookingConfirmed, BookingRejected,
            BookingCancelled, BookingEventChanged,
    }

    /// The tickets that buyers get by e-mail, with their codes, for user-service alone: who knows a code has
    /// the ticket. Nobody else may read it.
    TicketMail = "karcis.ticket-mails.v1" {
        key: booking_id, of_booking: true,
        "booking-service" => "user-service", replies: None,
        ticket_mails: TicketMailRequested,
    }

    /// Accounts come, change and go. Never with a name or an e-mail address.
    UserFact = "karcis.users.v1" {
        key: user_id, of_booking: false,
        "user-service" => "booking-service", replies: None,
        users: UserRegistered, ProfileUpdated, UserErased,
    }
}
