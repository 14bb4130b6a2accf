//! What was read of a table, with the rows that this release cannot read.
//!
//! Guarantees: a row that cannot be read is named and left as it is, and the rows beside it are read.
//! Each one is counted, and logged at most once a minute.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use metrics::{counter, describe_counter};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::StoreError;

const UNREADABLE_ROWS: &str = "karcis_unreadable_rows_total";
/// After this time an unreadable row is logged again.
const LOG_AGAIN: Duration = Duration::from_secs(60);
/// How many unreadable rows are logged in that time: there may be thousands.
const LOGGED_AT_MOST: usize = 20;

/// Describes the counter of unreadable rows, and begins it at 0.
pub fn describe_unreadable_rows() {
    describe_counter!(
        UNREADABLE_ROWS,
        "Rows that were read but not understood: damaged, or written by a newer release."
    );
    counter!(UNREADABLE_ROWS).increment(0);
}

/// A stored row that cannot be read: it is damaged, or a newer release wrote it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the {row} {id} is unreadable: {why}")]
pub struct UnreadableRow {
    /// What kind of row it is, such as `booking`.
    pub row: &'static str,
    pub id: Uuid,
    pub why: String,
}

impl UnreadableRow {
    /// Counts the row, and logs it if that is due.
    pub fn new(row: &'static str, id: Uuid, why: impl ToString) -> Self {
        let why = why.to_string();
        counter!(UNREADABLE_ROWS).increment(1);
        if is_log_due(id) {
            tracing::error!(row, %id, why, "a row is unreadable: it is left as it is");
        }
        Self { row, id, why }
    }
}

impl From<UnreadableRow> for StoreError {
    /// Trying again changes nothing.
    fn from(unreadable: UnreadableRow) -> Self {
        Self::rejected(unreadable)
    }
}

fn is_log_due(id: Uuid) -> bool {
    static LOGGED: Mutex<Option<(Instant, HashSet<Uuid>)>> = Mutex::new(None);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.as_ref().is_none_or(|(since, _)| since.elapsed() > LOG_AGAIN) {
        *logged = Some((Instant::now(), HashSet::new()));
    }
    logged.as_mut().is_some_and(|(_, ids)| ids.len() < LOGGED_AT_MOST && ids.insert(id))
}

/// What was read, and the rows that cannot be read.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    pub found: Vec<T>,
    pub unreadable: Vec<UnreadableRow>,
}

impl<T> Loaded<T> {
    /// Reads each of `rows` by itself: its columns as an `R`, and what `parse` makes of that. `row`
    /// says what kind of rows they are, `id` names the column that identifies one.
    pub fn read<R, E: ToString>(
        row: &'static str,
        id: &str,
        rows: &[PgRow],
        parse: impl Fn(R) -> Result<T, E>,
    ) -> Self
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        rows.iter().map(|it| read_row(row, id, it, &parse)).collect()
    }

    /// What was read of each row, or why it cannot be read. `id` gives that of what was read.
    pub fn by_id(self, id: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Result<T, UnreadableRow>> {
        let found = self.found.into_iter().map(|it| (id(&it), Ok(it)));
        found.chain(self.unreadable.into_iter().map(|row| (row.id, Err(row)))).collect()
    }

    /// The only row that was asked for, or why it cannot be read.
    pub fn one(self) -> Result<Option<T>, StoreError> {
        match self.unreadable.into_iter().next() {
            Some(unreadable) => Err(unreadable.into()),
            None => Ok(self.found.into_iter().next()),
        }
    }
}

/// One row's columns as an `R`, and what `parse` makes of that.
pub fn read_row<R, T, E: ToString>(
    row: &'static str,
    id: &str,
    stored: &PgRow,
    parse: impl Fn(R) -> Result<T, E>,
) -> Result<T, UnreadableRow>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    let unreadable =
        |why: String| UnreadableRow::new(row, stored.try_get(id).unwrap_or_default(), why);
    let columns = R::from_row(stored).map_err(|error| unreadable(error.to_string()))?;
    parse(columns).map_err(|error| unreadable(error.to_string()))
}

impl<T> FromIterator<Result<T, UnreadableRow>> for Loaded<T> {
    fn from_iter<I: IntoIterator<Item = Result<T, UnreadableRow>>>(rows: I) -> Self {
        let mut loaded = Self { found: Vec::new(), unreadable: Vec::new() };
        for row in rows {
            match row {
                Ok(found) => loaded.found.push(found),
                Err(unreadable) => loaded.unreadable.push(unreadable),
            }
        }
        loaded
    }
}
