//! The first admin, as the configuration names them.

use karcis_kernel::UserId;
use uuid::Uuid;

use crate::{
    application::{
        ensure_admin::{EnsureAdminError, FirstAdmin, ensure_admin},
        ports::{Accounts, Passwords},
    },
    config::AdminConfig,
    domain::{Email, InvalidEmail, InvalidName, InvalidPassword, Password, PersonName},
};

/// Why there is no first admin.
#[derive(Debug, thiserror::Error)]
pub enum FirstAdminError {
    /// Only one of the two is there.
    #[error("give both KARCIS_ADMIN_EMAIL and KARCIS_ADMIN_PASSWORD, or neither")]
    Half,
    /// See there.
    #[error("KARCIS_ADMIN_EMAIL: {0}")]
    Email(#[from] InvalidEmail),
    /// See there.
    #[error("KARCIS_ADMIN_PASSWORD: {0}")]
    Password(#[from] InvalidPassword),
    /// See there.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// See there.
    #[error(transparent)]
    Ensure(#[from] EnsureAdminError),
}

/// Makes sure of the first admin, if one is configured.
pub async fn first_admin(
    config: &AdminConfig,
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
) -> Result<(), FirstAdminError> {
    let AdminConfig { admin_email, admin_password } = config;
    match (admin_email.is_empty(), admin_password.is_empty()) {
        (true, true) => return Ok(()),
        (false, false) => {}
        _ => return Err(FirstAdminError::Half),
    }
    let email = Email::parse(admin_email)?;
    let password = Password::choose(admin_password.clone())?;
    let who = (email, password, PersonName::parse("Admin")?);
    let id = UserId(Uuid::now_v7());
    match ensure_admin(accounts, passwords, who, id, karcis_process::now()).await? {
        FirstAdmin::Created => tracing::info!("made the first admin's account"),
        FirstAdmin::Promoted => tracing::info!("made an account the first admin's"),
        FirstAdmin::Present => {}
        FirstAdmin::SomebodyElses => tracing::warn!(
            "KARCIS_ADMIN_EMAIL has an account with another password, which stays as it is"
        ),
    }
    Ok(())
}
