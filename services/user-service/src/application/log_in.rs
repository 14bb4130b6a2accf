//! Log in: check the password and open a session.

use karcis_kernel::Timestamp;

use super::{Accounts, CheckPasswordError, PasswordCheck, check_password::check_password};
use crate::domain::{Account, ClientIp, Email, NewSession, TypedPassword};

/// What a person gives to log in, and the session that is about to begin.
pub(crate) struct LogIn {
    pub email: Email,
    pub password: TypedPassword,
    pub client_ip: ClientIp,
    pub session: NewSession,
}

/// Returns the account. An unknown address and a wrong password get the same error after the same
/// time.
pub(crate) async fn log_in(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    login: LogIn,
    at: Timestamp,
) -> Result<Account, CheckPasswordError> {
    let LogIn { email, password, client_ip, session } = login;
    let account = accounts.by_email(&email).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    check_password(check, &email, client_ip, password, hash, at).await?;
    match account {
        Some(account) if accounts.open_session(&account, &session).await? => Ok(account),
        _ => Err(CheckPasswordError::Wrong),
    }
}
