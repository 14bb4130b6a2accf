//! The use cases: what this service does, one file each, and the ports they need.

mod apply_inputs;
mod cancel_booking;
mod cancel_event_bookings;
mod create_booking;
mod erase_buyer;
mod fire_timers;
mod ports;
mod unit_of_work;

pub use apply_inputs::{Applied, Rejected, Tally, apply_inputs};
pub use cancel_booking::{CancelBookingError, cancel_booking};
pub use cancel_event_bookings::{Cancelled, Skipping, cancel_event_bookings};
pub use create_booking::{CreateBookingError, Created, create_booking};
pub use erase_buyer::erase_buyer;
pub use fire_timers::fire_timers;
pub use ports::{
    BookingQueries, Bookings, CancelledEvent, CancelledEvents, Change, DueTimer, Sent,
    TimelineEntry, Timers, UnconfirmedBookings,
};
