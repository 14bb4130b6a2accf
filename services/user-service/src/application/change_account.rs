//! Change somebody else's account, as an admin.

use karcis_database::{PrivilegedAct, StoreError};

use super::{Accounts, AdminSave, SaveError, until_saved::until_saved};
use crate::domain::{Account, Actor, Email, changes_own_account};

/// Why an account is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAccountError {
    #[error("give the e-mail address of an account")]
    NoSuchAccount,
    #[error("ask another admin to change your own account")]
    OwnAccount,
    /// The actor is no admin any more, or the session has ended.
    #[error("log in again, as an admin")]
    NoAdmin,
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the account with this address, ends its sessions and records the act. Returns the account
/// before and after; nothing is done or recorded if they are the same.
pub(super) async fn change_account(
    accounts: &dyn Accounts,
    admin: Actor,
    email: &Email,
    change: impl Fn(&Account) -> Account,
    act: impl Fn(&Account, &Account) -> PrivilegedAct,
) -> Result<(Account, Account), ChangeAccountError> {
    until_saved(|| async {
        let before = accounts.by_email(email).await?.ok_or(ChangeAccountError::NoSuchAccount)?;
        let after = change(&before);
        if changes_own_account(admin.user_id, &before, &after) {
            return Err(ChangeAccountError::OwnAccount);
        }
        if before == after {
            return Ok(Some((before, after)));
        }
        match accounts.save_as_admin(admin, before.version, &after, &act(&before, &after)).await? {
            AdminSave::Saved => Ok(Some((before, after))),
            AdminSave::Conflict => Ok(None),
            AdminSave::NoAdmin => Err(ChangeAccountError::NoAdmin),
        }
    })
    .await
}
