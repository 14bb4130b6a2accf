//! The texts people write, within their limits.

use std::fmt;

/// A text that is too short, too long, or has control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give {at_least} to {at_most} characters, no control characters")]
pub struct BadWording {
    at_least: usize,
    at_most: usize,
}

macro_rules! wording {
    ($($(#[$doc:meta])* $name:ident: $at_least:literal to $at_most:literal, line breaks: $breaks:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadWording;

            fn try_from(text: String) -> Result<Self, BadWording> {
                let bad = BadWording { at_least: $at_least, at_most: $at_most };
                let allowed = |c: char| !c.is_control() || ($breaks && matches!(c, '\n' | '\r'));
                let trimmed = text.trim();
                let length = trimmed.chars().count();
                if !text.chars().all(allowed) || !($at_least..=$at_most).contains(&length) {
                    return Err(bad);
                }
                Ok(Self(if trimmed.len() == text.len() { text } else { trimmed.to_owned() }))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

wording! {
    /// What an event is called.
    Title: 1 to 200, line breaks: false;
    /// Where an event takes place.
    Venue: 1 to 200, line breaks: false;
    /// What an event is about.
    Description: 0 to 10_000, line breaks: true;
    /// What a ticket type is called.
    TicketName: 1 to 200, line breaks: false;
    /// Why an event is cancelled, as its buyers read it.
    CancelReason: 1 to 1_000, line breaks: true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_1_to_200_characters_none_of_them_control_characters() {
        for (text, good) in [
            ("", false),
            ("   ", false),
            ("x", true),
            (&"é".repeat(200), true),
            (&"é".repeat(201), false),
            ("two\nlines", false),
            ("nul\0", false),
        ] {
            assert_eq!(Title::try_from(text.to_owned()).is_ok(), good, "{text:?}");
        }
    }

    #[test]
    fn only_descriptions_and_reasons_have_line_breaks() {
        assert!(Description::try_from("two\r\nlines".to_owned()).is_ok());
        assert!(CancelReason::try_from("two\nlines".to_owned()).is_ok());
        assert!(Description::try_from("a tab\t".to_owned()).is_err());
        assert!(Description::try_from(String::new()).is_ok());
        assert!(Description::try_from("x".repeat(10_001)).is_err());
    }

    #[test]
    fn outer_blanks_are_cut() {
        let title = Title::try_from("  Konser  ".to_owned()).expect("a title");
        assert_eq!(title.as_str(), "Konser");
    }
}
