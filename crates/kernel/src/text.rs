//! What people write: one notion of a text for all services.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("give {min} to {max} characters")]
    Length { min: usize, max: usize },
    #[error("give a text that can be seen")]
    Invisible,
    #[error("leave out U+{code:04X}, {what}")]
    Character { code: u32, what: &'static str },
}

/// The text in Unicode's form NFC without the blanks around it, on one line: a name, a title. Nothing
/// in it breaks the line, controls a device or turns the direction of other text, and something can be
/// seen. What scripts and emoji need stays: joiners, marks, variation selectors.
pub fn one_line(text: &str, chars: RangeInclusive<usize>) -> Result<String, InvalidText> {
    parse(text, chars, false)
}

/// The same with line breaks, U+000A and U+000D.
pub fn many_lines(text: &str, chars: RangeInclusive<usize>) -> Result<String, InvalidText> {
    parse(text, chars, true)
}

fn parse(text: &str, chars: RangeInclusive<usize>, may_break: bool) -> Result<String, InvalidText> {
    let text: String = without_blanks(text).nfc().collect();
    let harm = |c: char| if may_break && matches!(c, '\n' | '\r') { None } else { harm(c) };
    if let Some((code, what)) = text.chars().find_map(|c| harm(c).map(|what| (u32::from(c), what)))
    {
        return Err(InvalidText::Character { code, what });
    }
    if !chars.contains(&text.chars().count()) {
        return Err(InvalidText::Length { min: *chars.start(), max: *chars.end() });
    }
    if text.is_empty() || text.chars().any(is_seen) {
        Ok(text)
    } else {
        Err(InvalidText::Invisible)
    }
}

/// What texts have in common that people read as the same one: case, blanks, how a letter is encoded and
/// what cannot be seen make no difference (Unicode's form NFKC, upper and then lower case, so ß is ss).
pub fn same_to_people(text: &str) -> String {
    let is_hidden = |c: char| {
        matches!(c, '\u{fe00}'..='\u{fe0f}') || c.general_category() == GeneralCategory::Format
    };
    let text: String = text.nfkc().filter(|c| !is_hidden(*c)).collect();
    let folded = text.to_uppercase().to_lowercase().replace('ς', "σ");
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without what has no effect at its ends. A joiner at the end stays in scripts from Arabic to
/// Sinhala: it gives the last letter its form.
fn without_blanks(text: &str) -> &str {
    let text = text.trim_start_matches(is_blank);
    let cut = text.trim_end_matches(is_blank);
    let has_form = cut.ends_with(|c| matches!(c, '\u{600}'..='\u{dff}'));
    text.get(..cut.len() + ZWJ.len()).filter(|kept| has_form && kept.ends_with(ZWJ)).unwrap_or(cut)
}

const ZWJ: &str = "\u{200d}";

/// Blanks, joiners, and what editors paste at the beginning of a text. Not marks of direction: a bracket at the
/// end of a right-to-left text needs one.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// What a character that no text of ours has does.
fn harm(c: char) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' => Some("a line break"),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => Some("which turns other text around"),
        '\u{fff9}'..='\u{fffb}' => Some("which hides an annotation"),
        '\u{fdd0}'..='\u{fdef}' => Some("which is no character"),
        _ if u32::from(c) & 0xfffe == 0xfffe => Some("which is no character"),
        _ => match c.general_category() {
            GeneralCategory::Control => Some("a control character"),
            GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
                Some("a line break")
            }
            _ => None,
        },
    }
}

/// Whether one sees the character by itself.
pub fn is_seen(c: char) -> bool {
    // Letters and symbols whose glyph is a blank.
    let is_filler =
        matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{1d159}');
    let is_hidden =
        matches!(c.general_category(), GeneralCategory::Format | GeneralCategory::Unassigned)
            || matches!(
                c.general_category_group(),
                GeneralCategoryGroup::Mark | GeneralCategoryGroup::Separator
            );
    !is_filler && !is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<String, InvalidText> {
        one_line(text, 1..=20)
    }

    #[test]
    fn what_people_read_as_the_same_is_the_same() {
        for (one, other) in [
            ("Early Bird", "early  bird"),
            ("VIP 1", "VIP\u{a0}1"),
            ("VIP", "ＶＩＰ"),
            ("VIP", "V\u{200b}I\u{ad}P\u{2060}"),
            ("🎫", "🎫\u{fe0f}"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("ﬁrst", "First"),
        ] {
            assert_eq!(same_to_people(one), same_to_people(other), "{one:?}");
        }
        for (one, other) in [("VIP 1", "VIP 2"), ("Café", "Cafe"), ("Balkon", "Balk on")] {
            assert_ne!(same_to_people(one), same_to_people(other), "{one:?}");
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_stays() {
        for text in [
            "Konser Rakyat",
            "می\u{200c}خواهم",
            "ක්\u{200d}ර",
            "👩\u{200d}🎤 🏳\u{fe0f}\u{200d}🌈",
            "葛\u{e0100}飾区",
            "מופע (חי)\u{200f}!",
            "מופע (חי)\u{200f}",
            "ภาษา\u{200b}ไทย",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "நி",
            "x\u{338}",
            "!",
            "孫悟空",
            "അവന്\u{200d}",
            "۱۴۰۵ ه\u{200d}",
            "மழை 🧑\u{200d}🚀",
            "新しい\u{30000}",
        ] {
            assert_eq!(line(text).as_deref(), Ok(text), "{text:?}");
        }
    }

    #[test]
    fn blanks_around_a_text_are_cut_also_line_breaks() {
        for text in [
            " Sari ",
            "Sari\n",
            "\r\nSari\r\n",
            "\tSari\u{a0}",
            "Sari\u{2028}",
            "\u{3000}Sari\u{2029}\u{85}",
            "\u{feff}Sari\u{200b}",
            "\u{2060}Sari\u{ad}",
            "\u{200d}Sari\u{200d}",
            "\u{200c} Sari \u{200c}\u{200d}",
            "\u{200c}Sari\u{200b}",
        ] {
            assert_eq!(line(text).as_deref(), Ok("Sari"), "{text:?}");
        }
    }

    #[test]
    fn one_text_has_one_spelling() {
        assert_eq!(line("Cafe\u{301} A\u{30a}").as_deref(), Ok("Café \u{c5}"));
        assert_eq!(line("\u{1112}\u{1161}\u{11ab}").as_deref(), Ok("\u{d55c}"));
        assert_eq!(one_line(&"e\u{301}".repeat(20), 1..=20).map(|text| text.len()), Ok(40));
    }

    #[test]
    fn what_breaks_hides_or_turns_a_line_is_named() {
        for c in ['\0', '\u{7}', '\t', '\n', '\r', '\u{b}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}']
            .into_iter()
            .chain(['\u{2028}', '\u{2029}', '\u{fff9}', '\u{fffb}'])
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain(['\u{fdd0}', '\u{fde1}', '\u{fdef}', '\u{fffe}', '\u{ffff}'])
            .chain(['\u{1fffe}', '\u{7ffff}', '\u{10fffe}', '\u{10ffff}'])
        {
            let message = line(&format!("photo{c}gnp.exe")).map_err(|why| why.to_string());
            let named = format!("leave out U+{:04X}, ", u32::from(c));
            assert!(message.as_ref().is_err_and(|it| it.starts_with(&named)), "{message:?}");
        }
        let message = line("\u{202e}iraS\u{202c}").map_err(|why| why.to_string());
        assert_eq!(message, Err("leave out U+202E, which turns other text around".to_owned()));
        let message = line("Sari\u{ffff}").map_err(|why| why.to_string());
        assert_eq!(message, Err("leave out U+FFFF, which is no character".to_owned()));
    }

    #[test]
    fn nothing_too_much_and_what_nobody_sees_is_refused() {
        let length = Err(InvalidText::Length { min: 1, max: 20 });
        for text in ["", "  ", "\n", "\u{feff}", "\u{200d}", "\u{ad} \u{2060}", &"é".repeat(21)] {
            assert_eq!(line(text), length, "{text:?}");
        }
        for text in [
            "\u{301}",
            "\u{fe0f}",
            "\u{3164}",
            "\u{2800} \u{2800}",
            "\u{1d159}",
            "\u{378}\u{e0fff}",
        ] {
            assert_eq!(line(text), Err(InvalidText::Invisible), "{text:?}");
        }
    }

    #[test]
    fn many_lines_have_line_breaks_and_may_be_none() {
        for text in ["one\ntwo", "one\r\n\r\ntwo", ""] {
            assert_eq!(many_lines(text, 0..=20).as_deref(), Ok(text), "{text:?}");
        }
        for text in ["one\u{2028}two", "one\ttwo", "one\n\u{2067}two"] {
            assert!(many_lines(text, 0..=20).is_err(), "{text:?}");
        }
    }
}
