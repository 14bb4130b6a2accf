//! Verify an e-mail address with the token of an e-mail.

use karcis_database::StoreError;

use super::{Accounts, SaveError, Sessions, until_saved::until_saved};
use crate::domain::{AccountMail, AccountMailKind, TokenHash};

/// Why an address is not verified, or a password not reset.
#[derive(Debug, thiserror::Error)]
pub enum MailedTokenError {
    #[error("ask for another e-mail: this token is unknown, used or expired")]
    Invalid,
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Notes that the owner of the account reads its address. It can be repeated while the token is good: mail
/// programs follow links before people do.
pub async fn verify_email(
    accounts: &dyn Accounts,
    token: &TokenHash,
) -> Result<(), MailedTokenError> {
    until_saved(|| async {
        let account = accounts.by_mailed_token(AccountMailKind::VerifyEmail, token).await?;
        let account = account.ok_or(MailedTokenError::Invalid)?;
        let verified = account.verified();
        let mails = AccountMail::of_change(&account, &verified);
        let is_done = verified == account
            || accounts.save(account.version, &verified, Sessions::Keep, &mails, None).await?;
        Ok(is_done.then_some(()))
    })
    .await
}
