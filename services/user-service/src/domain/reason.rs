//! Why an admin does something.

use std::ops::RangeInclusive;

/// 1–500 characters, trimmed, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(pub(crate) String);

/// A text that is no reason.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("give 1 to 500 characters, no control characters")]
pub struct InvalidReason;

impl Reason {
    /// How many characters it has.
    pub(crate) const LENGTH: RangeInclusive<usize> = 1..=500;

    /// The reason in this text, without the spaces around it.
    pub fn parse(text: &str) -> Result<Self, InvalidReason> {
        let reason = text.trim();
        if Self::LENGTH.contains(&reason.chars().count()) && !reason.chars().any(char::is_control) {
            Ok(Self(reason.to_owned()))
        } else {
            Err(InvalidReason)
        }
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
        ] {
            let parsed = Reason::parse(typed).ok().map(|Reason(text)| text);
            assert_eq!(parsed.as_deref(), reason, "{typed:?}");
        }
    }
}
