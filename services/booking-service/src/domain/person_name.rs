//! The name of a person.

use std::ops::RangeInclusive;

use karcis_kernel::{InvalidText, one_line};

/// 1–200 characters on one line, of which something can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// How many characters it has.
    pub const LENGTH: RangeInclusive<usize> = 1..=200;

    /// The name in this text, without the spaces around it.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        one_line(text, Self::LENGTH).map(Self)
    }

    /// The name that was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
