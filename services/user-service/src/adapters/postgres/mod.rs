//! The ports in the service's own schema, a file per table or two.

mod account_mails;
mod accounts;
mod failed_logins;
mod known_peers;
mod mail_counts;
mod notifications;
mod purge;
mod rows;
mod sessions;
mod signing_keys;
mod stored_json;

pub(crate) use account_mails::PgAccountMails;
pub(crate) use accounts::PgAccounts;
pub(crate) use failed_logins::PgFailedLogins;
pub(crate) use mail_counts::PgMailCounts;
pub(crate) use notifications::PgNotifications;
pub(super) use purge::purge;
pub use signing_keys::{KeyError, KeyKeeper, published_keys, retire_key, rotate_keys};
pub(crate) use signing_keys::{SigningKey, signing_keys};
