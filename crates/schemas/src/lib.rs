//! The one registry of services: what each is called, where it serves, which schema it owns and which
//! topics it reads and writes. And what makes the schemas and their tables.

mod locked_out;
mod migrate;
mod registry;
mod setup;

pub use locked_out::SetupError;
pub use migrate::migrate;
pub use registry::{
    BOOKING, BOOKINGS, EVENT, EVENTS, PAYMENT, PAYMENTS, SERVICES, SIMULATED_GATEWAY, Schema,
    Service, USER, USERS, schemas,
};
pub use setup::{SETUP, as_owner, connect_options, prepare, role_url, set_up, simulated_gateway};
