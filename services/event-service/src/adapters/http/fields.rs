//! Fields of requests, parsed into what the domain takes.

use std::fmt::Display;

use chrono::{Datelike, SubsecRound};
use karcis_http::{FieldError, FieldErrors, LINE, Patch, Problem, texts};
use karcis_kernel::Timestamp;

use crate::domain::Flaw;

texts! {
    /// What an event is called; spaces around it are taken away.
    EventTitle: 1 to 200, LINE, such as "Angklung Night";
    /// Where it takes place; spaces around it are taken away.
    VenueName: 1 to 200, LINE, such as "Saung Udjo, Bandung";
    /// What a ticket type is called; spaces around it are taken away.
    TicketTypeName: 1 to 200, LINE, such as "VIP";
    /// What an event is about; lines may break.
    LongText: 0 to 10_000, r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]*$", such as "An evening of bamboo.";
}

/// A time that no event of ours has.
#[derive(Debug, thiserror::Error)]
#[error("give a time in the years 1970 to 9999")]
pub struct OutOfTime;

/// The time to the microsecond, as it is stored.
pub fn moment(at: Timestamp) -> Result<Timestamp, OutOfTime> {
    if (1970..=9999).contains(&at.year()) { Ok(at.trunc_subsecs(6)) } else { Err(OutOfTime) }
}

/// The parsed value of a field that may be absent; the outer `None` is a noted error.
pub fn optional<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    value: Option<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    match value {
        None => Some(None),
        Some(value) => fields.check(field, parse(value)).map(Some),
    }
}

/// The change of a field that can be cleared.
pub fn clearable<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    change: Patch<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    match change {
        Patch::Unchanged => None,
        Patch::Null => Some(None),
        Patch::Value(value) => fields.check(field, parse(value)).map(Some),
    }
}

/// The change of a field that every event has.
pub fn kept<T, U, E: Display>(
    fields: &mut FieldErrors,
    field: &str,
    change: Patch<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Option<U> {
    match change {
        Patch::Unchanged => None,
        Patch::Null => {
            fields.add(field, "give a value, or leave the field out to keep the one it has");
            None
        }
        Patch::Value(value) => fields.check(field, parse(value)),
    }
}

/// 422 that names what the domain found wrong.
pub fn flawed(flaws: Vec<Flaw>) -> Problem {
    let field = |flaw: Flaw| FieldError { field: flaw.field, message: flaw.message.to_owned() };
    Problem::invalid(flaws.into_iter().map(field).collect())
}
