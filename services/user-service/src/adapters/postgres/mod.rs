//! The ports in the service's own schema, a file per table or two.

mod accounts;
mod failed_logins;
mod known_peers;
mod notifications;
mod purge;
mod rows;
mod sessions;
mod signing_keys;

pub(crate) use accounts::PgAccounts;
pub(crate) use failed_logins::PgFailedLogins;
pub(crate) use notifications::PgNotifications;
pub(super) use purge::purge;
pub use signing_keys::{KeyError, KeyKeeper, published_keys, retire_key, rotate_keys};
pub(crate) use signing_keys::{SigningKey, signing_keys};
