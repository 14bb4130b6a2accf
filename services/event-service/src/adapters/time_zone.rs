//! Looks time zones up in the IANA database.

use crate::domain::TimeZone;

/// A name that is not in the database.
#[derive(Debug, thiserror::Error)]
#[error("give an IANA time zone such as Asia/Jakarta")]
pub(super) struct UnknownTimeZone;

/// The zone of this name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    let zone: chrono_tz::Tz = name.parse().map_err(|_| UnknownTimeZone)?;
    Ok(TimeZone::named(zone.name()))
}
