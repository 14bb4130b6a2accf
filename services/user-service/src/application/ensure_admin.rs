//! Ensure that there is a first admin.

use karcis_kernel::{Role, Timestamp, UserId};

use crate::{
    application::ports::{Accounts, HashError, Passwords, SaveError, Sessions, StoreError},
    domain::{Account, Email, Password, PersonName, TypedPassword},
};

/// How often the account is looked at again when another instance is at the same.
const ATTEMPTS: usize = 5;

/// What was found or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstAdmin {
    /// The account was made.
    Created,
    /// It is an admin's already; its password may be another by now.
    Present,
    /// It was somebody's who knows the password, and is an admin's now.
    Promoted,
    /// It is somebody's with another password: it stays as it is, lest whoever registers this
    /// address first becomes an admin.
    SomebodyElses,
}

/// Why it is not known whether there is a first admin.
#[derive(Debug, thiserror::Error)]
pub enum EnsureAdminError {
    /// See there.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// See there.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for EnsureAdminError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

/// Makes the account with this address an admin's: a new one, or one that has this password.
/// Several instances may do so at once.
pub async fn ensure_admin(
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
                if !passwords.is_right(typed, Some(hash)).await? {
                    return Ok(FirstAdmin::SomebodyElses);
                }
                let admin = account.with_role(Role::Admin);
                let saved = accounts.save(account.version, &admin, Sessions::Stay).await;
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
            Err(SaveError::EmailTaken | SaveError::Moved) => {}
            Err(error) => return Err(error.into()),
            Ok(done) => return Ok(done),
        }
    }
    Err(SaveError::Moved.into())
}
