//! The tables of the services and of the provider, in memory. Each function is one statement or transaction
//! of the adapter that its file names.

mod bookings;
mod events;
mod known_events;
mod payments;
mod provider;
mod users;

pub(crate) use bookings::{BookingRows, sent};
pub(crate) use events::EventRows;
pub(crate) use known_events::Open;
pub(crate) use payments::PaymentRows;
pub(crate) use provider::Provider;
pub(crate) use users::UserRows;

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) bookings: BookingRows,
    pub(crate) events: EventRows,
    pub(crate) payments: PaymentRows,
    pub(crate) users: UserRows,
    pub(crate) provider: Provider,
}
