//! The one registry of services: what each is called, where it serves, which schema it owns and which
//! topics it reads and writes.

mod registry;
mod setup;

pub use registry::{
    BOOKING, BOOKINGS, EVENT, EVENTS, PAYMENT, PAYMENTS, SERVICES, SIMULATED_GATEWAY, Schema,
    Service, USER, USERS, schemas,
};
pub use setup::{
    SETUP, SetupError, as_owner, connect_options, prepare, role_url, set_up, simulated_gateway,
};
