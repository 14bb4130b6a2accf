//! The provider's own names of intents. One that is charged is here, so money is never at an intent that
//! nobody knows.

use karcis_database::{Pool, StoreError};
use karcis_kernel::BookingId;

/// The references of the service's schema.
pub(crate) struct IntentReferences(pub Pool);

/// What is known of a booking's intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The provider's name of it.
    Intent(String),
    /// The booking was voided before it had one, and gets none.
    Voided,
}

impl From<Option<String>> for Reference {
    fn from(reference: Option<String>) -> Self {
        reference.map_or(Self::Voided, Self::Intent)
    }
}

impl IntentReferences {
    /// What is known of this booking's intent; `None` if nothing.
    pub(crate) async fn find(&self, booking: BookingId) -> Result<Option<Reference>, StoreError> {
        let find = "SELECT reference FROM intent_reference WHERE booking_id = $1";
        let find = sqlx::query_scalar(find).bind(booking.0);
        let found: Option<Option<String>> = find.fetch_optional(&self.0).await?;
        Ok(found.map(Reference::from))
    }

    /// Stores this name, or that there is none and never will be, and returns what is stored: what came
    /// first.
    pub(crate) async fn keep(
        &self,
        booking: BookingId,
        name: Option<&str>,
    ) -> Result<Reference, StoreError> {
        // Updated, as ON CONFLICT DO NOTHING would not return what another transaction has just stored.
        let keep = "INSERT INTO intent_reference AS stored (booking_id, reference) VALUES ($1, $2)
                    ON CONFLICT (booking_id) DO UPDATE SET reference = stored.reference
                    RETURNING reference";
        let keep = sqlx::query_scalar(keep).bind(booking.0).bind(name);
        let stored: Option<String> = keep.fetch_one(&self.0).await?;
        Ok(stored.into())
    }
}
