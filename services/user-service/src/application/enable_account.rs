//! Enable a disabled account, as an admin.

use karcis_database::PrivilegedAct;

use super::{Accounts, ChangeAccountError, SecurityLog, change_account::change_account};
use crate::domain::{Account, Actor, Email, SecurityEvent};

/// Enables the account and returns it. It can be repeated.
pub async fn enable_account(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    admin: Actor,
    email: &Email,
    reason: String,
) -> Result<Account, ChangeAccountError> {
    let act = |before: &Account, _: &Account| PrivilegedAct {
        actor: Some(admin.user_id),
        action: "enable_account",
        subject: before.user_id.0,
        detail: None,
        reason: Some(reason.clone()),
    };
    let (before, after) = change_account(accounts, admin, email, Account::enabled, act).await?;
    if before != after {
        security.note(SecurityEvent::AccountEnabled { by: admin.user_id, user: after.user_id });
    }
    Ok(after)
}
