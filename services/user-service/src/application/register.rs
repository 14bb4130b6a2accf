//! Register: a new account with a first session.

use karcis_kernel::{Role, Timestamp, UserId};

use crate::{
    application::ports::{Accounts, HashError, Passwords, SaveError},
    domain::{Account, Email, NewSession, Password, PersonName},
};

/// What a person gives to register, and the ids that are drawn for it.
pub struct Registration {
    /// The new account's id.
    pub user_id: UserId,
    /// Its e-mail address.
    pub email: Email,
    /// Its password.
    pub password: Password,
    /// The person's name.
    pub name: PersonName,
    /// The session it begins with.
    pub session: NewSession,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// See there.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// See there.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The new account, a buyer's.
pub async fn register(
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
    registration: Registration,
    at: Timestamp,
) -> Result<Account, RegisterError> {
    let Registration { user_id, email, password, name, session } = registration;
    let hash = passwords.hash(password).await?;
    let account = Account::new(user_id, email, hash, name, Role::Buyer, at);
    accounts.add(&account, Some(&session)).await?;
    Ok(account)
}
