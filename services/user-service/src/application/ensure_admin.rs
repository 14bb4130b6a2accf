//! Ensure that there is a first admin.

use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::{Role, Timestamp, UserId};

use super::{
    Accounts, HashError, PasswordMatch, Passwords, SaveError, SecurityLog, Sessions, Urgency,
    until_saved::until_saved,
};
use crate::domain::{Account, Email, Password, PersonName, SecurityEvent, TypedPassword};

/// What was found or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstAdmin {
    Created,
    /// There is an admin, this one or another.
    Present,
    /// The account has this password and has become an admin's.
    Promoted,
    /// The account is disabled, or has another password, and is left unchanged, because anyone could
    /// have registered this address.
    SomebodyElses,
}

/// Why the first admin could not be ensured.
#[derive(Debug, thiserror::Error)]
pub enum EnsureAdminError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the account with this address an admin's, while there is no admin at all: a new account, or one
/// that has this password. Several instances may do this at the same time. An admin whom others demoted
/// stays demoted.
pub async fn ensure_admin(
    accounts: &dyn Accounts,
    passwords: &dyn Passwords,
    security: &dyn SecurityLog,
    (email, password, name): (Email, Password, PersonName),
    id: UserId,
    at: Timestamp,
) -> Result<FirstAdmin, EnsureAdminError> {
    let note = |user, from| {
        let to = Role::Admin;
        security.note(SecurityEvent::RoleChanged { by: None, user, from, to });
    };
    until_saved(|| async {
        if accounts.has_admin().await? {
            return Ok(Some(FirstAdmin::Present));
        }
        let Some(account) = accounts.by_email(&email).await? else {
            let hash = passwords.hash(password.clone(), Urgency::LogIn).await?;
            let (email, name) = (email.clone(), name.clone());
            let admin = Account::new(id, email, hash, name, Role::Admin, at);
            return match accounts.add(&admin, None, Some(&act(id))).await {
                Ok(()) => {
                    note(id, Role::Buyer);
                    Ok(Some(FirstAdmin::Created))
                }
                Err(SaveError::EmailTaken) => Ok(None),
                Err(error) => Err(error.into()),
            };
        };
        let typed = TypedPassword(password.expose().to_owned());
        let matches = passwords.matches(typed, Some(account.password_hash.clone())).await?;
        if matches == PasswordMatch::Wrong || account.disabled_at.is_some() {
            return Ok(Some(FirstAdmin::SomebodyElses));
        }
        let admin = account.with_role(Role::Admin);
        let (end, act) = (Sessions::EndAllBut(None), act(account.user_id));
        let is_saved = accounts.save(account.version, &admin, end, &[], Some(&act)).await?;
        if is_saved {
            note(account.user_id, account.role);
        }
        Ok(is_saved.then_some(FirstAdmin::Promoted))
    })
    .await
}

fn act(user: UserId) -> PrivilegedAct {
    let reason = Some("the first admin of the settings".to_owned());
    PrivilegedAct { actor: None, action: "give_role", subject: user.0, detail: None, reason }
}
