//! Sessions and their refresh tokens. Each token can be used once.

use std::fmt;

use karcis_kernel::{Timestamp, UserId};
use uuid::Uuid;

/// How long a refresh token is valid. The token that replaces it is valid for as long again.
const REFRESH_TOKEN_DAYS: i64 = 30;

/// One log-in with all the refresh tokens that followed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId(pub Uuid);

/// SHA-256 of a refresh token. Only this is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A refresh token that is about to be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewToken {
    pub hash: TokenHash,
    pub expires_at: Timestamp,
}

impl NewToken {
    /// The token with this hash, issued at `at`.
    pub(crate) fn issued(hash: TokenHash, at: Timestamp) -> Self {
        Self { hash, expires_at: at + chrono::Duration::days(REFRESH_TOKEN_DAYS) }
    }
}

/// A session that is about to begin, with its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSession {
    pub id: SessionId,
    pub token: NewToken,
}

/// A refresh token that was issued before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub expires_at: Timestamp,
    pub is_used: bool,
}

/// What follows from presenting a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    /// The next token replaces it.
    Rotates,
    /// It was used before, so two parties hold it and one of them stole it: the session ends.
    ReuseDetected,
    Expired,
}

impl StoredToken {
    /// What follows from presenting it at `at`.
    pub(crate) fn presented(&self, at: Timestamp) -> TokenUse {
        if at >= self.expires_at {
            TokenUse::Expired
        } else if self.is_used {
            TokenUse::ReuseDetected
        } else {
            TokenUse::Rotates
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_rotates_once_within_thirty_days() {
        let issued_at = Timestamp::UNIX_EPOCH;
        let expires_at = NewToken::issued(TokenHash([0; 32]), issued_at).expires_at;
        assert_eq!(expires_at - issued_at, chrono::Duration::days(30));
        let last_moment = expires_at - chrono::Duration::microseconds(1);
        for (is_used, at, outcome) in [
            (false, issued_at, TokenUse::Rotates),
            (false, last_moment, TokenUse::Rotates),
            (false, expires_at, TokenUse::Expired),
            (true, issued_at, TokenUse::ReuseDetected),
            (true, last_moment, TokenUse::ReuseDetected),
            (true, expires_at, TokenUse::Expired),
        ] {
            let token = StoredToken {
                user_id: UserId(Uuid::nil()),
                session_id: SessionId(Uuid::nil()),
                expires_at,
                is_used,
            };
            assert_eq!(token.presented(at), outcome, "{is_used} {at}");
        }
    }
}
