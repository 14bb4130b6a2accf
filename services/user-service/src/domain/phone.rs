//! A person's telephone number.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// A telephone number that can be dialled from abroad, in the form of E.164: `+6281234567890`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

/// How many digits follow the slash between an area and a number in it. Fewer are the end of a second number.
const SHORTEST_AFTER_SLASH: usize = 5;

/// Why a text is no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an international number such as +62 812 3456 7890: {0}")]
pub struct InvalidPhone(&'static str);

impl Phone {
    /// How many characters a text with a number has.
    pub const MAX_CHARS: usize = 64;
    /// What such a text matches, before it is parsed.
    pub const PATTERN: &str = r"^[^0-9A-Za-z\x00]*[+\uff0b][^A-Za-z\x00]*$";

    /// The number in this text, if the numbering plan of its country has it. Blanks, dashes, dots,
    /// brackets and what contact apps put around it make no difference, nor does a 0 that is dialled
    /// within the country only.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        if text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidPhone("this one is too long"));
        }
        let dialled: String = text.chars().filter(|c| !is_between_digits(*c)).collect();
        let Some(digits) = dialled.strip_prefix(['+', '\u{ff0b}']) else {
            return Err(InvalidPhone("begin with + and the country's code"));
        };
        if has_a_second_number(text)
            || !digits.chars().all(|c| c.general_category() == GeneralCategory::DecimalNumber)
        {
            return Err(InvalidPhone("leave out letters, extensions and a second number"));
        }
        let number =
            PHONE_NUMBER_UTIL.parse(&dialled, None).ok().filter(|number| number.is_valid());
        let number = number.ok_or(InvalidPhone("nobody has this one, check its digits"))?;
        Ok(Self(number.format_as(PhoneNumberFormat::E164).into_owned()))
    }

    /// The number that was stored. Older releases took numbers that nobody has.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The number as text: `+` and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether what follows a slash, or stands in brackets at the end, is the end of another number.
fn has_a_second_number(text: &str) -> bool {
    let digits = |part: &str| part.chars().filter(|c| c.is_numeric()).count();
    let after_slash = text.split_once('/').map(|(_, after)| after);
    let in_last_bracket = text.rsplit_once(['(', '[', '（']).map(|(_, rest)| rest);
    after_slash.is_some_and(|after| after.contains('/') || digits(after) < SHORTEST_AFTER_SLASH)
        || in_last_bracket.is_some_and(|rest| digits(rest) == 1)
}

/// Whether the character is written for the eye alone, or not even that.
fn is_between_digits(c: char) -> bool {
    let category = c.general_category();
    c.is_whitespace()
        || matches!(category, GeneralCategory::DashPunctuation | GeneralCategory::Format)
        || "().[]/·−（）".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_stored_as_it_is_dialled_from_abroad() {
        for (typed, stored) in [
            ("+6281234567890", "+6281234567890"),
            (" +62 812-3456.7890 ", "+6281234567890"),
            ("+1 (212) 555 0100", "+12125550100"),
            // With the 0 that is dialled within the country, or the 8, the 1, the 06.
            ("+62 0812 3456 7890", "+6281234567890"),
            ("+62 (0)21 3192 2040", "+622131922040"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("+44 (0) 161 496 0123", "+441614960123"),
            ("+49 (0)30 901820", "+4930901820"),
            ("+61 (0)412 345 678", "+61412345678"),
            ("+7 8 916 123-45-67", "+79161234567"),
            ("+1 1 212 555 0100", "+12125550100"),
            ("+36 06 20 123 4567", "+36201234567"),
            // Here the 0 is dialled from abroad too.
            ("+39 06 6982 0000", "+390669820000"),
            ("+39 (0)6 6982 0000", "+390669820000"),
            ("+378 0549 882914", "+3780549882914"),
            // As contact apps, word processors and other keyboards write it.
            ("\u{202a}+62 812\u{2011}3456\u{2011}7890\u{202c}", "+6281234567890"),
            ("+62\u{a0}812\u{2009}3456\u{a0}7890\n", "+6281234567890"),
            ("(+62) 812 3456 7890", "+6281234567890"),
            ("＋６２ ８１２－３４５６－７８９０", "+6281234567890"),
            ("+٦٢ ٨١٢ ٣٤٥٦ ٧٨٩٠", "+6281234567890"),
            ("+49 30/901820", "+4930901820"),
            ("+62 21/5000-123", "+62215000123"),
            ("(+62 (0)812 3456 7890)", "+6281234567890"),
            ("+62 812 3456 (7890)", "+6281234567890"),
        ] {
            assert_eq!(Phone::parse(typed).as_ref().map(Phone::as_str), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn what_no_telephone_reaches_is_refused_with_the_cause() {
        let (start, extra, nobody) = (
            "begin with + and the country's code",
            "leave out letters, extensions and a second number",
            "nobody has this one, check its digits",
        );
        for (typed, why) in [
            ("", start),
            ("0812 3456 7890", start),
            ("0062 812 3456 7890", start),
            ("tel:+6281234567890", start),
            ("+", nobody),
            ("+0812345678", nobody),
            ("+123456", nobody),
            ("+1234567890123456", nobody),
            ("+62 0000 0000 000", nobody),
            ("+44 20 7946", nobody),
            ("+1 012 555 0100", nobody),
            ("+999 123 456 789", nobody),
            ("+62 81x", extra),
            ("++6281234567", extra),
            ("+62 812 3456 7890 ext. 5", extra),
            ("+62 812 3456 7890;5", extra),
            ("+62 812 3456 7890, +62 811 2345 6789", extra),
            ("+62 812 3456 78½0", extra),
            ("+49 30 901820/21", extra),
            ("+49 89 1234567 / 68", extra),
            ("+62 21 5000 / 123", extra),
            ("+49/30/901820", extra),
            ("+62 812-3456-7890 (0)", extra),
            ("+62 812 3456 789（0） \u{202c}", extra),
            (&format!("+62 812{}3456 7890", " ".repeat(60)), "this one is too long"),
        ] {
            assert_eq!(Phone::parse(typed), Err(InvalidPhone(why)), "{typed:?}");
        }
    }
}
