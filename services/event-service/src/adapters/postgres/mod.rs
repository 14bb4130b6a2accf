//! Events, stock and holds in the service's schema.

mod cancelled;
mod catalogue;
mod events;
mod holds;
mod rows;
mod stock_writes;
mod stocks;

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
