//! Sessions and their refresh tokens: tables `session` and `refresh_token`. A session's row is
//! always locked before the rows of its tokens.

use karcis_database::{Connection, Pool};
use karcis_kernel::{Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{Account, NewSession, NewToken, SessionId, StoredToken, TokenHash};

/// Opens a session if the account still has the password it was loaded with; else returns `false`.
/// The share lock makes a change of the password wait, which then ends this session too.
pub(super) async fn open(
    transaction: &mut Connection,
    account: &Account,
    session: &NewSession,
) -> Result<bool, sqlx::Error> {
    let opened = sqlx::query(
        "INSERT INTO session (session_id, user_id, expires_at)
         SELECT $1, user_id, $4 FROM account WHERE user_id = $2 AND password_hash = $3 FOR SHARE",
    )
    .bind(session.id.0)
    .bind(account.user_id.0)
    .bind(&account.password_hash.0)
    .bind(session.token.expires_at)
    .execute(&mut *transaction)
    .await?;
    if opened.rows_affected() == 0 {
        return Ok(false);
    }
    store(transaction, session.id, &session.token).await?;
    Ok(true)
}

/// The refresh token with this hash.
pub(super) async fn token(
    pool: &Pool,
    hash: &TokenHash,
) -> Result<Option<StoredToken>, sqlx::Error> {
    let row: Option<(Uuid, Uuid, Timestamp, bool)> = sqlx::query_as(
        "SELECT user_id, session_id, refresh_token.expires_at, used_at IS NOT NULL
         FROM refresh_token JOIN session USING (session_id) WHERE token_hash = $1",
    )
    .bind(hash.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(user_id, session_id, expires_at, is_used)| StoredToken {
        user_id: UserId(user_id),
        session_id: SessionId(session_id),
        expires_at,
        is_used,
    }))
}

/// Marks a token as used and stores the next one. Returns `false` if the token is used already or
/// its session has ended; then the transaction must not be committed.
pub(super) async fn rotate(
    transaction: &mut Connection,
    session: SessionId,
    used: &TokenHash,
    next: &NewToken,
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let extended = sqlx::query("UPDATE session SET expires_at = $2 WHERE session_id = $1")
        .bind(session.0)
        .bind(next.expires_at)
        .execute(&mut *transaction)
        .await?;
    if extended.rows_affected() == 0 {
        return Ok(false);
    }
    let marked = sqlx::query(
        "UPDATE refresh_token SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL",
    )
    .bind(used.0)
    .bind(at)
    .execute(&mut *transaction)
    .await?;
    if marked.rows_affected() == 0 {
        return Ok(false);
    }
    store(transaction, session, next).await?;
    Ok(true)
}

async fn store(
    transaction: &mut Connection,
    session: SessionId,
    token: &NewToken,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refresh_token (token_hash, session_id, expires_at) VALUES ($1, $2, $3)",
    )
    .bind(token.hash.0)
    .bind(session.0)
    .bind(token.expires_at)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Ends a session.
pub(super) async fn end(pool: &Pool, session: SessionId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE session_id = $1").bind(session.0).execute(pool).await?;
    Ok(())
}

/// Ends the session of this token, if there is one.
pub(super) async fn end_of(pool: &Pool, token: &TokenHash) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM session USING refresh_token
         WHERE refresh_token.session_id = session.session_id AND token_hash = $1",
    )
    .bind(token.0)
    .execute(pool)
    .await?;
    Ok(())
}

/// Ends all sessions of a user but `kept`.
pub(super) async fn end_all_but(
    transaction: &mut Connection,
    user: UserId,
    kept: Option<SessionId>,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE user_id = $1 AND session_id IS DISTINCT FROM $2")
        .bind(user.0)
        .bind(kept.map(|session| session.0))
        .execute(transaction)
        .await?;
    Ok(())
}
