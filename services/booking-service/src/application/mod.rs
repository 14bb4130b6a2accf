//! The use cases: what this service does, one file each, and the ports they need.

mod advance;
mod cancel_booking;
mod cancel_event_bookings;
mod create_booking;
mod erase_buyer;
mod ports;
mod take_replies;
mod wake_up;

pub use advance::Tally;
pub use cancel_booking::{CancelBookingError, cancel_booking};
pub use cancel_event_bookings::cancel_event_bookings;
pub use create_booking::{CreateBookingError, Created, create_booking};
pub use erase_buyer::erase_buyer;
pub use ports::{
    Alarms, BookingQueries, Bookings, CancelledEvent, CancelledEvents, Change, Creation,
    RequestKey, Ringing, Sent, SoldTicket, StoreError, TimelineEntry,
};
pub use take_replies::take_replies;
pub use wake_up::wake_up;
