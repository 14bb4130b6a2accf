//! What the use cases need from the outside.

use std::{collections::HashMap, ops::RangeInclusive};

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::StoreError;
use karcis_kernel::{Timestamp, UserId};

use crate::domain::{
    Account, DueNotification, Email, Failures, NewSession, NewToken, Notification, Password,
    PasswordHash, SessionId, StoredToken, Subject, TokenHash, TypedPassword,
};

/// Why an account was not added or saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("choose another e-mail address: this one has an account")]
    EmailTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What happens to the sessions of an account that is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    Keep,
    EndAllBut(Option<SessionId>),
}

/// The accounts, each with its sessions. Changes of accounts are published.
#[async_trait]
pub(crate) trait Accounts: Send + Sync {
    /// The account with this id.
    async fn by_id(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The account with this address.
    async fn by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// Adds a new account, with a first session if its owner registers.
    async fn add(&self, account: &Account, session: Option<&NewSession>) -> Result<(), SaveError>;

    /// Saves an account that was loaded as version `loaded`; `false` if it was changed or deleted
    /// since.
    async fn save(
        &self,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
    ) -> Result<bool, SaveError>;

    /// Opens a session; `false` if the account is deleted or has another password by now.
    async fn open_session(
        &self,
        account: &Account,
        session: &NewSession,
    ) -> Result<bool, StoreError>;

    /// The refresh token with this hash, unless its session has ended.
    async fn token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError>;

    /// Marks the token as used and stores the next one of its session; `false` if the token is used
    /// already or the session has ended.
    async fn rotate(
        &self,
        session: SessionId,
        used: &TokenHash,
        next: &NewToken,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends the session, if it has not ended.
    async fn end_session(&self, session: SessionId) -> Result<(), StoreError>;

    /// Ends the session of this refresh token, used or not, if there is one.
    async fn end_session_of(&self, token: &TokenHash) -> Result<(), StoreError>;
}

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many passwords are waiting.
    #[error("too many log-ins at once: try again in a moment")]
    Busy,
    /// A stored hash cannot be read, or there is no memory for hashing.
    #[error("password hash: {0}")]
    Failed(String),
}

/// Slow hashing.
#[async_trait]
pub(crate) trait Passwords: Send + Sync {
    /// The salted hash of a new password.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Whether this hash is of the typed password. Without a hash the result is `false`, after the
    /// same time.
    async fn matches(
        &self,
        typed: TypedPassword,
        hash: Option<PasswordHash>,
    ) -> Result<bool, HashError>;
}

/// Counts failed log-ins, of all instances together.
#[async_trait]
pub(crate) trait FailedLogins: Send + Sync {
    /// The current failures of these subjects; those without a failure are left out.
    async fn failures(
        &self,
        subjects: &[Subject],
        at: Timestamp,
    ) -> Result<HashMap<Subject, Failures>, StoreError>;

    /// Counts one failure for each.
    async fn count(&self, subjects: &[Subject], at: Timestamp) -> Result<(), StoreError>;
}

/// The notifications to buyers, stored so that each is sent once.
#[async_trait]
pub(crate) trait Notifications: Send + Sync {
    /// Stores those that are new: they are due at once.
    async fn add(&self, notifications: &[Notification], at: Timestamp) -> Result<(), StoreError>;

    /// Claims up to `limit` notifications that are due and were added after `since`. Those of a
    /// booking come together, in the order of its life. They are due again at `until`, in case
    /// this instance dies. Older ones are given up: they are never due again.
    async fn claim_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueNotification>, StoreError>;

    /// Records which of these are done. The others are due again after a pause that is as long as
    /// they have been waiting, within the limits of `pause`.
    async fn record(
        &self,
        outcomes: &[(&Notification, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError>;
}

/// Sends notifications to buyers.
#[async_trait]
pub(crate) trait Notifier: Send + Sync {
    /// Sends each notification to its buyer, within 10 s for all. Returns for each, in order,
    /// whether it is done; those that are not are to be tried again. Failures are logged.
    async fn notify(&self, due: &[DueNotification]) -> Vec<bool>;
}
