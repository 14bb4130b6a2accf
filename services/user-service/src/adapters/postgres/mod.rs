//! Implements the ports in the service's own schema, a file per table or two.

mod accounts;
mod failed_logins;
mod notifications;
mod purge;
mod rows;
mod sessions;
mod signing_keys;

pub use accounts::PgAccounts;
pub use failed_logins::PgFailedLogins;
pub use notifications::PgNotifications;
pub use purge::purge;
pub use signing_keys::{SigningKey, signing_keys};
