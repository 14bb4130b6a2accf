//! Why a store did not do what it was asked, and whether it may work later.

use std::{error::Error, sync::Arc};

use metrics::{counter, describe_counter};
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

const DISK_FULL: &str = "karcis_disk_full_total";

/// Describes the counter of statements for which the server had no room, and begins it at 0.
pub fn describe_full_disk() {
    describe_counter!(DISK_FULL, "Statements that failed as the database's disk is full.");
    counter!(DISK_FULL).increment(0);
}

/// What a [`StoreError`] was caused by. Shared, since one failure can answer a whole group.
type Cause = Arc<dyn Error + Send + Sync>;

/// Why the store could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later. Whether a commit has landed is unknown: load again and compare.
    #[error("the store is unavailable, try again later")]
    Unavailable(#[source] Cause),
    /// Another transaction was in the way. Nothing was written: the same may be tried at once.
    #[error("another transaction is in the way, try again")]
    Contended(#[source] Cause),
    /// Too much work is waiting. Nothing was done, and trying again at once makes it worse.
    #[error("the store is busy, try again later")]
    Busy(#[source] Cause),
    /// The same data is rejected every time.
    #[error("the store rejects the data")]
    RejectedByStore(#[source] Cause),
}

impl StoreError {
    /// [`Self::Unavailable`], because of an error or of what a text says.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into().into())
    }

    /// [`Self::Contended`], because of an error or of what a text says.
    pub fn contended(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Contended(cause.into().into())
    }

    /// [`Self::Busy`], because of an error or of what a text says.
    pub fn busy(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Busy(cause.into().into())
    }

    /// [`Self::RejectedByStore`], because of an error or of what a text says.
    pub fn rejected(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::RejectedByStore(cause.into().into())
    }
}

impl From<sqlx::Error> for StoreError {
    /// Only what is the data's own fault is rejected: SQLSTATE 22 and 23, a value that cannot be
    /// encoded, a stored one that cannot be decoded. Serialization failures, deadlocks and timeouts of
    /// a row's lock are contention. Everything else may heal, a locked table and a full disk too.
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{ColumnDecode, Database, Decode, Encode, InvalidArgument};
        match &error {
            Database(cause) => match cause.code().as_deref() {
                Some("55P03") if !is_about_a_row(&**cause) => Self::unavailable(error),
                Some("40001" | "40P01" | "55P03") => Self::contended(error),
                Some(code) if code.starts_with("22") || code.starts_with("23") => {
                    Self::rejected(error)
                }
                Some("53100") => {
                    counter!(DISK_FULL).increment(1);
                    Self::unavailable(error)
                }
                _ => Self::unavailable(error),
            },
            Encode(_) | InvalidArgument(_) | Decode(_) | ColumnDecode { .. } => {
                Self::rejected(error)
            }
            _ => Self::unavailable(error),
        }
    }
}

/// Of a lock timeout: whether a row was waited for. Then the server says which one, as the context;
/// with a table's lock, every row is waited for in vain.
fn is_about_a_row(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| error.r#where().is_some())
}
