//! Implements the ports in the service's own schema, a file per table or two.

mod accounts;
mod failed_logins;
mod notifications;
mod purge;
mod rows;
mod sessions;
mod signing_keys;

use async_trait::async_trait;
use karcis_http::Readiness;
use karcis_messaging::is_transient;
use sqlx::PgPool;

use crate::application::ports::StoreError;

pub use accounts::PgAccounts;
pub use failed_logins::PgFailedLogins;
pub use notifications::PgNotifications;
pub use purge::purge;
pub use signing_keys::{SigningKey, signing_keys};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::RejectedByStore(error.to_string())
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
