//! event-service's rules: what an event is, who may edit it and how, and what becomes of a seat.
//! Pure: time, ids and random bits are passed in.
#![deny(clippy::disallowed_methods)]

mod amounts;
mod decide;
mod event;
mod hold;
mod offer;
mod stock;
mod ticket_type;
mod time_zone;
mod update;
mod wording;

#[cfg(test)]
mod tests;

pub use amounts::{Capacity, PerBooking, Price};
pub use decide::{Decision, UnpaidHolds, confirm, release, reserve};
pub use event::{
    Details, Editor, Event, EventHasBookings, EventOver, Flaw, NewEvent, Stage, Status,
    UnpublishRefused,
};
pub use hold::{
    Address, Answer, Command, EventSnapshot, Hold, Order, Rejection, Reservation, Reserve,
    ReservedItem, Ticket,
};
pub use offer::Availability;
pub use stock::{CapacityBelowSold, OutOfBalance, SoldOut, Stock};
pub use ticket_type::{NewTicketType, TicketType};
pub use time_zone::TimeZone;
pub use update::{EventUpdate, TicketTypeEdit, TicketTypeUpdate, UpdateRefused};
pub use wording::{CancelReason, Description, TicketName, Title, Venue};
