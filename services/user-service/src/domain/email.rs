//! An e-mail address in the one spelling that is stored.

use std::fmt;

/// An address in lower case, so that nobody registers twice with different capitals. `Debug` hides
/// it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an address such as sari@mail.example, at most 254 characters")]
pub(crate) struct InvalidEmail;

impl Email {
    /// The length in bytes of the longest address that a mail server accepts (RFC 5321, 4.5.3.1.3).
    pub(crate) const MAX_LENGTH: usize = 254;

    /// What an address matches, before it is parsed.
    pub(crate) const PATTERN: &str = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$";

    /// The address in this text, without the spaces around it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let address = text.trim().to_ascii_lowercase();
        match address.split_once('@') {
            Some((local, domain))
                if address.len() <= Self::MAX_LENGTH && is_local(local) && is_domain(domain) =>
            {
                Ok(Self(address))
            }
            _ => Err(InvalidEmail),
        }
    }

    /// The address as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is before the @.
    pub(crate) fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

/// A dot-atom of RFC 5322, at most 64 characters.
fn is_local(local: &str) -> bool {
    let is_atom_character =
        |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    local.len() <= 64
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_character))
}

/// At least two labels, each of letters, digits and inner hyphens.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
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
        ] {
            assert_eq!(Email::parse(typed).as_ref().map(Email::as_str), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn what_no_mail_server_takes_is_refused() {
        let too_long = format!("sari@{}.example", ["a".repeat(60).as_str(); 5].join("."));
        let long_local = format!("{}@mail.example", "a".repeat(65));
        for typed in [
            "",
            "sari",
            "@mail.example",
            "sari@",
            "sari@mail",
            "sari@@mail.example",
            "sari@mail@example.org",
            "sa ri@mail.example",
            "sari@mail..example",
            "sari@-mail.example",
            "sari@mail-.example",
            ".sari@mail.example",
            "sari.@mail.example",
            "sa..ri@mail.example",
            "sari@mail.example.",
            "säri@mail.example",
            "sari\0@mail.example",
            "sari\r\nbcc:x@mail.example",
            "<sari@mail.example>",
            &too_long,
            &long_local,
        ] {
            assert_eq!(Email::parse(typed), Err(InvalidEmail), "{typed:?}");
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
