//! An e-mail address in the one spelling that is stored.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// An address in lower case and ASCII, so that nobody registers twice with different capitals or with
/// two forms of one domain. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an address such as sari@mail.example: {0}")]
pub struct InvalidEmail(&'static str);

impl Email {
    /// The length in bytes of the longest address that a mail server accepts (RFC 5321, 4.5.3.1.3).
    pub const MAX_LENGTH: usize = 254;

    /// What an address matches, before it is parsed.
    pub const PATTERN: &str = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[^\x00-,/:-@\[-`{-\x7f]+$";

    /// The address in this text, without the spaces and invisible characters around it. A domain of other
    /// scripts gets its ASCII form: `xn--…`.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) =
            text.trim_matches(is_around).split_once('@').ok_or(InvalidEmail("it has no @"))?;
        check_local(local).map_err(InvalidEmail)?;
        let domain = ascii(domain).map_err(InvalidEmail)?;
        check_domain(&domain).map_err(InvalidEmail)?;
        let address = format!("{}@{}", local.to_ascii_lowercase(), domain);
        if address.len() <= Self::MAX_LENGTH {
            Ok(Self(address))
        } else {
            Err(InvalidEmail("it is longer than 254 characters"))
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is before the @.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

/// Whether the character comes along when an address is copied. Joiners stay: some domains have them.
fn is_around(c: char) -> bool {
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
    c.is_whitespace() || c.general_category() == GeneralCategory::Format && !is_joiner
}

/// A dot-atom of RFC 5322, at most 64 characters.
fn check_local(local: &str) -> Result<(), &'static str> {
    let is_atom_character =
        |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&c);
    if local.is_empty() {
        Err("nothing is before its @")
    } else if local.len() > 64 {
        Err("more than 64 characters are before its @")
    } else if !local.is_ascii() {
        Err("before its @ is a character that is not ASCII, which few mail servers take")
    } else if !local.bytes().all(is_atom_character) {
        Err("before its @ is a character that no address has")
    } else if local.split('.').any(str::is_empty) {
        Err("dots before its @ stand between other characters")
    } else {
        Ok(())
    }
}

/// The domain in lower case and in ASCII.
fn ascii(domain: &str) -> Result<String, &'static str> {
    if domain.contains('@') {
        return Err("it has more than one @");
    }
    // What is ASCII already was taken by older releases, whatever IDNA thinks of it.
    if domain.is_ascii() {
        return Ok(domain.to_ascii_lowercase());
    }
    let (list, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), list, hyphens, DnsLength::Ignore);
    ascii.map(Into::into).map_err(|_| {
        "its domain has characters that no domain has, or has some where none may stand, such as a hyphen \
         at an end"
    })
}

/// At least two labels, each of letters, digits and inner hyphens.
fn check_domain(domain: &str) -> Result<(), &'static str> {
    let is_of_domains = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'.';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if domain.is_empty() {
        Err("nothing is behind its @")
    } else if !domain.bytes().all(is_of_domains) {
        Err("its domain has characters that no domain has")
    } else if domain.ends_with('.') {
        Err("leave out the dot at its end")
    } else if !domain.contains('.') {
        Err("its domain has no dot")
    } else if !domain.split('.').all(is_label) {
        Err("its domain has a part that begins or ends with a hyphen, is empty or too long")
    } else {
        Ok(())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_has_one_spelling() {
        for (typed, stored) in [
            ("sari@mail.example", "sari@mail.example"),
            (" Sari@Mail.Example\n", "sari@mail.example"),
            ("s.a+tickets@x-1.co", "s.a+tickets@x-1.co"),
            ("o'hara_{1}@a.b.c", "o'hara_{1}@a.b.c"),
            ("sari@bücher.example", "sari@xn--bcher-kva.example"),
            ("Sari@BU\u{308}CHER.example", "sari@xn--bcher-kva.example"),
            ("sari@XN--BCHER-KVA.example", "sari@xn--bcher-kva.example"),
            ("sari@почта.рф", "sari@xn--80a1acny.xn--p1ai"),
            ("sari@例え。テスト", "sari@xn--r8jz45g.xn--zckzah"),
            ("sari@ｍａｉｌ．example", "sari@mail.example"),
            // As contact apps and web pages have it.
            ("\u{202a}sari@mail.example\u{202c}", "sari@mail.example"),
            ("\u{feff} sari@mail.example\u{200b}\n", "sari@mail.example"),
            ("\u{2068}sari@bücher.example\u{2069} ", "sari@xn--bcher-kva.example"),
            // Of Sinhala, in which the joiner tells one domain from another.
            ("sari@mail.ක්\u{200d}", "sari@mail.xn--3zc0hs32d"),
            // Older releases took it, so it is stored.
            ("sari@xn--a.example", "sari@xn--a.example"),
        ] {
            assert_eq!(Email::parse(typed).as_ref().map(Email::as_str), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn what_no_mail_server_takes_is_refused_with_the_cause() {
        let too_long = format!("sari@{}.example", ["a".repeat(60).as_str(); 5].join("."));
        let long_local = format!("{}@mail.example", "a".repeat(65));
        let (dots, no_address) = (
            "dots before its @ stand between other characters",
            "before its @ is a character that no address has",
        );
        let (no_domain, label) = (
            "its domain has characters that no domain has",
            "its domain has a part that begins or ends with a hyphen, is empty or too long",
        );
        let (no_such_domain, dot) = (
            "its domain has characters that no domain has, or has some where none may stand, such as \
             a hyphen at an end",
            "leave out the dot at its end",
        );
        for (typed, why) in [
            ("", "it has no @"),
            ("sari", "it has no @"),
            ("sari at mail.example", "it has no @"),
            ("@mail.example", "nothing is before its @"),
            ("sari@", "nothing is behind its @"),
            ("sari@mail", "its domain has no dot"),
            ("sari@bücher", "its domain has no dot"),
            ("sari@@mail.example", "it has more than one @"),
            ("sari@mail@example.org", "it has more than one @"),
            ("sari@bücher@example.org", "it has more than one @"),
            ("sari@-bücher.example", no_such_domain),
            ("a@ü-.example", no_such_domain),
            ("a@אa.example", no_such_domain),
            ("sari@bücher.example.", dot),
            ("sari@例え。テスト。", dot),
            ("sa ri@mail.example", no_address),
            ("sari@mail..example", label),
            ("sari@-mail.example", label),
            ("sari@mail-.example", label),
            ("sari@mail.example.", dot),
            (".sari@mail.example", dots),
            ("sari.@mail.example", dots),
            ("sa..ri@mail.example", dots),
            (
                "säri@mail.example",
                "before its @ is a character that is not ASCII, which few mail servers take",
            ),
            ("sari\0@mail.example", no_address),
            ("sari\r\nbcc:x@mail.example", no_address),
            ("<sari@mail.example>", no_address),
            ("sari@mail_box.example", no_domain),
            ("sari@mail .example", no_domain),
            ("sari@ma\u{202e}il.example", no_such_domain),
            ("sari@bücher.exa mple", no_such_domain),
            ("sari@bücher.example>", no_such_domain),
            (&too_long, "it is longer than 254 characters"),
            (&long_local, "more than 64 characters are before its @"),
        ] {
            assert_eq!(Email::parse(typed), Err(InvalidEmail(why)), "{typed:?}");
        }
    }

    #[test]
    fn the_longest_address_is_254_characters() {
        let labels = ["a".repeat(61).as_str(); 3].join(".");
        let longest = format!("{}@{labels}.{}", "a".repeat(64), "a".repeat(3));
        assert_eq!(longest.len(), Email::MAX_LENGTH);
        assert!(Email::parse(&longest).is_ok());
        assert!(Email::parse(&format!("{longest}a")).is_err());
    }

    #[test]
    fn debug_hides_the_address() {
        let email = Email::parse("sari@mail.example").expect("it is valid");
        assert!(!format!("{email:?}").contains("sari"));
    }
}
