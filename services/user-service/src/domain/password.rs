//! Passwords: a new one that is good enough, one that somebody typed, and a stored hash.

use std::{fmt, ops::RangeInclusive, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use super::Email;

/// The 30,000 most common leaked passwords without those that are too short anyway, in lower case
/// and sorted by bytes. From zxcvbn 4.4 (MIT licence).
const LEAKED: &str = include_str!("leaked_passwords.txt");

/// What everybody thinks of first here.
const PRODUCT: &str = "karcis";
/// Shorter names are in many good passwords by chance.
const MIN_NAME: usize = 4;

/// A password that is good enough to be chosen: 8–128 characters, not known from leaks, without the
/// product's name, in Unicode's form NFC, so that it is the same from every keyboard.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A text that cannot be chosen as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("give 8 to 128 characters")]
    Length,
    #[error("choose another: this one is known from leaks")]
    Leaked,
    #[error("choose another: leave out the name of this product")]
    Product,
    #[error("choose another: leave out the name in your e-mail address")]
    OwnName,
}

impl Password {
    /// How many characters it has.
    pub const LENGTH: RangeInclusive<usize> = 8..=128;

    /// The password in this text: spaces count.
    pub fn choose(text: String) -> Result<Self, InvalidPassword> {
        let password = Self::configured(text)?;
        let guessable = password.0.to_lowercase().contains(PRODUCT);
        if guessable { Err(InvalidPassword::Product) } else { Ok(password) }
    }

    /// The same for a password in a deployment's settings, where the product's name is no clue.
    pub fn configured(text: String) -> Result<Self, InvalidPassword> {
        let text: String = text.nfc().collect();
        if !Self::LENGTH.contains(&text.chars().count()) {
            Err(InvalidPassword::Length)
        } else if is_leaked(&text) {
            Err(InvalidPassword::Leaked)
        } else {
            Ok(Self(text))
        }
    }

    /// A password that was found to be its account's, to be hashed again.
    pub fn typed(TypedPassword(text): TypedPassword) -> Self {
        Self(text.nfc().collect())
    }

    /// The same password, unless it has the name before the @ of its account's address.
    pub fn for_account(self, email: &Email) -> Result<Self, InvalidPassword> {
        let name = email.local_part();
        let guessable = name.len() >= MIN_NAME && self.0.to_lowercase().contains(name);
        if guessable { Err(InvalidPassword::OwnName) } else { Ok(self) }
    }

    /// The password itself, to be hashed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether the list has the text, in any case, forwards or backwards, or the text is so simple that
/// the list need not have it.
fn is_leaked(text: &str) -> bool {
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| LEAKED.lines().collect());
    let text = text.to_ascii_lowercase();
    let backwards: String = text.chars().rev().collect();
    [&text, &backwards].iter().any(|text| SORTED.binary_search(&text.as_str()).is_ok())
        || is_simple(text.as_bytes())
}

/// Up to four bytes repeated, or a run such as `abcdefgh`.
fn is_simple(text: &[u8]) -> bool {
    let is_run = |step| text.windows(2).all(|pair| pair[0].wrapping_add(step) == pair[1]);
    let repeats = |length| text.iter().zip(text.iter().skip(length)).all(|(a, b)| a == b);
    [1, u8::MAX].into_iter().any(is_run) || (1..=4).any(repeats)
}

/// A text that may or may not be somebody's password.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedPassword(pub String);

impl TypedPassword {
    /// The texts that may have been hashed, the usual one first: the text in form NFC, as it was typed,
    /// and in form NFD. Older releases hashed what was typed, which may have been on another system.
    pub fn spellings(self) -> Vec<String> {
        let (nfc, nfd): (String, String) = (self.0.nfc().collect(), self.0.nfd().collect());
        let mut spellings = vec![nfc, self.0, nfd];
        spellings.dedup();
        spellings
    }
}

/// A salted hash in PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

macro_rules! redacted {
    ($($secret:ident),+) => {$(
        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($secret), "(…)"))
            }
        }
    )+};
}

redacted!(Password, TypedPassword, PasswordHash);

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<(), InvalidPassword> {
        Password::choose(text.to_owned()).map(|_| ())
    }

    #[test]
    fn eight_to_128_characters_are_taken_as_they_are() {
        for text in [
            "nine mangoes in a boat",
            "admin-of-everything",
            "xK4#9qPz",
            " w3ird pad ",
            "žluťoučký",
        ] {
            let password = Password::choose(text.to_owned()).expect("it is good enough");
            assert_eq!(password.expose(), text);
        }
        let longest: String = ('一'..).take(128).collect();
        assert_eq!(chosen(&longest), Ok(()));
        assert_eq!(chosen(&format!("{longest}x")), Err(InvalidPassword::Length));
        assert_eq!(chosen(&"a\u{30a}b\u{323}".repeat(64)), Ok(()), "128 in form NFC");
    }

    #[test]
    fn too_short_and_too_long_ones_are_refused() {
        for text in ["", "xK4#9qP", "ééééééé", &"e\u{301}".repeat(7)] {
            assert_eq!(chosen(text), Err(InvalidPassword::Length), "{text:?}");
        }
    }

    #[test]
    fn leaked_ones_are_refused_in_any_case() {
        for text in [
            "password",
            "PassWord",
            "12345678",
            "password1",
            "Password123",
            "password1234",
            "qwertyuiop",
            "iloveyou1",
            "trustno1",
            "AAAAAAAA",
            "abcdefghijk",
            "zyxwvutsrq",
            "0987654321",
            "123123123",
            "abcdabcdab",
            "11111111",
            "p@ssw0rd",
            "1qaz2wsx",
            "abcd1234",
        ] {
            assert_eq!(chosen(text), Err(InvalidPassword::Leaked), "{text:?}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_all_of_it_is_refused() {
        assert!(LEAKED.lines().is_sorted());
        assert!(LEAKED.lines().count() > 10_000);
        for text in LEAKED.lines() {
            assert_eq!(chosen(text), Err(InvalidPassword::Leaked), "{text:?}");
        }
    }

    #[test]
    fn the_products_name_is_refused_but_for_a_deployments_own_settings() {
        for text in ["karcis-development", "my KARCIS tickets", "2026Karcis!"] {
            assert_eq!(chosen(text), Err(InvalidPassword::Product), "{text:?}");
            assert!(Password::configured(text.to_owned()).is_ok(), "{text:?}");
        }
        assert!(Password::configured("password".to_owned()).is_err());
    }

    #[test]
    fn the_name_in_the_address_is_refused() {
        for (email, text, fits) in [
            ("sari@mail.example", "Sari likes mangoes", false),
            ("sari@mail.example", "1234SARI5678x", false),
            ("sari@mail.example", "nine mangoes in a boat", true),
            ("sari@mangoes.example", "nine mangoes in a boat", true),
            ("nin@mail.example", "nine mangoes in a boat", true),
            ("nine@mail.example", "nine mangoes in a boat", false),
        ] {
            let email = Email::parse(email).expect("it is valid");
            let password = Password::choose(text.to_owned()).expect("it is good enough");
            assert_eq!(password.for_account(&email).is_ok(), fits, "{email:?} {text:?}");
        }
    }

    #[test]
    fn one_password_is_the_same_from_every_keyboard() {
        let (composed, decomposed) = ("žluťoučký", "z\u{30c}lut\u{30c}ouc\u{30c}ky\u{301}");
        let password = Password::choose(decomposed.to_owned()).expect("it is good enough");
        assert_eq!(password.expose(), composed);
        assert_eq!(TypedPassword(composed.to_owned()).spellings(), [composed, decomposed]);
        assert_eq!(TypedPassword("plain".to_owned()).spellings(), ["plain"]);
        assert_eq!(TypedPassword(decomposed.to_owned()).spellings(), [composed, decomposed]);
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = "nine mangoes".to_owned();
        let password = Password::choose(secret.clone()).expect("it is good enough");
        let shown =
            format!("{password:?} {:?} {:?}", TypedPassword(secret.clone()), PasswordHash(secret));
        assert!(!shown.contains("mangoes"), "{shown}");
    }
}
