//! What this service hears.

mod bookings;

pub use bookings::Bookings;
