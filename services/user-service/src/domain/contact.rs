//! A person's language and time zone.

use std::ops::RangeInclusive;

use chrono::DateTime;
use karcis_kernel::Timestamp;

/// A language tag of BCP 47's shape, such as `id-ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// A text that is no language tag.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a language tag such as id-ID")]
pub struct InvalidLocale;

impl Locale {
    /// How many characters it has.
    pub const LENGTH: RangeInclusive<usize> = 2..=35;

    /// What a tag matches.
    pub const PATTERN: &str = r"^[A-Za-z]{2,3}((-[A-Za-z0-9]{1,8})*-[A-Za-z0-9]{2,8})?$";

    /// The tag in this text. Only its shape is checked, not whether the language is registered.
    pub fn parse(text: &str) -> Result<Self, InvalidLocale> {
        let tag = text.trim();
        let mut subtags = tag.split('-');
        let is_language = subtags.next().is_some_and(|language| {
            (2..=3).contains(&language.len()) && language.bytes().all(|c| c.is_ascii_alphabetic())
        });
        let are_subtags = subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|c| c.is_ascii_alphanumeric())
        });
        if is_language
            && are_subtags
            && !ends_in_singleton(tag)
            && Self::LENGTH.contains(&tag.len())
        {
            Ok(Self(tag.to_owned()))
        } else {
            Err(InvalidLocale)
        }
    }

    /// The language of e-mails to people with this tag.
    pub fn language(&self) -> Language {
        let language = self.0.split('-').next().unwrap_or_default().to_ascii_lowercase();
        match language.as_str() {
            // Today's code, that of ISO 639-2, and the one that old devices send.
            "id" | "ind" | "in" => Language::Indonesian,
            _ => Language::English,
        }
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A language that e-mails are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Indonesian,
}

/// Whether the last subtag is one character: it announces an extension, which is missing.
fn ends_in_singleton(tag: &str) -> bool {
    tag.rsplit('-').next().is_some_and(|last| last.len() == 1)
}

/// An IANA time zone, such as `Asia/Jakarta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeZone(chrono_tz::Tz);

/// A text that names no IANA time zone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an IANA time zone such as Asia/Jakarta")]
pub struct UnknownTimeZone;

impl TimeZone {
    /// For where the zone is not known.
    pub const UTC: Self = Self(chrono_tz::UTC);

    /// What clocks in the zone show at this time.
    pub fn local(self, at: Timestamp) -> DateTime<chrono_tz::Tz> {
        at.with_timezone(&self.0)
    }

    /// The zone with the name in this text.
    pub fn parse(text: &str) -> Result<Self, UnknownTimeZone> {
        text.trim().parse().map(Self).map_err(|_| UnknownTimeZone)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_has_the_shape_of_a_language_tag() {
        for tag in
            ["id", "id-ID", "zh-Hant-TW", "sl-rozaj-biske", "de-1996", "en-u-ca-gregory", "jav"]
        {
            assert_eq!(Locale::parse(tag).as_ref().map(Locale::as_str), Ok(tag));
        }
        for typed in [
            "",
            "i",
            "id_ID",
            "id-",
            "-ID",
            "id--ID",
            "12",
            "id-toolongsubtag",
            "indonesian",
            "id-ID;q=1",
            "en-u",
            &["id"; 13].join("-"),
        ] {
            assert_eq!(Locale::parse(typed), Err(InvalidLocale), "{typed:?}");
        }
    }

    #[test]
    fn a_language_is_that_of_the_first_subtag() {
        for (tag, language) in [
            ("id", Language::Indonesian),
            ("id-ID", Language::Indonesian),
            ("ID-Latn-ID", Language::Indonesian),
            ("ind", Language::Indonesian),
            ("in-ID", Language::Indonesian),
            ("en-ID", Language::English),
            ("ido", Language::English),
            ("jv-ID", Language::English),
        ] {
            assert_eq!(Locale::parse(tag).map(|tag| tag.language()), Ok(language), "{tag}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        for name in ["Asia/Jakarta", "UTC", "America/Argentina/Buenos_Aires"] {
            assert_eq!(TimeZone::parse(name).map(TimeZone::as_str), Ok(name));
        }
        for typed in ["", "Jakarta", "Asia/Bandung", "+07:00", "asia jakarta"] {
            assert_eq!(TimeZone::parse(typed), Err(UnknownTimeZone), "{typed:?}");
        }
    }
}
