//! Refresh a session: exchange a refresh token for the next one.

use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::{Accounts, SecurityLog};
use crate::domain::{Account, SecurityEvent, SessionId, TokenHash, TokenUse};

/// Why there is no next token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshSessionError {
    /// The token is unknown or expired, or its session has ended.
    #[error("log in again: the session has ended")]
    Ended,
    /// The token was used before, which ends its session.
    #[error("log in again: the refresh token was used before, so its session has ended")]
    ReuseDetected,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Replaces the presented token by `next`, in the transaction that loads the account: a token is used up
/// only together with the answer. Returns the account as it is now, and the session.
pub async fn refresh_session(
    accounts: &dyn Accounts,
    security: &dyn SecurityLog,
    presented: &TokenHash,
    next: TokenHash,
    at: Timestamp,
) -> Result<(Account, SessionId), RefreshSessionError> {
    let locked = accounts.lock_session_of(presented).await?.ok_or(RefreshSessionError::Ended)?;
    let (token, account) = (*locked.token(), locked.account().clone());
    let (user, session) = (account.user_id, token.session_id);
    if account.disabled_at.is_some() {
        locked.end().await?;
        security.note(SecurityEvent::DisabledRefused { user });
        return Err(RefreshSessionError::Ended);
    }
    match token.presented(account.role, next, at) {
        TokenUse::Expired => Err(RefreshSessionError::Ended),
        TokenUse::ReuseDetected => {
            locked.end().await?;
            security.note(SecurityEvent::TokenReused { user, session });
            Err(RefreshSessionError::ReuseDetected)
        }
        TokenUse::Rotates(next) => {
            let stored = next.hash;
            match locked.rotate(&next, at).await {
                // The commit may have landed: then the next token is stored.
                Err(StoreError::Unavailable(_))
                    if accounts.lock_session_of(&stored).await?.is_some() => {}
                rotated => rotated?,
            }
            Ok((account, session))
        }
    }
}
