//! Register: open an account with a first session.

use karcis_kernel::{Role, Timestamp, UserId};

use super::{Accounts, HashError, Passwords, SaveError, Urgency};
use crate::domain::{Account, Email, NewSession, Password, PersonName};

/// What a person gives to register, with the ids of what is about to be created.
pub struct Registration {
    pub user_id: UserId,
    pub email: Email,
    pub password: Password,
    pub name: PersonName,
    pub session: NewSession,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// Opens a buyer's account and returns it.
pub async fn register(
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
    registration: Registration,
    at: Timestamp,
) -> Result<Account, RegisterError> {
    let Registration { user_id, email, password, name, session } = registration;
    let hash = passwords.hash(password, Urgency::Registration).await?;
    let account = Account::new(user_id, email, hash, name, Role::Buyer, at);
    accounts.add(&account, Some(&session), None).await?;
    Ok(account)
}
