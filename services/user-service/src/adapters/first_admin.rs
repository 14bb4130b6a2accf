//! Ensures the first admin that the configuration names.

use karcis_database::StoreError;
use karcis_kernel::{InvalidText, UserId};
use karcis_process::{chain, now};
use uuid::Uuid;

use crate::{
    application::{Accounts, EnsureAdminError, FirstAdmin, Passwords, SecurityLog, ensure_admin},
    config::AdminConfig,
    domain::{Email, InvalidEmail, InvalidPassword, Password, PersonName},
};

/// Why the first admin could not be ensured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FirstAdminError {
    #[error("give both KARCIS_ADMIN_EMAIL and KARCIS_ADMIN_PASSWORD, or neither")]
    OneSettingMissing,
    #[error("KARCIS_ADMIN_EMAIL: {0}")]
    Email(#[from] InvalidEmail),
    #[error("KARCIS_ADMIN_PASSWORD: {0}")]
    Password(#[from] InvalidPassword),
    #[error(transparent)]
    Name(#[from] InvalidText),
    #[error("the first admin cannot be ensured")]
    Ensure(#[from] EnsureAdminError),
}

/// Ensures that there is an admin, if one is configured.
pub(crate) async fn first_admin(
    config: &AdminConfig,
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
    security: &dyn SecurityLog,
) -> Result<(), FirstAdminError> {
    let AdminConfig { admin_email, admin_password } = config;
    match (admin_email.is_empty(), admin_password.is_empty()) {
        (true, true) => return Ok(()),
        (false, false) => {}
        _ => return Err(FirstAdminError::OneSettingMissing),
    }
    let email = Email::parse(admin_email)?;
    let password = Password::configured(admin_password.clone())?;
    let who = (email, password, PersonName::parse("Admin")?);
    let id = UserId(Uuid::now_v7());
    let ensured = match ensure_admin(accounts, passwords, security, who, id, now()).await {
        // Its one row must not keep everybody else out.
        Err(EnsureAdminError::Store(error @ StoreError::RejectedByStore(_))) => {
            tracing::error!(error = %chain(&error), "the first admin's account is left unchanged");
            return Ok(());
        }
        ensured => ensured?,
    };
    match ensured {
        FirstAdmin::Created => tracing::info!("created the first admin's account"),
        FirstAdmin::Promoted => tracing::info!("promoted an account to first admin"),
        FirstAdmin::Present => {}
        FirstAdmin::SomebodyElses => tracing::warn!(
            "the account of KARCIS_ADMIN_EMAIL is disabled or has another password: it is unchanged"
        ),
    }
    Ok(())
}
