//! The rules of a booking: what it is, how its saga goes on, and what a buyer sees of it.
#![deny(clippy::disallowed_methods)]

mod attendees;
mod booking;
mod contradiction;
mod event;
mod order;
mod person_name;
mod resend;
mod saga;
mod status;
mod verdict;
mod waiting;

#[cfg(test)]
mod tests;

pub use attendees::{Attendee, Attendees, InvalidAttendee, Names};
pub use booking::{
    Booking, Cause, Input, Message, RejectReason, Reservation, ReservedItem, Stage, Stuck, Ticket,
};
pub use contradiction::{Comparison, Participant};
pub use event::{CurrentEvent, EventDetails, EventSnapshot};
pub use order::{InvalidItems, Item, Items, Order};
pub use person_name::PersonName;
pub use resend::{NextResend, ResendSchedule};
pub use saga::{create, decide};
pub use status::{Refund, Status, UnknownStatus};
pub use verdict::{DecisionContext, LogEntry, Refusal, Resend, Transition, Verdict};
