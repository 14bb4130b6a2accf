//! event-service's rules: what an event is, who may edit it and how, and what happens to a seat.
//! Pure: time, ids and random bits are passed in.
#![deny(clippy::disallowed_methods)]

mod amounts;
mod availability;
mod check_in;
mod dates;
mod decide;
mod duplicate;
mod event;
mod hold;
mod sales;
mod stock;
mod texts;
mod ticket;
mod ticket_type;
mod time_zone;
mod update;

#[cfg(test)]
mod tests;

pub use amounts::{Capacity, PerBooking, PerBuyer, Price};
pub use availability::Availability;
pub use check_in::{CheckIn, DoorResult, DoorTicket, door_status};
pub use decide::{BuyerHolds, Decision, MAX_SEATS, confirm, release, reserve};
pub use duplicate::OutOfCalendar;
pub use event::{
    Details, Editor, Event, EventHasBookings, EventOver, EventSnapshot, FieldError,
    MAX_TICKET_TYPES, NewEvent, Stage, Status, UnpublishRefusal,
};
pub use hold::{
    Command, Hold, HoldRef, Items, RejectReason, Reply, Reservation, Reserve, ReservedItem,
};
pub use sales::{DaySales, Sales, TicketTypeSales};
pub use stock::{CapacityBelowSold, SoldOut, Stock, StockMismatch};
pub use texts::{CancelReason, Description, Gate, TicketName, Title, Venue};
pub use ticket::{IssuedTicket, Ticket, TicketStatus};
pub use ticket_type::{NewTicketType, TicketType};
pub use time_zone::TimeZone;
pub use update::{EventUpdate, TicketTypeEdit, TicketTypeUpdate, UpdateRefusal};
