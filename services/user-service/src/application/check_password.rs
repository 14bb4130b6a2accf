//! Check a typed password, unless there were too many wrong ones.

use std::sync::Arc;

use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::{FailedLogins, HashError, Passwords};
use crate::domain::{ClientIp, Email, LoginLimits, PasswordHash, Subject, TypedPassword};

/// Why a typed password is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CheckPasswordError {
    /// It is not the account's, or there is no such account.
    #[error("check the e-mail address and the password")]
    Wrong,
    /// There were too many wrong ones: no password is checked before `until`.
    #[error("too many wrong passwords: try again after {until}")]
    TooMany { until: Timestamp },
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a check needs.
#[derive(Clone)]
pub(crate) struct PasswordCheck {
    pub passwords: Arc<dyn Passwords>,
    pub failed_logins: Arc<dyn FailedLogins>,
    pub limits: LoginLimits,
}

/// Checks a typed password against the account's hash, which is `None` if no account has this
/// address. Counts a wrong password.
pub(super) async fn check_password(
    check: &PasswordCheck,
    email: &Email,
    client_ip: ClientIp,
    typed: TypedPassword,
    hash: Option<PasswordHash>,
    at: Timestamp,
) -> Result<(), CheckPasswordError> {
    let subjects = [Subject::Account(email.clone()), Subject::ClientIp(client_ip)];
    refuse_if_blocked(check, &subjects, at).await?;
    if check.passwords.matches(typed, hash).await? {
        // Other wrong guesses may have been counted while this one was hashed.
        refuse_if_blocked(check, &subjects, at).await
    } else {
        check.failed_logins.count(&subjects, at).await?;
        Err(CheckPasswordError::Wrong)
    }
}

async fn refuse_if_blocked(
    check: &PasswordCheck,
    subjects: &[Subject],
    at: Timestamp,
) -> Result<(), CheckPasswordError> {
    let failures = check.failed_logins.failures(subjects, at).await?;
    match check.limits.blocked_until(&failures, at) {
        Some(until) => Err(CheckPasswordError::TooMany { until }),
        None => Ok(()),
    }
}
