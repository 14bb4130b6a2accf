//! Why an admin does something.

use std::ops::RangeInclusive;

use karcis_kernel::{InvalidText, one_line};

/// 1–500 characters on one line, of which something can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(pub String);

impl Reason {
    /// How many characters it has.
    pub const LENGTH: RangeInclusive<usize> = 1..=500;

    /// The reason in this text, without the spaces around it.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        one_line(text, Self::LENGTH).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line_of_text() {
        let longest = "é".repeat(500);
        for (typed, reason) in [
            (" sells tickets ", Some("sells tickets")),
            (longest.as_str(), Some(longest.as_str())),
            (&"é".repeat(501), None),
            ("  ", None),
            ("two\nlines", None),
            ("pasted\n", Some("pasted")),
            ("dna \u{2067}tfel", None),
        ] {
            let parsed = Reason::parse(typed).ok().map(|Reason(text)| text);
            assert_eq!(parsed.as_deref(), reason, "{typed:?}");
        }
    }
}
