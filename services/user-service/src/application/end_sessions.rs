//! End sessions of one's own.

use karcis_database::StoreError;

use super::{Accounts, SecurityLog};
use crate::domain::{Actor, SecurityEvent, SessionId};

/// Which sessions of a person are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSessions {
    One(SessionId),
    AllOthers,
}

/// Ends sessions of the actor and returns how many there were.
pub async fn end_sessions(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    actor: Actor,
    which: WhichSessions,
) -> Result<u64, StoreError> {
    let ended = accounts.end_sessions(actor, which).await?;
    let logs_out = matches!(which, WhichSessions::One(id) if Some(id) == actor.session);
    if ended > 0 && !logs_out {
        let user = actor.user_id;
        security.note(SecurityEvent::SessionsEnded { by: user, user });
    }
    Ok(ended)
}
