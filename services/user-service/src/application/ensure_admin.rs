//! Ensure that there is a first admin.

use karcis_database::StoreError;
use karcis_kernel::{Role, Timestamp, UserId};

use super::{Accounts, HashError, Passwords, SaveError, Sessions, retry::retry};
use crate::domain::{Account, Email, Password, PersonName, TypedPassword};

/// What was found or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstAdmin {
    Created,
    /// The account is an admin's already. Its password may have changed.
    Present,
    /// The account has this password and has become an admin's.
    Promoted,
    /// The account has another password and is left unchanged, because anyone could have registered
    /// this address.
    SomebodyElses,
}

/// Why the first admin could not be ensured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnsureAdminError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the account with this address an admin's: a new account, or one that has this password.
/// Several instances may do this at the same time.
pub(crate) async fn ensure_admin(
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
    (email, password, name): (Email, Password, PersonName),
    id: UserId,
    at: Timestamp,
) -> Result<FirstAdmin, EnsureAdminError> {
    retry(|| async {
        let Some(account) = accounts.by_email(&email).await? else {
            let hash = passwords.hash(password.clone()).await?;
            let (email, name) = (email.clone(), name.clone());
            let admin = Account::new(id, email, hash, name, Role::Admin, at);
            return match accounts.add(&admin, None).await {
                Ok(()) => Ok(Some(FirstAdmin::Created)),
                Err(SaveError::EmailTaken) => Ok(None),
                Err(error) => Err(error.into()),
            };
        };
        if account.role == Role::Admin {
            return Ok(Some(FirstAdmin::Present));
        }
        let typed = TypedPassword(password.expose().to_owned());
        if !passwords.matches(typed, Some(account.password_hash.clone())).await? {
            return Ok(Some(FirstAdmin::SomebodyElses));
        }
        let admin = account.with_role(Role::Admin);
        let is_saved = accounts.save(account.version, &admin, Sessions::Keep).await?;
        Ok(is_saved.then_some(FirstAdmin::Promoted))
    })
    .await
}
