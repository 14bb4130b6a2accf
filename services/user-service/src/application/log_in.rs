//! Log in: open a session for who knows the password.

use karcis_kernel::Timestamp;

use crate::{
    application::{
        check_password::{CheckPasswordError, PasswordCheck},
        ports::Accounts,
    },
    domain::{Account, Email, NewSession, Peer, TypedPassword},
};

/// What a person gives to log in, and the session that is to begin.
pub struct LogIn {
    /// The account's e-mail address.
    pub email: Email,
    /// Its password, if it is right.
    pub password: TypedPassword,
    /// Where the person sits.
    pub peer: Peer,
    /// The session.
    pub session: NewSession,
}

/// The account. An unknown address gets the same answer as a wrong password, after the same time.
pub async fn log_in(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    login: LogIn,
    at: Timestamp,
) -> Result<Account, CheckPasswordError> {
    let LogIn { email, password, peer, session } = login;
    let account = accounts.by_email(&email).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    check.check(&email, peer, password, hash, at).await?;
    match account {
        Some(account) if accounts.open_session(&account, &session).await? => Ok(account),
        _ => Err(CheckPasswordError::Wrong),
    }
}
