//! Times in requests: RFC 3339 and nothing else, to the microsecond as Postgres stores them.

use std::fmt;

use chrono::{DateTime, SubsecRound, TimeDelta};
use karcis_kernel::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

/// What to give, as the messages say it.
const TIME: &str = "a time such as 2026-05-01T19:30:00Z";

/// A time as RFC 3339 writes it (`2026-05-01T19:30:00Z`, `2026-05-02T02:30:00+07:00`) in the years 1970 to
/// 9999, without the last day of 9999; else 422 that names the cause. A leap second is the second after it, and
/// what is beyond microseconds is cut off, so that what is compared and answered is what is stored. Use it for
/// every time in a body, query or cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Time(pub Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TimeText)
    }
}

struct TimeText;

impl Visitor<'_> for TimeText {
    type Value = Time;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(TIME)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        // chrono takes other separators, and a minus that is not ASCII.
        let is_written_so = text.is_ascii() && matches!(text.get(10..11), Some("T" | "t"));
        let parsed = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_written_so);
        let at = stored(parsed.ok_or_else(|| E::custom(instead(text)))?.to_utc());
        at.map(Time).ok_or_else(|| E::custom("give a time in the years 1970 to 9999"))
    }
}

/// 9999-12-31T00:00:00Z: up to here a year has four digits in every time zone.
const END_S: i64 = 253_402_214_400;

/// The time as Postgres stores it; `None`: its year is none of those.
fn stored(at: Timestamp) -> Option<Timestamp> {
    // chrono has a leap second as the second before it, with more than a second of nanoseconds.
    let after_second = TimeDelta::nanoseconds(at.timestamp_subsec_nanos().into());
    let at = DateTime::from_timestamp_secs(at.timestamp())? + after_second;
    (0..END_S).contains(&at.timestamp()).then(|| at.trunc_subsecs(6))
}

/// What to give instead of this text.
fn instead(text: &str) -> String {
    let clock = text.get(11..).unwrap_or_default();
    let offset = clock.find(['+', '-']).and_then(|start| clock.get(start..));
    let cause = match (text.get(10..11), offset) {
        (Some("T" | "t"), _) if has_blank_for_plus(clock) => {
            ": in a query, write the + of its offset as %2B"
        }
        (Some("T" | "t"), _) if clock.contains(' ') => ": leave out the blank",
        (Some("T" | "t"), Some(offset)) if !offset.contains(':') => {
            ": write its offset with a colon, such as +07:00"
        }
        (Some("T" | "t"), None) if !clock.ends_with(['Z', 'z']) => {
            ": end it with Z or an offset such as +07:00"
        }
        (Some(" "), _) => ": write a T between its date and time",
        _ => "",
    };
    format!("give {TIME}{cause}")
}

/// Whether a digit follows a blank in the place of the offset.
fn has_blank_for_plus(clock: &str) -> bool {
    clock.split_once(' ').is_some_and(|(time, offset)| {
        time.len() >= "00:00:00".len()
            && !time.contains(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
            && offset.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use serde::de::{IntoDeserializer, value};

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let text: value::StrDeserializer<'_, value::Error> = text.into_deserializer();
        let time = Time::deserialize(text).map_err(|error| error.to_string())?;
        Ok(time.0.to_rfc3339())
    }

    #[test]
    fn what_rfc_3339_allows_is_read() {
        for (text, time) in [
            ("2026-05-01T19:30:00Z", "2026-05-01T19:30:00+00:00"),
            ("2026-05-01t19:30:00.25z", "2026-05-01T19:30:00.250+00:00"),
            ("2026-05-02T02:30:00+07:00", "2026-05-01T19:30:00+00:00"),
            ("2026-05-01T14:00:00-05:30", "2026-05-01T19:30:00+00:00"),
            ("2026-05-01T19:30:00-00:00", "2026-05-01T19:30:00+00:00"),
            // Postgres has no leap seconds: it stores the second after.
            ("2036-12-31T23:59:60Z", "2037-01-01T00:00:00+00:00"),
            ("2037-01-01T06:59:60.75+07:00", "2037-01-01T00:00:00.750+00:00"),
            ("2031-06-30T12:15:60.999999999Z", "2031-06-30T12:16:00.999999+00:00"),
            // Nor has it more than microseconds.
            ("2026-05-01T19:30:00.1234567Z", "2026-05-01T19:30:00.123456+00:00"),
            ("2026-05-01T23:59:59.9999999Z", "2026-05-01T23:59:59.999999+00:00"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
            ("9999-12-30T23:59:59.999999Z", "9999-12-30T23:59:59.999999+00:00"),
            ("9999-12-31T13:59:59+14:00", "9999-12-30T23:59:59+00:00"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(time), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_cause() {
        for (text, cause) in [
            ("2026-05-02T02:30:00+0700", ": write its offset with a colon, such as +07:00"),
            ("2026-05-02T02:30:00-0530", ": write its offset with a colon, such as +07:00"),
            ("2026-05-02T02:30:00+07", ": write its offset with a colon, such as +07:00"),
            ("2026-05-02T02:30:00 07:00", ": in a query, write the + of its offset as %2B"),
            ("2026-05-02T02:30:00 0700", ": in a query, write the + of its offset as %2B"),
            ("2026-05-02T02:30:00.25 05:30", ": in a query, write the + of its offset as %2B"),
            ("2026-05-02T02:30:00 +07:00", ": leave out the blank"),
            ("2026-05-02T02:30:00+07:00 ", ": leave out the blank"),
            ("2026-05-02T02:30:00+07 00", ": leave out the blank"),
            ("2026-05-01T19:30:00 Z", ": leave out the blank"),
            ("2026-05-01T19:30:00Z 1", ": leave out the blank"),
            ("2026-05-01T 19:30:00Z", ": leave out the blank"),
            ("2026-05-01T19:30: 00Z", ": leave out the blank"),
            ("2026-05-01T19:30:00", ": end it with Z or an offset such as +07:00"),
            ("2026-05-01T19:30", ": end it with Z or an offset such as +07:00"),
            ("2026-05-01 19:30:00Z", ": write a T between its date and time"),
            ("2026-05-01T19:30:00\u{2212}07:00", ": end it with Z or an offset such as +07:00"),
            ("2026-05-01T19:30Z", ""),
            ("2026-05-01", ""),
            ("tomorrow", ""),
            ("2026-02-30T19:30:00Z", ""),
            ("1777663800", ""),
            ("", ""),
        ] {
            assert_eq!(read(text), Err(format!("give {TIME}{cause}")), "{text:?}");
        }
    }

    #[test]
    fn years_that_an_answer_or_the_database_may_not_have_are_refused() {
        for text in [
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01T00:00:00+00:01",
            "0000-01-01T00:00:00Z",
            "0000-01-01T00:00:00+23:59",
            "9999-12-30T23:59:60Z",
            "9999-12-31T00:00:00Z",
            "9999-12-30T23:59:59-00:01",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert_eq!(
                read(text),
                Err("give a time in the years 1970 to 9999".to_owned()),
                "{text:?}"
            );
        }
        for text in ["10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "-0001-12-31T00:00:00Z"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
