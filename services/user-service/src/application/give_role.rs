//! Give an account a role, as an admin.

use karcis_database::StoreError;
use karcis_kernel::{Role, UserId};

use super::{Accounts, SaveError, Sessions, retry::retry};
use crate::domain::{Account, Email, changes_own_role};

/// Why the role is not given.
#[derive(Debug, thiserror::Error)]
pub enum GiveRoleError {
    #[error("give the e-mail address of an account")]
    NoSuchAccount,
    #[error("ask another admin to change your own role")]
    OwnRole,
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives the account this role and returns it. Access tokens issued before keep the old role until
/// they expire.
pub(crate) async fn give_role(
    accounts: &dyn Accounts,
    admin: UserId,
    email: &Email,
    role: Role,
) -> Result<Account, GiveRoleError> {
    retry(|| async {
        let account = accounts.by_email(email).await?.ok_or(GiveRoleError::NoSuchAccount)?;
        if changes_own_role(admin, &account, role) {
            return Err(GiveRoleError::OwnRole);
        }
        let changed = account.with_role(role);
        let is_done =
            changed == account || accounts.save(account.version, &changed, Sessions::Keep).await?;
        Ok(is_done.then_some(changed))
    })
    .await
}
