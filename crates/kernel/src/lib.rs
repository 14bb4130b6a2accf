//! The words every service shares: typed ids, money, roles and ticket codes. No I/O, no clock.

mod code;
mod ids;
mod money;
mod role;

pub use code::{InvalidTicketCode, TicketCode};
pub use ids::{BookingId, EventId, PaymentId, TicketTypeId, UserId};
pub use money::{Currency, CurrencyMismatch, Money, UnknownCurrency};
pub use role::{Role, UnknownRole};

/// A moment in UTC. The adapters read the clock and cut it to microseconds, as Postgres stores it.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
