//! Give an account a role, as an admin.

use karcis_kernel::{Role, UserId};

use crate::{
    application::ports::{Accounts, SaveError, Sessions, StoreError},
    domain::{Account, Email, changes_own_role},
};

/// How often an account that moves meanwhile is loaded again.
const ATTEMPTS: usize = 5;

/// Why the role is not given.
#[derive(Debug, thiserror::Error)]
pub enum GiveRoleError {
    /// No account has this address.
    #[error("give the e-mail address of an account")]
    NoSuchAccount,
    /// It is the admin's own account.
    #[error("ask another admin to change your own role")]
    OwnRole,
    /// See there.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for GiveRoleError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

/// The account with its new role. Access tokens given out before say the old one until they
/// expire.
pub async fn give_role(
    accounts: &dyn Accounts,
    admin: UserId,
    email: &Email,
    role: Role,
) -> Result<Account, GiveRoleError> {
    for _ in 0..ATTEMPTS {
        let loaded = accounts.by_email(email).await?.ok_or(GiveRoleError::NoSuchAccount)?;
        if changes_own_role(admin, &loaded, role) {
            return Err(GiveRoleError::OwnRole);
        }
        let changed = loaded.with_role(role);
        if changed == loaded {
            return Ok(loaded);
        }
        match accounts.save(loaded.version, &changed, Sessions::Stay).await {
            Ok(()) => return Ok(changed),
            Err(SaveError::Moved) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SaveError::Moved.into())
}
