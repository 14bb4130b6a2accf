//! The name of a person.

use std::ops::RangeInclusive;

/// 1–200 characters, trimmed, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PersonName(String);

/// A text that cannot be a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("give 1 to 200 characters, no control characters")]
pub(crate) struct InvalidName;

impl PersonName {
    /// How many characters it has.
    pub(crate) const LENGTH: RangeInclusive<usize> = 1..=200;

    /// The name in this text, without the spaces around it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim();
        if Self::LENGTH.contains(&name.chars().count()) && !name.chars().any(char::is_control) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_anything_people_are_called() {
        let longest = "é".repeat(200);
        for (typed, stored) in [
            ("Sari", "Sari"),
            ("  Nur Aini  ", "Nur Aini"),
            ("X", "X"),
            ("孫悟空 O'Hara-Ñ", "孫悟空 O'Hara-Ñ"),
            (longest.as_str(), longest.as_str()),
        ] {
            let name = PersonName::parse(typed);
            assert_eq!(name.as_ref().map(PersonName::as_str), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn nothing_too_much_and_control_characters_are_no_name() {
        for typed in ["", "   ", "Sa\nri", "Sa\0ri", "Sa\u{85}ri", &"é".repeat(201)] {
            assert_eq!(PersonName::parse(typed), Err(InvalidName), "{typed:?}");
        }
    }
}
