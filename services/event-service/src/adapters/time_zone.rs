//! Looks time zones up in the IANA database.

use chrono::{NaiveDate, SecondsFormat};
use karcis_kernel::Timestamp;

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

/// The time on the clocks of this zone, with its distance from UTC.
pub(super) fn local_time(at: Timestamp, zone: TimeZone) -> String {
    let zone: chrono_tz::Tz = zone.as_str().parse().unwrap_or_default();
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The day on the calendars of this zone.
pub(super) fn local_date(at: Timestamp, zone: TimeZone) -> NaiveDate {
    let zone: chrono_tz::Tz = zone.as_str().parse().unwrap_or_default();
    at.with_timezone(&zone).date_naive()
}
