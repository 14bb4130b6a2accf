//! Give an account a role, as an admin.

use karcis_database::StoreError;
use karcis_kernel::{Role, UserId};

use crate::{
    application::{
        ATTEMPTS,
        ports::{Accounts, SaveError, Sessions},
    },
    domain::{Account, Email, changes_own_role},
};

/// Why the role is not given.
#[derive(Debug, thiserror::Error)]
pub enum GiveRoleError {
    #[error("give the e-mail address of an account")]
    NoSuchAccount,
    #[error("ask another admin to change your own role")]
    OwnRole,
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for GiveRoleError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

/// Gives the account this role and returns it. Access tokens issued before keep the old role until
/// they expire.
pub(crate) async fn give_role(
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
        match accounts.save(loaded.version, &changed, Sessions::Keep).await {
            Ok(()) => return Ok(changed),
            Err(SaveError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SaveError::Conflict.into())
}
