//! What is kept, in the service's own schema.

mod accounts;
mod failed_logins;
mod notices;
mod sessions;
mod signing_keys;
mod tidy;

use karcis_database::is_transient;

use crate::application::ports::StoreError;

pub use accounts::PgAccounts;
pub use failed_logins::PgFailedLogins;
pub use notices::PgNotices;
pub use signing_keys::{SigningKey, signing_keys};
pub use tidy::tidy;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Broken(error.to_string())
        }
    }
}
