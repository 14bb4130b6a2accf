//! Check a password that somebody typed, unless there were too many wrong ones.

use std::sync::Arc;

use karcis_kernel::Timestamp;

use crate::{
    application::ports::{FailedLogins, HashError, Passwords, StoreError},
    domain::{Email, Limits, PasswordHash, Peer, Subject, TypedPassword},
};

/// Why a typed password does not open the door.
#[derive(Debug, thiserror::Error)]
pub enum CheckPasswordError {
    /// It is not the account's, or there is no account.
    #[error("check the e-mail address and the password")]
    Wrong,
    /// There were too many wrong ones.
    #[error("too many wrong passwords: try again after {until}")]
    TooMany {
        /// When passwords are looked at again.
        until: Timestamp,
    },
    /// See there.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What checking a password takes.
#[derive(Clone)]
pub struct PasswordCheck {
    /// Hashes.
    pub passwords: Arc<dyn Passwords>,
    /// Counts.
    pub failed_logins: Arc<dyn FailedLogins>,
    /// How many failures are borne.
    pub limits: Limits,
}

impl PasswordCheck {
    /// Checks what `peer` typed against the hash of the account with this address, if there is
    /// one. Right ones are not counted.
    pub async fn check(
        &self,
        email: &Email,
        peer: Peer,
        typed: TypedPassword,
        hash: Option<PasswordHash>,
        at: Timestamp,
    ) -> Result<(), CheckPasswordError> {
        let subjects = [Subject::Account(email.clone()), Subject::Peer(peer)];
        self.refuse_if_blocked(&subjects, at).await?;
        if self.passwords.is_right(typed, hash).await? {
            // Of many guesses at once, those hashed before this one may have been too many.
            self.refuse_if_blocked(&subjects, at).await
        } else {
            self.failed_logins.count(&subjects, at).await?;
            Err(CheckPasswordError::Wrong)
        }
    }

    async fn refuse_if_blocked(
        &self,
        subjects: &[Subject],
        at: Timestamp,
    ) -> Result<(), CheckPasswordError> {
        let tallies = self.failed_logins.tallies(subjects, at).await?;
        match self.limits.blocked_until(&tallies, at) {
            Some(until) => Err(CheckPasswordError::TooMany { until }),
            None => Ok(()),
        }
    }
}
