//! Sessions and their refresh tokens. Each token can be used once.

use std::fmt;

use chrono::TimeDelta;
use karcis_kernel::{Role, Timestamp, UserId, is_seen};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use uuid::Uuid;

use super::ClientIp;

/// How long a refresh token is valid. The token that replaces it is valid for as long again, while the
/// session lasts.
const REFRESH_TOKEN: TimeDelta = TimeDelta::days(30);

/// How long a session lasts, however often it is refreshed.
const BUYERS_SESSION: TimeDelta = TimeDelta::days(90);
const STAFF_SESSION: TimeDelta = TimeDelta::hours(12);

/// How long a used token is accepted again, while the token that replaced it is unused: the client may
/// have missed the answer.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// One log-in with all the refresh tokens that followed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub Uuid);

/// Who asks for something, in which session. Tokens of older releases name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user_id: UserId,
    pub session: Option<SessionId>,
}

/// What a client says it is: up to 200 characters, of which something can be seen and nothing turns the
/// direction of the text or begins a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    const MAX_LENGTH: usize = 200;

    /// What is plain text of a name that a client gave, cut; `None` if nothing can be seen.
    pub fn plain(text: &str) -> Option<Self> {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
        let is_plain = |c: &char| {
            !matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator)
        };
        let plain: String = text.chars().filter(is_plain).take(Self::MAX_LENGTH).collect();
        plain.chars().any(is_seen).then(|| Self(plain.trim().to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of a refresh token. Only this is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A refresh token that is about to be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewToken {
    pub hash: TokenHash,
    pub expires_at: Timestamp,
}

impl NewToken {
    /// The token with this hash, issued at `at` in a session that began at `began_at`.
    fn issued(hash: TokenHash, role: Role, began_at: Timestamp, at: Timestamp) -> Self {
        let lasts = match role {
            Role::Buyer => BUYERS_SESSION,
            Role::Organiser | Role::Admin | Role::Operator | Role::Door => STAFF_SESSION,
        };
        Self { hash, expires_at: (at + REFRESH_TOKEN).min(began_at + lasts) }
    }
}

/// A session that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    pub id: SessionId,
    pub token: TokenHash,
    pub began_at: Timestamp,
    pub client_ip: ClientIp,
    pub user_agent: Option<UserAgent>,
}

impl NewSession {
    /// Its first token, for an account with this role.
    pub fn first_token(&self, role: Role) -> NewToken {
        NewToken::issued(self.token, role, self.began_at, self.began_at)
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    pub id: SessionId,
    pub began_at: Timestamp,
    pub last_used_at: Timestamp,
    pub user_agent: Option<UserAgent>,
}

/// A refresh token that was issued before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredToken {
    pub session_id: SessionId,
    /// When its session began.
    pub began_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// Whether no token that replaced it was used.
    pub successors_are_unused: bool,
}

/// What follows from presenting a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// The next token replaces it, beside a successor that nobody has used: which of the two answers a
    /// client keeps, or two tabs, we do not know.
    Rotates(NewToken),
    /// It was used before, so two parties hold it and one of them stole it: the session ends.
    ReuseDetected,
    Expired,
}

impl StoredToken {
    /// What follows from presenting it at `at`, for an account with this role; `next` would replace it.
    pub fn presented(&self, role: Role, next: TokenHash, at: Timestamp) -> TokenUse {
        let next = NewToken::issued(next, role, self.began_at, at);
        if at >= self.expires_at || at >= next.expires_at {
            return TokenUse::Expired;
        }
        match self.used_at {
            Some(used_at) if at >= used_at + GRACE || !self.successors_are_unused => {
                TokenUse::ReuseDetected
            }
            _ => TokenUse::Rotates(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: TokenHash = TokenHash([1; 32]);

    fn after(time: TimeDelta) -> Timestamp {
        Timestamp::UNIX_EPOCH + time
    }

    fn token(expires_after: TimeDelta) -> StoredToken {
        StoredToken {
            session_id: SessionId(Uuid::nil()),
            began_at: Timestamp::UNIX_EPOCH,
            expires_at: after(expires_after),
            used_at: None,
            successors_are_unused: true,
        }
    }

    #[test]
    fn a_session_ends_at_an_age_however_often_it_is_refreshed() {
        let (days, hours) = (TimeDelta::days, TimeDelta::hours);
        for (role, at, expires) in [
            (Role::Buyer, days(0), Some(days(30))),
            (Role::Buyer, days(29), Some(days(59))),
            (Role::Buyer, days(60), Some(days(90))),
            (Role::Buyer, days(89), Some(days(90))),
            (Role::Buyer, days(90), None),
            (Role::Organiser, hours(0), Some(hours(12))),
            (Role::Admin, hours(11), Some(hours(12))),
            (Role::Operator, hours(12), None),
            (Role::Door, hours(13), None),
        ] {
            let used = token(days(100)).presented(role, NEXT, after(at));
            let expected = expires.map_or(TokenUse::Expired, |expires| {
                TokenUse::Rotates(NewToken { hash: NEXT, expires_at: after(expires) })
            });
            assert_eq!(used, expected, "{role} {at}");
        }
    }

    #[test]
    fn a_token_rotates_once_and_for_ten_seconds_again_while_no_successor_is_used() {
        let s = TimeDelta::milliseconds;
        for (used_at, successors_are_unused, at, outcome) in [
            (None, true, s(0), "rotates"),
            (None, true, s(99_999), "rotates"),
            (None, true, s(100_000), "expired"),
            (Some(s(1_000)), true, s(1_000), "rotates"),
            (Some(s(1_000)), true, s(10_999), "rotates"),
            (Some(s(1_000)), true, s(11_000), "reuse"),
            (Some(s(1_000)), false, s(1_000), "reuse"),
            (Some(s(1_000)), false, s(99_999), "reuse"),
            (Some(s(1_000)), true, s(100_000), "expired"),
        ] {
            let used_at = used_at.map(after);
            let token = StoredToken { used_at, successors_are_unused, ..token(s(100_000)) };
            let used = match token.presented(Role::Buyer, NEXT, after(at)) {
                TokenUse::Rotates(_) => "rotates",
                TokenUse::ReuseDetected => "reuse",
                TokenUse::Expired => "expired",
            };
            assert_eq!(used, outcome, "{used_at:?} {successors_are_unused} {at}");
        }
    }

    #[test]
    fn a_user_agent_is_cut_and_turns_no_text_around() {
        let long = "é".repeat(201);
        for (header, kept) in [
            ("curl/8.5", Some("curl/8.5")),
            (" a\u{0}\n\u{85}\u{1b}[31mb ", Some("a[31mb")),
            (long.as_str(), Some(&long[..400])),
            ("", None),
            (" \t\n", None),
            ("Mozilla \u{202e}/0.5 \u{2066}x\u{2069}", Some("Mozilla /0.5 x")),
            ("a\u{2028}b\u{2029}c\u{200b}\u{feff}\u{ad}\u{61c}d", Some("abcd")),
            ("\u{200e} Firefox \u{200f}", Some("Firefox")),
            ("\u{202e}\u{2060}", None),
            ("\u{3164} \u{115f}\u{1160}\u{ffa0}\u{2800}", None),
            ("x\u{3164}", Some("x\u{3164}")),
        ] {
            let agent = UserAgent::plain(header);
            assert_eq!(agent.as_ref().map(UserAgent::as_str), kept, "{header:?}");
        }
    }
}
