//! The texts people write, within their limits.

use std::fmt;

use karcis_kernel::{InvalidText, many_lines, one_line};

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

            /// The text that was stored. Older releases took characters that are refused now; a length
            /// that none took is an error.
            pub fn stored(text: String) -> Result<Self, InvalidText> {
                let (min, max) = (Self::MIN_CHARS, Self::MAX_CHARS);
                let fits = (min..=max).contains(&text.trim().chars().count());
                if fits { Ok(Self(text)) } else { Err(InvalidText::Length { min, max }) }
            }

            /// The text without spaces around it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                let parse = if Self::MULTILINE { many_lines } else { one_line };
                parse(&text, Self::MIN_CHARS..=Self::MAX_CHARS).map(Self)
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
    CancelReason: 1 to 1_000 on_one_line;
    /// A door of a venue, such as "North".
    Gate: 1 to 60 on_one_line;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_1_to_200_characters_on_one_line() {
        for (text, good) in [
            ("", false),
            ("   ", false),
            ("x", true),
            (&"é".repeat(200), true),
            (&"é".repeat(201), false),
            ("two\nlines", false),
            ("nul\0", false),
            ("pasted\n", true),
            ("photo\u{202e}gnp.exe", false),
            ("two\u{2028}lines", false),
            ("\u{200d}", false),
        ] {
            assert_eq!(Title::try_from(text.to_owned()).is_ok(), good, "{text:?}");
        }
    }

    #[test]
    fn only_descriptions_have_line_breaks() {
        assert!(Description::try_from("two\r\nlines".to_owned()).is_ok());
        assert!(CancelReason::try_from("two\nlines".to_owned()).is_err());
        assert!(Description::try_from("a\ttab".to_owned()).is_err());
        assert!(Description::try_from("sdrawkcab\u{202e}".to_owned()).is_err());
        assert!(Description::try_from(String::new()).is_ok());
        assert!(Description::try_from("x".repeat(10_001)).is_err());
    }

    #[test]
    fn outer_blanks_are_cut() {
        let title = Title::try_from("  Konser \n".to_owned()).expect("a title");
        assert_eq!(title.as_str(), "Konser");
    }
}
