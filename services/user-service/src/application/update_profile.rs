//! Update a profile; its e-mail address and password only for who knows the password.

use karcis_kernel::{Timestamp, UserId};

use crate::{
    application::{
        check_password::{CheckPasswordError, PasswordCheck},
        ports::{Accounts, HashError, SaveError, Sessions, StoreError},
    },
    domain::{Account, Password, Peer, ProfileChange, SessionId, TypedPassword},
};

/// How often an account that moves meanwhile is loaded again.
const ATTEMPTS: usize = 5;

/// What somebody wants to be changed.
pub struct Update {
    /// The account.
    pub user_id: UserId,
    /// The session it is asked in, which goes on when the others end.
    pub session: Option<SessionId>,
    /// Where the person sits.
    pub peer: Peer,
    /// The change, but for a new password.
    pub change: ProfileChange,
    /// The new password.
    pub password: Option<Password>,
    /// The current one.
    pub current_password: Option<TypedPassword>,
}

/// Why a profile is not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateProfileError {
    /// The account is gone.
    #[error("register: there is no such account")]
    Gone,
    /// The current password is needed.
    #[error("give the current password to change the e-mail address or the password")]
    CurrentPasswordMissing,
    /// See there.
    #[error(transparent)]
    CurrentPassword(#[from] CheckPasswordError),
    /// See there.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// See there.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for UpdateProfileError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

/// The account after the update.
pub async fn update_profile(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    update: Update,
    at: Timestamp,
) -> Result<Account, UpdateProfileError> {
    let account = load(accounts, update.user_id).await?;
    let is_guarded = update.change.email.is_some() || update.password.is_some();
    if is_guarded {
        let typed = update.current_password.ok_or(UpdateProfileError::CurrentPasswordMissing)?;
        let hash = account.password_hash.clone();
        check.check(&account.email, update.peer, typed, Some(hash), at).await?;
    }
    let mut change = update.change;
    let mut sessions = Sessions::Stay;
    if let Some(password) = update.password {
        change.password_hash = Some(check.passwords.hash(password).await?);
        sessions = Sessions::EndAllBut(update.session);
    }
    let mut loaded = account.clone();
    for _ in 0..ATTEMPTS {
        let changed = loaded.changed(change.clone());
        if changed == loaded {
            return Ok(loaded);
        }
        match accounts.save(loaded.version, &changed, sessions).await {
            Ok(()) => return Ok(changed),
            Err(SaveError::Moved) => loaded = load(accounts, update.user_id).await?,
            Err(error) => return Err(error.into()),
        }
        if is_guarded && loaded.password_hash != account.password_hash {
            // The password that was checked is not the current one any more.
            return Err(CheckPasswordError::Wrong.into());
        }
    }
    Err(SaveError::Moved.into())
}

async fn load(accounts: &dyn Accounts, id: UserId) -> Result<Account, UpdateProfileError> {
    accounts.by_id(id).await?.ok_or(UpdateProfileError::Gone)
}
