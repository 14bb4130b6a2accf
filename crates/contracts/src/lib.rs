//! Every message on Kafka: seven topics, the messages on each, and how they are read and written.
//!
//! Bodies are JSON; the type stands in the `ce_type` header (CloudEvents 1.0, Kafka binary mode)
//! and ends in its version. Changes are additive: readers accept unknown fields and skip unknown
//! types. No message carries a person's name or e-mail address.

mod bookings;
mod event_commands;
mod events;
mod payment_commands;
mod payments;
mod tickets;
mod topic;
mod users;

pub use bookings::{
    BookingCancelled, BookingConfirmed, BookingCreated, BookingFact, BookingRejected,
};
pub use event_commands::{ConfirmTickets, EventCommand, Item, ReleaseTickets, ReserveTickets};
pub use events::{EventCancelled, EventDeleted, EventFact, EventPublished, EventUpdated};
pub use payment_commands::{CancelPayment, PaymentCommand, RefundPayment, RequestPayment};
pub use payments::{
    PaymentCancelled, PaymentFact, PaymentFailed, PaymentRefunded, PaymentRequested,
    PaymentReturned, PaymentSucceeded, RefundRefused,
};
pub use tickets::{
    ConfirmRefused, EventSnapshot, RejectReason, ReservedItem, Ticket, TicketFact,
    TicketsConfirmed, TicketsRejected, TicketsReleased, TicketsReserved,
};
pub use topic::{Message, TOPICS};
pub use users::{ProfileUpdated, UserErased, UserFact, UserRegistered};
