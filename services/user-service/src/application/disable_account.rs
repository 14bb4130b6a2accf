//! Disable an account, as an admin: nobody can log in to it.

use karcis_database::PrivilegedAct;
use karcis_kernel::Timestamp;

use super::{Accounts, ChangeAccountError, SecurityLog, change_account::change_account};
use crate::domain::{Account, Actor, Email, SecurityEvent};

/// Disables the account, ends its sessions and returns it. It can be repeated: the first time stands.
pub async fn disable_account(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    admin: Actor,
    email: &Email,
    reason: String,
    at: Timestamp,
) -> Result<Account, ChangeAccountError> {
    let act = |before: &Account, _: &Account| PrivilegedAct {
        actor: Some(admin.user_id),
        action: "disable_account",
        subject: before.user_id.0,
        detail: None,
        reason: Some(reason.clone()),
    };
    let change = |account: &Account| account.disabled(at);
    let (before, after) = change_account(accounts, admin, email, change, act).await?;
    if before != after {
        security.note(SecurityEvent::AccountDisabled { by: admin.user_id, user: after.user_id });
    }
    Ok(after)
}
