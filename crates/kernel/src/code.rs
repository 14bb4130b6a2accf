//! The code on a ticket: who knows it has the ticket.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use utoipa::ToSchema;

/// 128 random bits as 32 lower-case hex digits. It is a capability: `Debug` shows its start only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(
    value_type = String,
    pattern = "^[0-9a-f]{32}$",
    description = "128 random bits as 32 lower-case hex digits: who knows it holds the ticket."
)]
#[serde(try_from = "String", into = "String")]
pub struct TicketCode(u128);

/// The error for a text that is no ticket code.
#[derive(Debug, thiserror::Error)]
#[error("a ticket code is 32 lower-case hex digits")]
pub struct InvalidTicketCode;

impl TicketCode {
    /// The code of these bits, which must come from a secure random source.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The code in what a scanner or a person typed: capitals, blanks, dashes, marks that nobody sees and
    /// the width of the digits make no difference.
    ///
    /// # Errors
    ///
    /// The rest is not 32 hex digits.
    pub fn typed(text: &str) -> Result<Self, InvalidTicketCode> {
        let is_left_out = |c: char| {
            let category = c.general_category();
            c.is_whitespace()
                || matches!(c, '_' | '\u{2212}')
                || matches!(
                    category,
                    GeneralCategory::Control
                        | GeneralCategory::DashPunctuation
                        | GeneralCategory::Format
                )
        };
        let digits: String = text.nfkc().filter(|c| !is_left_out(*c)).collect();
        digits.to_ascii_lowercase().parse()
    }

    /// The 128 bits, as [`from_bits`](Self::from_bits) takes them: for storage.
    pub fn bits(&self) -> u128 {
        self.0
    }
}

impl FromStr for TicketCode {
    type Err = InvalidTicketCode;

    fn from_str(text: &str) -> Result<Self, InvalidTicketCode> {
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() != 32 || !text.bytes().all(hex) {
            return Err(InvalidTicketCode);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidTicketCode)
    }
}

impl TryFrom<String> for TicketCode {
    type Error = InvalidTicketCode;

    fn try_from(text: String) -> Result<Self, InvalidTicketCode> {
        text.parse()
    }
}

impl From<TicketCode> for String {
    fn from(code: TicketCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketCode({:04x}…)", self.0 >> 112)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_scanners_and_people_send_it() {
        let code = TicketCode::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        for text in [
            "0123456789abcdef0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789aBcDeF \r\n",
            "\u{2}0123456789abcdef0123456789abcdef\t",
            "01234567-89ab-cdef-0123-456789abcdef",
            "0123 4567\u{a0}89ab cdef 0123\u{2013}4567 89ab\u{2011}cdef",
            "\u{feff}0123456789abcdef0123456789abcdef\u{200b}",
            "01234567\u{ad}89abcdef\u{200e}0123\u{2060}456789abcdef",
            "01234567\u{2212}89abcdef_0123_4567_89ab\u{ff0d}cdef",
            "０１２３４５６７８９ＡＢＣＤＥＦ０１２３４５６７８９ａｂｃｄｅｆ",
        ] {
            assert_eq!(TicketCode::typed(text).ok().as_ref(), Some(&code), "{text:?}");
        }
        for text in [
            "",
            "-",
            "0123",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdeg0123456789abcdef",
            "0123456789abcdef+0123456789abcdef",
            "٠123456789abcdef0123456789abcdef",
        ] {
            assert!(TicketCode::typed(text).is_err(), "{text:?}");
        }
        assert!("0123456789ABCDEF0123456789ABCDEF".parse::<TicketCode>().is_err(), "not stored so");
    }

    #[test]
    fn a_code_is_stored_and_loaded_as_its_bits() {
        for bits in [0, 1, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, u128::MAX] {
            let code = TicketCode::from_bits(bits);
            assert_eq!(code.bits(), bits);
            assert_eq!(
                code.to_string().parse::<TicketCode>().map(|read| read.bits()).ok(),
                Some(bits)
            );
        }
    }
}
