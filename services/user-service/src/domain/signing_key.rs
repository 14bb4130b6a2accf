//! Which key signs access tokens, and which are still needed.

use karcis_kernel::Timestamp;

/// How long an access token is valid.
pub const TOKEN_LIFETIME: chrono::Duration = chrono::Duration::minutes(15);
/// An instance notices within this that another key is to sign.
const REREAD_WITHIN: chrono::Duration = chrono::Duration::minutes(1);

/// A key that is published, without its private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// Its id in tokens.
    pub kid: String,
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    pub status: KeyStatus,
}

/// What a published key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It signs.
    Signs,
    /// It will sign.
    Pending,
    /// It signs no more, but tokens that it signed are valid until then.
    NeededUntil(Timestamp),
    /// No valid token is signed with it.
    Unused,
}

/// Why a key stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyInUse {
    #[error("it signs: rotate first, or retire it with --force, which logs everybody out")]
    Signs,
    #[error(
        "tokens that it signed are valid until {0}: wait, or retire it with --force, which makes \
         their owners refresh them"
    )]
    NeededUntil(Timestamp),
}

impl KeyStatus {
    /// What each of these keys is for at `at`. They begin with the one that signs, then those that did,
    /// the newest first, and last those that will.
    pub fn all(signs_from: &[Timestamp], at: Timestamp) -> Vec<Self> {
        let of = |position: usize| match position {
            0 => Self::Signs,
            _ if signs_from[position] > at => Self::Pending,
            _ => {
                let until = signs_from[position - 1] + REREAD_WITHIN + TOKEN_LIFETIME;
                if at < until { Self::NeededUntil(until) } else { Self::Unused }
            }
        };
        (0..signs_from.len()).map(of).collect()
    }

    /// Whether a key may go without anybody noticing.
    pub fn may_retire(self) -> Result<(), KeyInUse> {
        match self {
            Self::Signs => Err(KeyInUse::Signs),
            Self::NeededUntil(until) => Err(KeyInUse::NeededUntil(until)),
            Self::Pending | Self::Unused => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyStatus::*, *};

    fn minute(n: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + chrono::Duration::minutes(n)
    }

    #[test]
    fn a_key_is_needed_while_a_token_that_it_signed_may_be_valid() {
        for (signs_from, at, expected) in [
            (vec![], 0, vec![]),
            (vec![0], 0, vec![Signs]),
            // The only key signs, whenever it was to begin.
            (vec![10], 0, vec![Signs]),
            (vec![0, 10], 9, vec![Signs, Pending]),
            (vec![10, 0], 10, vec![Signs, NeededUntil(minute(26))]),
            (vec![10, 0], 25, vec![Signs, NeededUntil(minute(26))]),
            (vec![10, 0], 26, vec![Signs, Unused]),
            (
                vec![20, 10, 0, 40, 50],
                30,
                vec![Signs, NeededUntil(minute(36)), Unused, Pending, Pending],
            ),
        ] {
            let signs_from: Vec<_> = signs_from.into_iter().map(minute).collect();
            assert_eq!(KeyStatus::all(&signs_from, minute(at)), expected, "{signs_from:?} at {at}");
        }
    }

    #[test]
    fn only_a_key_that_no_valid_token_needs_may_go() {
        for (status, may_go) in [
            (Signs, Err(KeyInUse::Signs)),
            (Pending, Ok(())),
            (NeededUntil(minute(1)), Err(KeyInUse::NeededUntil(minute(1)))),
            (Unused, Ok(())),
        ] {
            assert_eq!(status.may_retire(), may_go);
        }
    }
}
