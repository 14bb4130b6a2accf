//! Ensure that there is a first admin.

use karcis_database::StoreError;
use karcis_kernel::{Role, Timestamp, UserId};

use crate::{
    application::{
        ATTEMPTS,
        ports::{Accounts, HashError, Passwords, SaveError, Sessions},
    },
    domain::{Account, Email, Password, PersonName, TypedPassword},
};

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
}

impl From<StoreError> for EnsureAdminError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
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
    for _ in 0..ATTEMPTS {
        let saved = match accounts.by_email(&email).await? {
            Some(account) if account.role == Role::Admin => return Ok(FirstAdmin::Present),
            Some(account) => {
                let typed = TypedPassword(password.expose().to_owned());
                let hash = account.password_hash.clone();
                if !passwords.matches(typed, Some(hash)).await? {
                    return Ok(FirstAdmin::SomebodyElses);
                }
                let admin = account.with_role(Role::Admin);
                let saved = accounts.save(account.version, &admin, Sessions::Keep).await;
                saved.map(|()| FirstAdmin::Promoted)
            }
            None => {
                let hash = passwords.hash(password.clone()).await?;
                let (email, name) = (email.clone(), name.clone());
                let admin = Account::new(id, email, hash, name, Role::Admin, at);
                accounts.add(&admin, None).await.map(|()| FirstAdmin::Created)
            }
        };
        match saved {
            Err(SaveError::EmailTaken | SaveError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(done) => return Ok(done),
        }
    }
    Err(SaveError::Conflict.into())
}
