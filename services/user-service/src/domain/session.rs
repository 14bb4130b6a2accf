//! Log-ins that last: refresh tokens, each good for one use.

use std::fmt;

use karcis_kernel::{Timestamp, UserId};
use uuid::Uuid;

/// How long a refresh token is good for; using it gives another that is good for as long.
const REFRESH_TOKEN_DAYS: i64 = 30;

/// One log-in and what followed from it: the family of its refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(pub Uuid);

/// SHA-256 of a refresh token: what is kept of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A refresh token about to be given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What is kept of it.
    pub hash: TokenHash,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl NewToken {
    /// The token with this hash, given out at `at`.
    pub fn given_out(hash: TokenHash, at: Timestamp) -> Self {
        Self { hash, expires_at: at + chrono::Duration::days(REFRESH_TOKEN_DAYS) }
    }
}

/// A session about to begin, with its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The session.
    pub id: SessionId,
    /// Its first token.
    pub token: NewToken,
}

/// A refresh token that was given out before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// Whose it is.
    pub user_id: UserId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whether it gave another one already.
    pub is_used: bool,
}

/// What presenting a refresh token comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It gives another one.
    Rotates,
    /// Two parties hold it, and one of them stole it: the session ends for both.
    Betrays,
    /// It came too late.
    Expired,
}

impl StoredToken {
    /// What presenting it at `at` comes to.
    pub fn presented(&self, at: Timestamp) -> TokenUse {
        if at >= self.expires_at {
            TokenUse::Expired
        } else if self.is_used {
            TokenUse::Betrays
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
        let given_out = Timestamp::UNIX_EPOCH;
        let expires_at = NewToken::given_out(TokenHash([0; 32]), given_out).expires_at;
        assert_eq!(expires_at - given_out, chrono::Duration::days(30));
        let last_moment = expires_at - chrono::Duration::microseconds(1);
        for (is_used, at, outcome) in [
            (false, given_out, TokenUse::Rotates),
            (false, last_moment, TokenUse::Rotates),
            (false, expires_at, TokenUse::Expired),
            (true, given_out, TokenUse::Betrays),
            (true, last_moment, TokenUse::Betrays),
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
