//! What is kept, in the service's own schema.

mod accounts;
mod failed_logins;
mod notices;
mod sessions;
mod signing_keys;
mod tidy;

use async_trait::async_trait;
use karcis_database::is_transient;
use karcis_process::Readiness;
use sqlx::PgPool;

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

/// Ready while the database answers.
pub struct DatabaseAnswers(pub PgPool);

#[async_trait]
impl Readiness for DatabaseAnswers {
    async fn ready(&self) -> Result<(), String> {
        let answer = sqlx::query("SELECT 1").execute(&self.0).await;
        answer.map(drop).map_err(|_| "the database does not answer".to_owned())
    }
}
