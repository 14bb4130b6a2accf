//! A calendar entry (RFC 5545).

use std::fmt::{self, Display, Formatter};

use karcis_kernel::Timestamp;
use uuid::Uuid;

/// An event in a calendar. As text it is a whole file, as `text/calendar` has it.
#[derive(Clone, Copy, Debug)]
pub struct CalendarEntry<'a> {
    /// A program that knows an entry of this id replaces it.
    pub id: Uuid,
    /// Rises with each change.
    pub sequence: i64,
    /// When it last changed.
    pub changed_at: Timestamp,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub title: &'a str,
    pub place: &'a str,
    pub description: &'a str,
    pub status: EntryStatus,
}

/// Whether an entry takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStatus {
    /// It may.
    Tentative,
    Confirmed,
    Cancelled,
}

impl CalendarEntry<'_> {
    /// Its media type.
    pub const MEDIA_TYPE: &'static str = "text/calendar; charset=utf-8";
}

impl Display for CalendarEntry<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            EntryStatus::Tentative => "TENTATIVE",
            EntryStatus::Confirmed => "CONFIRMED",
            EntryStatus::Cancelled => "CANCELLED",
        };
        line(f, "BEGIN:VCALENDAR")?;
        line(f, "VERSION:2.0")?;
        line(f, "PRODID:-//Karcis//Karcis//EN")?;
        line(f, "BEGIN:VEVENT")?;
        line(f, &format!("UID:{}", self.id))?;
        line(f, &format!("SEQUENCE:{}", self.sequence))?;
        line(f, &format!("DTSTAMP:{}", time(self.changed_at)))?;
        line(f, &format!("DTSTART:{}", time(self.starts_at)))?;
        // An end that is not after the start makes the whole file invalid.
        if let Some(ends_at) = self.ends_at.filter(|ends_at| *ends_at > self.starts_at) {
            line(f, &format!("DTEND:{}", time(ends_at)))?;
        }
        line(f, &format!("SUMMARY:{}", escaped(self.title)))?;
        line(f, &format!("LOCATION:{}", escaped(self.place)))?;
        line(f, &format!("DESCRIPTION:{}", escaped(self.description)))?;
        line(f, &format!("STATUS:{status}"))?;
        line(f, "END:VEVENT")?;
        line(f, "END:VCALENDAR")
    }
}

fn time(at: Timestamp) -> impl Display {
    at.format("%Y%m%dT%H%M%SZ")
}

/// The text without what separates texts and lines.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Writes the line in parts of at most 75 bytes, of which each but the first begins with a blank.
fn line(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    const MAX_BYTES: usize = 75;
    let mut rest = text;
    let mut room = MAX_BYTES;
    loop {
        let (part, left) = rest.split_at(rest.floor_char_boundary(room));
        write!(f, "{part}\r\n")?;
        if left.is_empty() {
            return Ok(());
        }
        f.write_str(" ")?;
        (rest, room) = (left, MAX_BYTES - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> CalendarEntry<'static> {
        let at = |text: &str| text.parse().expect("a time");
        CalendarEntry {
            id: Uuid::nil(),
            sequence: 4,
            changed_at: at("2036-08-01T09:03:00.5Z"),
            starts_at: at("2036-08-10T19:00:00+07:00"),
            ends_at: None,
            title: "Angklung Night",
            place: "Saung Udjo, Bandung",
            description: "2 × VIP\n1 × Tribune",
            status: EntryStatus::Confirmed,
        }
    }

    #[test]
    fn an_entry_is_a_file_of_lines() {
        let expected = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Karcis//Karcis//EN",
            "BEGIN:VEVENT",
            "UID:00000000-0000-0000-0000-000000000000",
            "SEQUENCE:4",
            "DTSTAMP:20360801T090300Z",
            "DTSTART:20360810T120000Z",
            "SUMMARY:Angklung Night",
            r"LOCATION:Saung Udjo\, Bandung",
            r"DESCRIPTION:2 × VIP\n1 × Tribune",
            "STATUS:CONFIRMED",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ];
        assert_eq!(entry().to_string(), expected.join("\r\n"));
    }

    #[test]
    fn an_end_is_said_if_it_is_after_the_start() {
        let start = entry().starts_at;
        let hour = std::time::Duration::from_secs(3_600);
        for (ends_at, is_said) in [(start + hour, true), (start, false), (start - hour, false)] {
            let text = CalendarEntry { ends_at: Some(ends_at), ..entry() }.to_string();
            assert_eq!(text.contains("\r\nDTEND:20360810T130000Z\r\n"), is_said, "{text}");
            assert_eq!(text.contains("DTEND"), is_said, "{text}");
        }
    }

    #[test]
    fn nothing_that_was_typed_ends_its_line() {
        let title = "a\r\nSTATUS:CANCELLED;b,c\\d";
        let text = CalendarEntry { title, ..entry() }.to_string();
        assert!(text.contains("\r\nSUMMARY:a\\nSTATUS:CANCELLED\\;b\\,c\\\\d\r\n"), "{text}");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        for title in ["x".repeat(200), "é".repeat(200), "孫".repeat(200), "🎫".repeat(200)] {
            let text = CalendarEntry { title: &title, ..entry() }.to_string();
            assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
            assert!(text.replace("\r\n ", "").contains(&format!("SUMMARY:{title}\r\n")), "{text}");
        }
    }
}
