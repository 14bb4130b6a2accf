//! Update a profile. A new e-mail address or password needs the current password.

use karcis_database::StoreError;
use karcis_kernel::{Timestamp, UserId};

use super::{
    Accounts, CheckPasswordError, HashError, PasswordCheck, SaveError, Sessions,
    check_password::check_password, retry::retry,
};
use crate::domain::{Account, ClientIp, Password, ProfileChange, SessionId, TypedPassword};

/// A change that the owner of an account asks for.
pub(crate) struct ProfileUpdate {
    pub user_id: UserId,
    /// The session of the request. It stays open when a new password ends the others.
    pub session: Option<SessionId>,
    pub client_ip: ClientIp,
    /// The change without the password, which is hashed first.
    pub change: ProfileChange,
    pub password: Option<Password>,
    pub current_password: Option<TypedPassword>,
}

/// Why a profile is not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateProfileError {
    #[error("register: there is no such account")]
    NoSuchAccount,
    #[error("give the current password to change the e-mail address or the password")]
    CurrentPasswordMissing,
    #[error(transparent)]
    CurrentPassword(#[from] CheckPasswordError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Updates the profile and returns the account.
pub(crate) async fn update_profile(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    update: ProfileUpdate,
    at: Timestamp,
) -> Result<Account, UpdateProfileError> {
    let account = load(accounts, update.user_id).await?;
    let needs_password = update.change.email.is_some() || update.password.is_some();
    if needs_password {
        let typed = update.current_password.ok_or(UpdateProfileError::CurrentPasswordMissing)?;
        let hash = account.password_hash.clone();
        check_password(check, &account.email, update.client_ip, typed, Some(hash), at).await?;
    }
    let mut change = update.change;
    let mut sessions = Sessions::Keep;
    if let Some(password) = update.password {
        change.password_hash = Some(check.passwords.hash(password).await?);
        sessions = Sessions::EndAllBut(update.session);
    }
    let checked_hash = &account.password_hash;
    retry(|| async {
        let account = load(accounts, update.user_id).await?;
        if needs_password && account.password_hash != *checked_hash {
            // The password was changed since it was checked.
            return Err(CheckPasswordError::Wrong.into());
        }
        let changed = account.changed(change.clone());
        let is_done =
            changed == account || accounts.save(account.version, &changed, sessions).await?;
        Ok(is_done.then_some(changed))
    })
    .await
}

async fn load(accounts: &dyn Accounts, id: UserId) -> Result<Account, UpdateProfileError> {
    accounts.by_id(id).await?.ok_or(UpdateProfileError::NoSuchAccount)
}
