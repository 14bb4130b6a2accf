//! The use cases: what this service does, one file each, and the ports they need.

mod apply_by_operator;
mod apply_inputs;
mod apply_to_event;
mod cancel_booking;
mod cancel_by_operator;
mod create_booking;
mod erase_buyer;
mod fire_timers;
#[cfg(any(test, feature = "port-tests"))]
pub mod port_tests;
mod ports;
mod record_events;
mod resend_tickets;
mod resume_saga;
mod unit_of_work;

pub use apply_by_operator::OperatorError;
pub use apply_inputs::{Applied, Rejected, Tally, apply_inputs};
pub use apply_to_event::{AppliedToEvent, Skipping, apply_to_event};
pub use cancel_booking::{CancelBookingError, cancel_booking};
pub use cancel_by_operator::cancel_by_operator;
pub use create_booking::{CreateBookingError, Created, create_booking};
pub use erase_buyer::erase_buyer;
pub use fire_timers::fire_timers;
pub use ports::{
    BookingNames, BookingQueries, Bookings, Change, DueTimer, EventEdit, Events, NamedBooking,
    NamedBookings, OpenEvent, OpenEvents, SagaFilter, SagaQueries, Sent, SetAside, TimelineEntry,
    Timers, UnconfirmedBookings,
};
pub use record_events::{EventNews, record_events};
pub use resend_tickets::{ResendTicketsError, resend_tickets};
pub use resume_saga::resume_saga;
