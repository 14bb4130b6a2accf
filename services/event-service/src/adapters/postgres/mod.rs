//! Events, stock and holds in the service's schema.

mod cancelled;
mod catalogue;
mod events;
mod holds;
mod rows;
mod stock_writes;
mod stocks;

use async_trait::async_trait;
use karcis_process::Readiness;
use sqlx::PgPool;

pub use cancelled::PgCancelledEvents;
pub use catalogue::PgCatalogue;
pub use events::PgEvents;
pub use stocks::PgStocks;

use crate::application::ports::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if karcis_database::is_transient(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Refused(error.to_string())
        }
    }
}

/// Whether the database answers.
pub struct PgReadiness(pub PgPool);

#[async_trait]
impl Readiness for PgReadiness {
    async fn ready(&self) -> Result<(), String> {
        let asked = sqlx::query("SELECT 1").execute(&self.0).await;
        asked.map(|_| ()).map_err(|error| {
            tracing::warn!(%error, "not ready");
            "the database does not answer".to_owned()
        })
    }
}
