//! Check a typed password, unless there were too many wrong ones.

use std::sync::Arc;

use chrono::TimeDelta;
use karcis_database::StoreError;

use super::{FailedLogins, HashError, PasswordMatch, Passwords, SecurityLog};
use crate::domain::{
    Account, ClientIp, Email, Guesser, LoginLimits, SecurityEvent, SessionId, TypedPassword,
};

/// Why a typed password is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CheckPasswordError {
    /// It is not the account's, or there is no such account, or it is disabled.
    #[error("check the e-mail address and the password")]
    Wrong,
    /// There were too many wrong ones: this one was not looked at.
    #[error("too many wrong passwords: try again in {} s", wait.num_seconds())]
    TooMany { wait: TimeDelta },
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a check needs.
#[derive(Clone)]
pub struct PasswordCheck {
    pub passwords: Arc<dyn Passwords>,
    pub failed_logins: Arc<dyn FailedLogins>,
    pub limits: LoginLimits,
    pub security: Arc<dyn SecurityLog>,
}

/// A guess at the password of the account with this address.
pub(super) struct Guess<'a> {
    pub email: &'a Email,
    /// The account with this address, if there is one.
    pub account: Option<&'a Account>,
    pub client_ip: &'a ClientIp,
    /// The live session of the account that the guess is made in.
    pub session: Option<SessionId>,
    pub typed: TypedPassword,
}

/// Checks a typed password. The guess is charged before the password is looked at, and forgiven if it
/// was right: of many at once only so many are looked at as the limits leave. Returns whether the stored
/// hash is outdated. An unknown address, a disabled account and a wrong password get the same error after
/// the same time, and too many guesses the same whatever the password.
pub(super) async fn check_password(
    check: &PasswordCheck,
    guess: Guess<'_>,
) -> Result<PasswordMatch, CheckPasswordError> {
    let Guess { email, account, client_ip: peer, session, typed } = guess;
    let user = account.map(|account| account.user_id);
    let guesser = match session {
        Some(session) => Guesser::Session(session),
        None if check.failed_logins.is_known(user, peer).await? => Guesser::KnownPeer(peer.clone()),
        None => Guesser::Stranger(peer.clone()),
    };
    let charged = check.limits.charged(email, &guesser);
    if let Some(wait) = check.failed_logins.charge(&charged).await? {
        check.security.note(SecurityEvent::LogInBlocked { user, peer });
        return Err(CheckPasswordError::TooMany { wait });
    }
    let enabled = account.filter(|account| account.disabled_at.is_none());
    let hash = account.map(|account| account.password_hash.clone());
    let outcome = match check.passwords.matches(typed, hash).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // It was not looked at.
            check.failed_logins.forgive(&charged).await?;
            return Err(error.into());
        }
    };
    match (outcome, enabled) {
        (PasswordMatch::Wrong, _) => {
            check.security.note(SecurityEvent::LogInFailed { user, peer });
            Err(CheckPasswordError::Wrong)
        }
        (_, None) => {
            user.inspect(|user| {
                check.security.note(SecurityEvent::DisabledRefused { user: *user })
            });
            Err(CheckPasswordError::Wrong)
        }
        (right, Some(_)) => {
            check.failed_logins.forgive(&charged).await?;
            Ok(right)
        }
    }
}
