//! The name of a person.

use std::ops::RangeInclusive;

use karcis_kernel::{InvalidText, one_line};

use super::links::may_be_a_link;

/// 1–200 characters on one line, of which something can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// How many characters it has.
    pub const LENGTH: RangeInclusive<usize> = 1..=200;
    /// How many an e-mail repeats.
    const LONGEST_GREETING: usize = 60;

    /// The name in this text, without the spaces around it.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        one_line(text, Self::LENGTH).map(Self)
    }

    /// The name that was stored. Older releases took characters that are refused now.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an e-mail may repeat it: no mail program makes a link of it, nothing in it hides or turns the
    /// direction of the text, and it is no longer than names are.
    pub fn is_only_a_name(&self) -> bool {
        let is_in_no_name = |c: char| "/:()#&?".contains(c) || c.is_numeric();
        self.0.chars().count() <= Self::LONGEST_GREETING
            && self.0.chars().any(char::is_alphabetic)
            && !self.0.contains(is_in_no_name)
            && !may_be_a_link(&self.0)
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
            ("Sari\n", "Sari"),
            ("Jose\u{301}", "Jos\u{e9}"),
            (longest.as_str(), longest.as_str()),
        ] {
            let name = PersonName::parse(typed);
            assert_eq!(name.as_ref().map(PersonName::as_str), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn nothing_too_much_and_what_turns_text_around_is_no_name() {
        for typed in ["", "   ", "Sa\nri", "Sa\0ri", "Sa\u{85}ri", "\u{202e}iraS", &"é".repeat(201)]
        {
            assert!(PersonName::parse(typed).is_err(), "{typed:?}");
        }
    }
    #[test]
    fn a_mail_repeats_names_and_nothing_that_leads_somewhere() {
        for (typed, is_repeated) in [
            ("Sari", true),
            ("Nur Aini", true),
            ("孫悟空 O'Hara-Ñ", true),
            ("J.R.R. Tolkien", true),
            ("Sammy Davis Jr.", true),
            ("Louis XIV", true),
            ("مریم می\u{200c}خواهم", true),
            ("Pay at https://evil.example", false),
            ("evil.example", false),
            ("go to evil.example/pay now", false),
            ("evil。example", false),
            ("www.evil", false),
            ("go to evil.example.", false),
            ("evil\u{2024}example", false),
            ("Call 0811 555 1234 now", false),
            ("mail me: a@b", false),
            ("Sa\u{200b}ri", false),
            (".", false),
            ("1", false),
            (&"very ".repeat(13), false),
        ] {
            let name = PersonName::parse(typed).expect("it is a name");
            assert_eq!(name.is_only_a_name(), is_repeated, "{typed:?}");
        }
        let of_an_older_release = PersonName::stored("\u{202e}iraS".to_owned());
        assert!(!of_an_older_release.is_only_a_name());
    }
}
