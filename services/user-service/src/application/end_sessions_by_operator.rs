//! End sessions of others, as an operator.

use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::UserId;

use super::{Accounts, SecurityLog};
use crate::domain::SecurityEvent;

/// Ends all sessions of this person, or of everybody, and returns how many there were. It can be repeated: only
/// what ends some is recorded, as `act`.
pub async fn end_sessions_by_operator(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    user: Option<UserId>,
    act: PrivilegedAct,
) -> Result<u64, StoreError> {
    let ended = accounts.end_sessions_of(user, &act).await?;
    if let (Some(by), Some(user)) = (act.actor, user.filter(|_| ended > 0)) {
        security.note(SecurityEvent::SessionsEnded { by, user });
    }
    Ok(ended)
}
