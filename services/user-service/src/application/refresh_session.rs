//! Refresh a session: exchange a refresh token for the next one.

use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::Accounts;
use crate::domain::{Account, NewToken, SessionId, TokenHash, TokenUse};

/// How often the token is looked at: a second time if another request changed it meanwhile.
const ROUNDS: usize = 2;

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

/// Replaces the presented token by `next`. Returns the account as it is now, and the session. Of two
/// requests with the same token the second one ends the session.
pub(crate) async fn refresh_session(
    accounts: &dyn Accounts,
    presented: &TokenHash,
    next: &NewToken,
    at: Timestamp,
) -> Result<(Account, SessionId), RefreshSessionError> {
    for _ in 0..ROUNDS {
        let token = accounts.token(presented).await?.ok_or(RefreshSessionError::Ended)?;
        match token.presented(at) {
            TokenUse::Expired => return Err(RefreshSessionError::Ended),
            TokenUse::ReuseDetected => {
                accounts.end_session(token.session_id).await?;
                return Err(RefreshSessionError::ReuseDetected);
            }
            TokenUse::Rotates => {
                if accounts.rotate(token.session_id, presented, next, at).await? {
                    let account = accounts.by_id(token.user_id).await?;
                    let account = account.ok_or(RefreshSessionError::Ended)?;
                    return Ok((account, token.session_id));
                }
            }
        }
    }
    Err(RefreshSessionError::Ended)
}
