//! The texts people write, within their limits.

use std::fmt;

/// A text that is too short, too long, or has control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give {min_chars} to {max_chars} characters, no control characters")]
pub struct InvalidText {
    min_chars: usize,
    max_chars: usize,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal $lines:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub const MIN_CHARS: usize = $min;
            pub const MAX_CHARS: usize = $max;
            /// Whether the text may have line breaks.
            pub const MULTILINE: bool = texts!(@ $lines);

            /// The text without spaces around it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                let allowed =
                    |c: char| !c.is_control() || (Self::MULTILINE && matches!(c, '\n' | '\r'));
                let trimmed = text.trim();
                let length = Self::MIN_CHARS..=Self::MAX_CHARS;
                if !text.chars().all(allowed) || !length.contains(&trimmed.chars().count()) {
                    let (min_chars, max_chars) = (Self::MIN_CHARS, Self::MAX_CHARS);
                    return Err(InvalidText { min_chars, max_chars });
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
    (@ on_one_line) => { false };
    (@ on_lines) => { true };
}

texts! {
    /// An event's title.
    Title: 1 to 200 on_one_line;
    /// Where an event takes place.
    Venue: 1 to 200 on_one_line;
    /// What an event is about.
    Description: 0 to 10_000 on_lines;
    /// A ticket type's name, such as "VIP".
    TicketName: 1 to 200 on_one_line;
    /// Why an event is cancelled, as its buyers read it.
    CancelReason: 1 to 1_000 on_lines;
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
