//! Texts of which a mail program or a telephone makes a link.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// How many digits a text may have in a row, whatever stands between them. More may be a telephone number.
const LONGEST_NUMBER: usize = 6;

/// Whether something in this text may be seen as a link, or is invisible for no good reason or turns the
/// direction of the text.
pub(super) fn may_be_a_link(text: &str) -> bool {
    let is_of_a_link = |c: char| "\\@<>[]%=。．｡\u{2024}\u{fe52}".contains(c) || is_invisible(c);
    let is_number = |part: &str| part.chars().filter(|c| c.is_numeric()).count() > LONGEST_NUMBER;
    text.contains("//")
        || text.contains(is_of_a_link)
        || text.split(char::is_alphabetic).any(is_number)
        || text.split_whitespace().any(|word| is_domain(word) || has_scheme(word))
}

/// Joiners, marks of direction and the tags of flags are left to the scripts and emoji that need them: they
/// turn no letters around.
fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Format, LineSeparator, ParagraphSeparator};
    let is_needed = matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{e0020}'..='\u{e007f}');
    !is_needed && matches!(c.general_category(), Format | LineSeparator | ParagraphSeparator)
}

/// Initials, as in J.R., are of one letter; and a sentence may end with a domain.
fn is_domain(word: &str) -> bool {
    let labels = word.split('.').filter(|label| !label.is_empty());
    labels.skip(1).any(|label| label.chars().count() > 1 || label.contains(char::is_numeric))
}

fn has_scheme(word: &str) -> bool {
    word.trim_end_matches(':').contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_organisers_write_is_no_link_unless_it_leads_somewhere() {
        for (text, may_be) in [
            ("Konser Akbar", false),
            ("Konser: Malam Puisi (2026)", false),
            ("Rock & Roll #3? 20-21 Juni 2026", false),
            ("AC/DC Tribute, Jl. Sudirman No. 1", false),
            ("J.R.R. Tolkien", false),
            ("紅白歌合戦", false),
            ("Pay at https://evil.example", true),
            ("go to evil.example.", true),
            ("evil。example", true),
            ("evil\u{2024}example", true),
            ("//evil", true),
            ("\\\\evil", true),
            ("tel:110", true),
            ("at 1.1.1.1", true),
            ("mail me: a@b", true),
            ("call 0811 555 1234", true),
            ("call +62 (811) 555‑1234", true),
            ("call ٠٨١١ ٥٥٥ ١٢٣٤", true),
            ("Kon\u{200b}ser", true),
            ("\u{202e}resnoK", true),
            ("مریم می\u{200c}خواهم", false),
            ("Hall\u{200f} אולם", false),
            ("\u{200e}Aula \u{61c}قاعة", false),
            ("ශ්\u{200d}රී", false),
            ("👩\u{200d}🎤", false),
            ("🏴\u{e0067}\u{e0062}\u{e007f}", false),
            ("e\u{200d}vil.exam\u{200d}ple", true),
            ("0811\u{200d}5551234", true),
            ("\u{2067}Hall\u{2069}", true),
            ("Hall\u{202c}", true),
            ("Kon\u{ad}ser", true),
        ] {
            assert_eq!(may_be_a_link(text), may_be, "{text:?}");
        }
    }
}
