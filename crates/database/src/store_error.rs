//! Why a store did not do what it was asked: it may work later, or it never will.

use std::{error::Error, sync::Arc};

/// What a [`StoreError`] was caused by. Shared, since one failure can answer a whole group.
type Cause = Arc<dyn Error + Send + Sync>;

/// Why the store could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later. Whether a commit has landed is unknown: load again and compare.
    #[error("the store is unavailable, try again later")]
    Unavailable(#[source] Cause),
    /// The same data is rejected every time.
    #[error("the store rejects the data")]
    RejectedByStore(#[source] Cause),
}

impl StoreError {
    /// [`Self::Unavailable`], because of an error or of what a text says.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into().into())
    }

    /// [`Self::RejectedByStore`], because of an error or of what a text says.
    pub fn rejected(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::RejectedByStore(cause.into().into())
    }
}

impl From<sqlx::Error> for StoreError {
    /// Only what is the data's own fault is rejected: SQLSTATE 22 and 23, a value that cannot be
    /// encoded, a stored one that cannot be decoded. Everything else may heal.
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) { Self::unavailable(error) } else { Self::rejected(error) }
    }
}

/// Whether the same statement may succeed later.
fn is_transient(error: &sqlx::Error) -> bool {
    use sqlx::Error::{ColumnDecode, Database, Decode, Encode, InvalidArgument};
    match error {
        Database(error) => {
            !error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        Encode(_) | InvalidArgument(_) | Decode(_) | ColumnDecode { .. } => false,
        _ => true,
    }
}
