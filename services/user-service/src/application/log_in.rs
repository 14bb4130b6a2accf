//! Log in: check the password and open a session.

use super::{
    Accounts, CheckPasswordError, PasswordCheck, PasswordMatch, Urgency,
    check_password::{Guess, check_password},
};
use crate::domain::{Account, Email, NewSession, Password, TypedPassword};

/// What a person gives to log in, and the session that is about to begin.
pub(crate) struct LogIn {
    pub email: Email,
    pub password: TypedPassword,
    pub session: NewSession,
}

/// Returns the account. An unknown address, a disabled account and a wrong password get the same error
/// after the same time. A hash of older parameters is replaced.
pub(crate) async fn log_in(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    login: LogIn,
) -> Result<Account, CheckPasswordError> {
    let LogIn { email, password, session } = login;
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
        return Err(CheckPasswordError::Wrong);
    }
    if right == PasswordMatch::Outdated {
        let hash = check.passwords.hash(Password::typed(password), Urgency::LogIn).await?;
        accounts.replace_hash(&account, &hash).await?;
    }
    Ok(account)
}
