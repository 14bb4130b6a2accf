//! The types that all services share: typed ids, money, roles and ticket codes. No I/O, no clock.
#![deny(clippy::disallowed_methods)]

mod code;
mod ids;
mod money;
mod role;

pub use code::{InvalidTicketCode, TicketCode};
pub use ids::{BookingId, EventId, PaymentId, TicketTypeId, UserId};
pub use money::{Currency, CurrencyMismatch, Money, UnknownCurrency};
pub use role::{Role, UnknownRole};

/// A time in UTC. Adapters read it from the clock, to the microsecond as Postgres stores it.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
