//! The rules of a booking: what it is, how its saga moves, and what a buyer sees of it.
#![deny(clippy::disallowed_methods)]

mod booking;
mod order;
mod saga;
mod status;

#[cfg(test)]
mod explored;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod table;

pub use booking::{
    Booking, Cause, EventSnapshot, Input, Message, Offer, OfferedItem, RejectReason, Resend, Stage,
    Stuck, Ticket,
};
pub use order::{Item, Items, Order, WrongItems};
pub use saga::{LogEntry, Refusal, Step, Verdict, decide, place};
pub use status::{Refund, Status, UnknownStatus};
