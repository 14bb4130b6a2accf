//! Reset a forgotten password with the token of an e-mail.

use super::{
    Accounts, HashError, MailedTokenError, PasswordCheck, Sessions, Urgency,
    until_saved::until_saved,
};
use crate::domain::{
    AccountMail, AccountMailKind, ClientIp, InvalidPassword, Password, SecurityEvent, TokenHash,
};

/// Why a password is not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    #[error(transparent)]
    Password(#[from] InvalidPassword),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Token(#[from] MailedTokenError),
}

/// Gives the account that the token is for this password, which uses up the token and ends all sessions.
/// Its owner can then log in from here, whatever was tried before.
pub async fn reset_password(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    token: &TokenHash,
    password: Password,
    client_ip: &ClientIp,
) -> Result<(), ResetPasswordError> {
    let load = async || -> Result<_, MailedTokenError> {
        let account = accounts.by_mailed_token(AccountMailKind::ResetPassword, token).await?;
        account.ok_or(MailedTokenError::Invalid)
    };
    // Only who has a token makes us hash.
    let password = password.for_account(&load().await?.email)?;
    let hash = check.passwords.hash(password, Urgency::LogIn).await?;
    let account = until_saved(|| async {
        let account = load().await?;
        let reset = account.reset(hash.clone());
        let end = Sessions::EndAllBut(None);
        let mails = AccountMail::of_change(&account, &reset);
        let is_saved = accounts.save(account.version, &reset, end, &mails, None).await?;
        Ok::<_, MailedTokenError>(is_saved.then_some(reset))
    })
    .await?;
    check.security.note(SecurityEvent::PasswordReset { user: account.user_id });
    let trusting = check.failed_logins.trust(&account, client_ip).await;
    Ok(trusting.map_err(MailedTokenError::from)?)
}
