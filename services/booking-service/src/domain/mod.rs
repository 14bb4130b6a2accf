//! The rules of a booking: what it is, how its saga goes on, and what a buyer sees of it.
#![deny(clippy::disallowed_methods)]

mod booking;
mod order;
mod resend;
mod saga;
mod status;

#[cfg(test)]
mod tests;

pub use booking::{
    Booking, Cause, EventSnapshot, Input, Message, RejectReason, Reservation, ReservedItem, Stage,
    Stuck, Ticket,
};
pub use order::{InvalidItems, Item, Items, Order};
pub use resend::{NextResend, ResendSchedule};
pub use saga::{DecisionContext, LogEntry, Refusal, Resend, Transition, Verdict, create, decide};
pub use status::{Refund, Status, UnknownStatus};
