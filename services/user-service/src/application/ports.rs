//! What the use cases need from the outside.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::{Timestamp, UserId};

use super::WhichSessions;
use crate::domain::{
    Account, AccountMail, AccountMailKind, Actor, Allowance, ClientIp, Email, Mail, NewSession,
    NewToken, Notification, OpenSession, Password, PasswordHash, SecurityEvent, SessionId,
    StoredToken, Subject, TokenHash, TypedPassword,
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
pub enum Sessions {
    Keep,
    EndAllBut(Option<SessionId>),
}

/// What became of an admin's change of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminSave {
    Saved,
    /// Others changed the account since it was loaded.
    Conflict,
    /// The actor is no admin now, or the session has ended.
    NoAdmin,
}

/// What became of the wish to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    Erased,
    /// The account is no more, or its password was changed.
    Changed,
    /// There would be no admin left.
    LastAdmin,
}

/// Where people are erased.
#[async_trait]
pub trait Erasing: Send + Sync {
    /// Deletes the account and all that is stored of its person, and publishes that, if its password is
    /// still the same. There is always an admin left.
    async fn erase(&self, account: &Account) -> Result<Erasure, StoreError>;
}

/// The accounts, each with its sessions. Changes of accounts are published.
#[async_trait]
pub trait Accounts: Erasing {
    /// The account with this id.
    async fn by_id(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The account with this address.
    async fn by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// The account that this token from an e-mail is for, while it has the address that the e-mail went to
    /// and is not disabled.
    async fn by_mailed_token(
        &self,
        kind: AccountMailKind,
        token: &TokenHash,
    ) -> Result<Option<Account>, StoreError>;

    /// Whether there is an admin who is not disabled.
    async fn has_admin(&self) -> Result<bool, StoreError>;

    /// Adds a new account, and records the act. If its owner registers, it has a first session, and an e-mail
    /// asks to verify the address.
    async fn add(
        &self,
        account: &Account,
        session: Option<&NewSession>,
        act: Option<&PrivilegedAct>,
    ) -> Result<(), SaveError>;

    /// Saves an account that was loaded as version `loaded`, and records the act; `false` if it was
    /// changed or deleted since. Whatever ends sessions ends the tokens of e-mails too.
    async fn save(
        &self,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
        mails: &[AccountMail],
        act: Option<&PrivilegedAct>,
    ) -> Result<bool, SaveError>;

    /// The same, and ends all the account's sessions, if the actor still is an admin whose session is
    /// live. The actor's account is locked meanwhile.
    async fn save_as_admin(
        &self,
        admin: Actor,
        loaded: i64,
        account: &Account,
        act: &PrivilegedAct,
    ) -> Result<AdminSave, SaveError>;

    /// Replaces the account's hash by another one of the same password, unless it was changed.
    async fn replace_hash(&self, account: &Account, hash: &PasswordHash) -> Result<(), StoreError>;

    /// Opens a session and remembers where from; `false` if the account is disabled, deleted or has
    /// another password by now.
    async fn open_session(
        &self,
        account: &Account,
        session: &NewSession,
    ) -> Result<bool, StoreError>;

    /// Whether the session is live. An actor without a session is taken for one whose session is.
    async fn is_live(&self, actor: Actor) -> Result<bool, StoreError>;

    /// The live sessions of this person, the one used last first.
    async fn sessions(&self, user: UserId) -> Result<Vec<OpenSession>, StoreError>;

    /// The session of this refresh token, unless it has ended. Nobody else refreshes or ends it until
    /// it is rotated, ended or dropped.
    async fn lock_session_of(
        &self,
        token: &TokenHash,
    ) -> Result<Option<Box<dyn LockedSession>>, StoreError>;

    /// Ends sessions of the actor; returns how many there were.
    async fn end_sessions(&self, actor: Actor, which: WhichSessions) -> Result<u64, StoreError>;

    /// Ends all sessions of this person, or of everybody, and records the act if there were any; returns how
    /// many.
    async fn end_sessions_of(
        &self,
        user: Option<UserId>,
        act: &PrivilegedAct,
    ) -> Result<u64, StoreError>;

    /// Ends the session of this refresh token, used or not, if there is one.
    async fn end_session_of(&self, token: &TokenHash) -> Result<(), StoreError>;
}

/// A session that nobody else refreshes meanwhile. Dropped, it is unchanged.
#[async_trait]
pub trait LockedSession: Send {
    /// The token that was presented.
    fn token(&self) -> &StoredToken;

    /// The account as it is in the same transaction.
    fn account(&self) -> &Account;

    /// Marks every token of the session as used and stores the next one, the presented one's successor.
    async fn rotate(self: Box<Self>, next: &NewToken, at: Timestamp) -> Result<(), StoreError>;

    /// Ends the session.
    async fn end(self: Box<Self>) -> Result<(), StoreError>;
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

/// Whether a password is an account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    Wrong,
    Right,
    /// It is right, but hashed with weaker parameters than today's, or in another spelling.
    Outdated,
}

/// Who waits for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody who has an account.
    LogIn,
    /// Somebody new, of whom there may be a rush.
    Registration,
}

/// Slow hashing. Registrations wait for log-ins.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The salted hash of a new password.
    async fn hash(&self, password: Password, urgency: Urgency) -> Result<PasswordHash, HashError>;

    /// Whether this hash is of the typed password. Without a hash it is wrong, after the same time.
    async fn matches(
        &self,
        typed: TypedPassword,
        hash: Option<PasswordHash>,
    ) -> Result<PasswordMatch, HashError>;
}

/// Counts guesses at passwords, of all instances together.
#[async_trait]
pub trait FailedLogins: Send + Sync {
    /// Whether somebody has logged in from this network address to this account; never without one.
    async fn is_known(
        &self,
        user: Option<UserId>,
        client_ip: &ClientIp,
    ) -> Result<bool, StoreError>;

    /// Counts one guess for each subject. If one of them allows none now, nothing is counted and the
    /// result is how long that lasts.
    async fn charge(
        &self,
        subjects: &[(Subject, Allowance)],
    ) -> Result<Option<TimeDelta>, StoreError>;

    /// Takes the count of one guess back, as it was right or was not looked at.
    async fn forgive(&self, subjects: &[(Subject, Allowance)]) -> Result<(), StoreError>;

    /// Forgets the guesses at this account that came from this network address, and remembers that its owner
    /// was there.
    async fn trust(&self, account: &Account, client_ip: &ClientIp) -> Result<(), StoreError>;
}

/// Where security events are noted, for those who watch.
pub trait SecurityLog: Send + Sync {
    /// Notes that this happened.
    fn note(&self, event: SecurityEvent<'_>);
}

/// E-mails that wait to be sent.
#[async_trait]
pub trait MailQueue: Send + Sync {
    /// Claims up to `limit` e-mails that are due and were added after `since`. Those of a booking come
    /// together, in the order of its life. They are due again at `until`, in case this instance dies.
    /// Older ones are given up: they are never due again.
    async fn claim_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError>;

    /// Records which of these are done. The others are due again after a pause that is as long as
    /// they have been waiting, within the limits of `pause`.
    async fn record(
        &self,
        outcomes: &[(&Mail, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError>;
}

/// The notifications to buyers, stored so that each is sent once.
#[async_trait]
pub trait Notifications: MailQueue {
    /// Stores those that are new: they are due at once.
    async fn add(&self, notifications: &[Notification], at: Timestamp) -> Result<(), StoreError>;
}

/// The e-mails about accounts, none of which waits twice for the same address.
#[async_trait]
pub trait AccountMails: MailQueue {
    /// Adds an e-mail: it is due at once.
    async fn add(&self, mail: &AccountMail) -> Result<(), StoreError>;
}

/// Counts the e-mails to addresses that may get only so many a day, of all instances together.
#[async_trait]
pub trait MailCounts: Send + Sync {
    /// Counts these e-mails. Returns for each, in order, whether it may be sent: only these count.
    async fn admit(&self, mails: &[Mail], at: Timestamp) -> Result<Vec<bool>, StoreError>;

    /// Takes the count of these e-mails back, as they were not sent.
    async fn uncount(&self, mails: &[&Mail]) -> Result<(), StoreError>;
}

/// What became of an e-mail that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent, or never can be.
    Done,
    /// It is to be tried again.
    NotSent,
    /// The same, but its recipient may have it: the answer was lost.
    Unknown,
}

/// Sends e-mails.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends each e-mail, within 10 s for all. Returns for each, in order, what became of it. Failures are
    /// logged.
    async fn notify(&self, mails: &[Mail]) -> Vec<Delivery>;
}
