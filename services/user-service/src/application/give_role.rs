//! Give an account a role, as an admin.

use karcis_database::PrivilegedAct;
use karcis_kernel::Role;

use super::{Accounts, ChangeAccountError, SecurityLog, change_account::change_account};
use crate::domain::{Account, Actor, Email, SecurityEvent};

/// Gives the account this role and returns it. Another role ends the account's sessions; access tokens
/// issued before keep the old role until they expire, but this service looks into the database.
pub async fn give_role(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    admin: Actor,
    email: &Email,
    role: Role,
    reason: Option<String>,
) -> Result<Account, ChangeAccountError> {
    let change = |account: &Account| account.with_role(role);
    let act = |before: &Account, after: &Account| PrivilegedAct {
        actor: Some(admin.user_id),
        action: "give_role",
        subject: before.user_id.0,
        detail: Some(format!("{} to {}", before.role, after.role).into()),
        reason: reason.clone(),
    };
    let (before, after) = change_account(accounts, admin, email, change, act).await?;
    if before != after {
        security.note(SecurityEvent::RoleChanged {
            by: Some(admin.user_id),
            user: after.user_id,
            from: before.role,
            to: after.role,
        });
    }
    Ok(after)
}
