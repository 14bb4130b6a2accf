//! Log in: check the password and open a session.

use super::{
    Accounts, CheckPasswordError, PasswordCheck, PasswordMatch, Urgency,
    check_password::{Guess, check_password},
};
use crate::domain::{Account, Email, NewSession, Password, TypedPassword};

/// What a person gives to log in, and the session that is about to begin.
pub struct LogIn {
    pub email: Email,
    pub password: TypedPassword,
    pub session: NewSession,
}

/// Who is logged in, though perhaps with the old hash.
pub struct LoggedIn {
    pub account: Account,
    /// Why a hash of older parameters was not replaced: the next log-in tries again.
    pub kept_hash: Option<CheckPasswordError>,
}

/// How many times the account is looked at, if it changes meanwhile.
const TRIES: u32 = 2;

/// Opens the session. An unknown address, a disabled account and a wrong password get the same error
/// after the same time. A hash of older parameters is replaced.
pub async fn log_in(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    login: LogIn,
) -> Result<LoggedIn, CheckPasswordError> {
    let LogIn { email, password, session } = login;
    for _ in 0..TRIES {
        let account = accounts.by_email(&email).await?;
        let guess = Guess {
            email: &email,
            account: account.as_ref(),
            client_ip: &session.client_ip,
            session: None,
            typed: password.clone(),
        };
        let right = check_password(check, guess).await?;
        let account = account.ok_or(CheckPasswordError::Wrong)?;
        if !accounts.open_session(&account, &session).await? {
            // Another log-in may have replaced the hash.
            continue;
        }
        let kept_hash = match right {
            PasswordMatch::Outdated => {
                replace_hash(accounts, check, &account, password).await.err()
            }
            _ => None,
        };
        return Ok(LoggedIn { account, kept_hash });
    }
    Err(CheckPasswordError::Wrong)
}

async fn replace_hash(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    account: &Account,
    password: TypedPassword,
) -> Result<(), CheckPasswordError> {
    let hash = check.passwords.hash(Password::typed(password), Urgency::LogIn).await?;
    Ok(accounts.replace_hash(account, &hash).await?)
}
