//! What the use cases need from the outside.

use std::{collections::HashMap, ops::RangeInclusive};

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_kernel::{Timestamp, UserId};

use crate::domain::{
    Account, Due, Email, NewSession, NewToken, Notice, Password, PasswordHash, SessionId,
    StoredToken, Subject, Tally, TokenHash, TypedPassword,
};

/// Why what is kept cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work in a moment.
    #[error("try again later: {0}")]
    Unavailable(String),
    /// It never will: the data or the program is wrong.
    #[error("cannot be stored: {0}")]
    Broken(String),
}

/// Why an account was not added or saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another account has its e-mail address.
    #[error("choose another e-mail address: this one has an account")]
    EmailTaken,
    /// It has changed since it was loaded, or it is gone.
    #[error("load the account again: it has changed")]
    Moved,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What becomes of the sessions of an account that is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// All go on.
    Stay,
    /// All end but this one.
    EndAllBut(Option<SessionId>),
}

/// The accounts, each with its sessions. What they change is published with it.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account with this id.
    async fn by_id(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The account with this address.
    async fn by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// Adds a new account, with a first session if its owner is there.
    async fn add(&self, account: &Account, session: Option<&NewSession>) -> Result<(), SaveError>;

    /// Saves an account that was loaded as version `loaded`.
    async fn save(
        &self,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
    ) -> Result<(), SaveError>;

    /// Opens a session; `false` if the account is gone or its password is another by now.
    async fn open_session(
        &self,
        account: &Account,
        session: &NewSession,
    ) -> Result<bool, StoreError>;

    /// The refresh token with this hash, unless its session has ended.
    async fn token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError>;

    /// Uses up the token and keeps the next one of its session; `false` if somebody else was
    /// faster or the session has ended.
    async fn rotate(
        &self,
        session: SessionId,
        used: &TokenHash,
        next: &NewToken,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends the session, if it has not ended.
    async fn end_session(&self, session: SessionId) -> Result<(), StoreError>;

    /// Ends the session that this refresh token, fresh or used, belongs to, if there is one.
    async fn end_session_of(&self, token: &TokenHash) -> Result<(), StoreError>;
}

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many passwords are waiting to be hashed.
    #[error("too many log-ins at once: try again in a moment")]
    Busy,
    /// A kept hash cannot be read, or there is no memory for hashing.
    #[error("password hash: {0}")]
    Broken(String),
}

/// Slow hashing.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The salted hash of a new password.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Whether the typed password is the one of this hash. Without a hash it is not, which takes
    /// as long to find out.
    async fn is_right(
        &self,
        typed: TypedPassword,
        hash: Option<PasswordHash>,
    ) -> Result<bool, HashError>;
}

/// Counts failed log-ins, for all instances together.
#[async_trait]
pub trait FailedLogins: Send + Sync {
    /// The running tallies of these subjects; those without a failure are left out.
    async fn tallies(
        &self,
        subjects: &[Subject],
        at: Timestamp,
    ) -> Result<HashMap<Subject, Tally>, StoreError>;

    /// Counts one failure for each.
    async fn count(&self, subjects: &[Subject], at: Timestamp) -> Result<(), StoreError>;
}

/// The notices to buyers, each kept so that it is given once.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Keeps those that were not known before: they are due at once.
    async fn note(&self, notices: &[Notice], at: Timestamp) -> Result<(), StoreError>;

    /// Takes on, until `until`, up to `limit` notices that are due, if they were noted after
    /// `since`: by booking, and each booking's in the order of its life. Whoever dies with them
    /// leaves them due again.
    async fn take_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// What became of these: those that are done with are kept as told, the others are due again
    /// after as long as they have been waiting, but within the limits of `pause`.
    async fn settle(
        &self,
        outcomes: &[(&Notice, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError>;
}

/// Tells buyers, by whatever means reach them.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Gives each notice to its buyer, within 10 s for all of them. Whether each is done with, in
    /// their order; those that are not are tried again. Why not is logged.
    async fn tell(&self, due: &[Due]) -> Vec<bool>;
}
