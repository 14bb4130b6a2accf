//! Passwords: a new one that is good enough, one that somebody typed, and what is kept of one.

use std::fmt;

/// As many as the list of leaked passwords has; each of them takes no more guesses than that.
const LEAKED: u64 = 30_000;

/// The longest on that list, and so the longest text that is looked up there.
const LONGEST_LEAKED: usize = 20;

/// A password good enough to be chosen: 8–128 characters, and none that leaks have made known.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a password cannot be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Shorter than 8 or longer than 128 characters.
    #[error("give 8 to 128 characters")]
    Length,
    /// Among those that leaks have made known.
    #[error("choose another: this one is known from leaks")]
    Leaked,
}

impl Password {
    /// The password this text gives, as it is: spaces count.
    pub fn choose(text: String) -> Result<Self, InvalidPassword> {
        if !(8..=128).contains(&text.chars().count()) {
            Err(InvalidPassword::Length)
        } else if is_leaked(&text) {
            Err(InvalidPassword::Leaked)
        } else {
            Ok(Self(text))
        }
    }

    /// The password itself, to be hashed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether the whole text, whatever its case, is as easy to guess as the passwords on the list of
/// the most common leaked ones: it is on it, or a word, a row of keys or a repetition as bad.
fn is_leaked(text: &str) -> bool {
    if text.len() > LONGEST_LEAKED || !text.is_ascii() {
        return false;
    }
    let estimate = zxcvbn::zxcvbn(&text.to_ascii_lowercase(), &[]);
    estimate.sequence().len() == 1 && estimate.guesses() <= LEAKED
}

/// What somebody typed who claims to know the password: any text.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedPassword(pub String);

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
        for text in
            ["nine mangoes in a boat", "karcis-development", "xK4#9qPz", " w3ird pad ", "žluťoučký"]
        {
            let password = Password::choose(text.to_owned()).expect("it is good enough");
            assert_eq!(password.expose(), text);
        }
        assert_eq!(chosen(&"é".repeat(128)), Ok(()));
    }

    #[test]
    fn too_short_and_too_long_ones_are_refused() {
        for text in ["", "xK4#9qP", "ééééééé", &"é".repeat(129)] {
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
            "aaaaaaaa",
            "11111111",
            "p@ssw0rd",
            "1qaz2wsx",
            "abcd1234",
        ] {
            assert_eq!(chosen(text), Err(InvalidPassword::Leaked), "{text:?}");
        }
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
