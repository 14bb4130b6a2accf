//! What all services share: typed ids, money, roles, ticket codes and a notion of texts. No I/O, no clock.
#![deny(clippy::disallowed_methods)]

mod code;
mod ids;
mod money;
mod planted;
mod role;
mod text;

pub use code::{InvalidTicketCode, TicketCode};
pub use ids::{BookingId, EventId, PaymentId, TicketTypeId, UserId};
pub use money::{Currency, CurrencyMismatch, Money, UnknownCurrency};
pub use planted::Bug;
pub use role::{Role, UnknownRole};
pub use text::{InvalidText, is_seen, many_lines, one_line, same_to_people};

/// A time in UTC. Adapters read it from the clock, to the microsecond as Postgres stores it.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
