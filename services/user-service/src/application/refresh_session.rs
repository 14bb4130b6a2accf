//! Refresh a session: a used refresh token gives the next one.

use karcis_kernel::Timestamp;

use crate::{
    application::ports::{Accounts, StoreError},
    domain::{Account, NewToken, SessionId, TokenHash, TokenUse},
};

/// Why there is no next token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshSessionError {
    /// The token is unknown or expired, or its session has ended.
    #[error("log in again: the session has ended")]
    Ended,
    /// It was used before, which ends its session.
    #[error("log in again: the refresh token was used before, so its session has ended")]
    Betrayed,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account as it is now and the session, once `next` has taken the place of the presented token. Of two who
/// present a token at once one is first; the other betrays the session.
pub async fn refresh_session(
    accounts: &dyn Accounts,
    presented: &TokenHash,
    next: &NewToken,
    at: Timestamp,
) -> Result<(Account, SessionId), RefreshSessionError> {
    // Only a token that turns from fresh to used in between is looked at again.
    loop {
        let token = accounts.token(presented).await?.ok_or(RefreshSessionError::Ended)?;
        match token.presented(at) {
            TokenUse::Expired => return Err(RefreshSessionError::Ended),
            TokenUse::Betrays => {
                accounts.end_session(token.session_id).await?;
                return Err(RefreshSessionError::Betrayed);
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
}
