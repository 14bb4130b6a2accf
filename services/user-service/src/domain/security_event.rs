//! What those who watch over accounts want to know.

use karcis_kernel::{Role, UserId};

use super::{ClientIp, SessionId};

/// Something that may be an attack, or that an attacker would do. It names people by their ids alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityEvent<'a> {
    /// A wrong password; no user if no account has the address.
    LogInFailed {
        user: Option<UserId>,
        peer: &'a ClientIp,
    },
    /// A password that was not looked at, as too many were wrong.
    LogInBlocked {
        user: Option<UserId>,
        peer: &'a ClientIp,
    },
    /// The right password of a disabled account, or its refresh token.
    DisabledRefused {
        user: UserId,
    },
    /// A refresh token was used twice, so its session ended.
    TokenReused {
        user: UserId,
        session: SessionId,
    },
    /// By `None`: by the deployment's settings.
    RoleChanged {
        by: Option<UserId>,
        user: UserId,
        from: Role,
        to: Role,
    },
    AccountDisabled {
        by: UserId,
        user: UserId,
    },
    AccountEnabled {
        by: UserId,
        user: UserId,
    },
    /// A new e-mail address.
    EmailChanged {
        user: UserId,
    },
    /// A forgotten password was replaced, with a token from an e-mail.
    PasswordReset {
        user: UserId,
    },
    AccountErased {
        user: UserId,
    },
    /// Another key signs access tokens from now on.
    KeyChanged {
        key_id: &'a str,
    },
    /// Sessions were ended from outside: from another session of the same person, or by an admin.
    SessionsEnded {
        by: UserId,
        user: UserId,
    },
}

impl SecurityEvent<'_> {
    /// The names of all events.
    pub const NAMES: [&'static str; 12] = [
        "login_failed",
        "login_blocked",
        "disabled_refused",
        "token_reused",
        "role_changed",
        "account_disabled",
        "account_enabled",
        "email_changed",
        "password_reset",
        "account_erased",
        "key_changed",
        "sessions_ended",
    ];

    /// Its name in counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LogInFailed { .. } => "login_failed",
            Self::LogInBlocked { .. } => "login_blocked",
            Self::DisabledRefused { .. } => "disabled_refused",
            Self::TokenReused { .. } => "token_reused",
            Self::RoleChanged { .. } => "role_changed",
            Self::AccountDisabled { .. } => "account_disabled",
            Self::AccountEnabled { .. } => "account_enabled",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordReset { .. } => "password_reset",
            Self::AccountErased { .. } => "account_erased",
            Self::KeyChanged { .. } => "key_changed",
            Self::SessionsEnded { .. } => "sessions_ended",
        }
    }
}
