//! Sessions and their refresh tokens: tables `session` and `refresh_token`. A session's row is
//! always locked before the rows of its tokens.

use async_trait::async_trait;
use karcis_database::{Connection, Pool, PrivilegedAct, StoreError, Transaction};
use karcis_kernel::{Timestamp, UserId};
use uuid::Uuid;

use super::{
    known_peers,
    rows::{read_account, select_accounts},
};
use crate::{
    application::{LockedSession, WhichSessions},
    domain::{
        Account, Actor, NewSession, NewToken, OpenSession, SessionId, StoredToken, TokenHash,
        UserAgent,
    },
};

/// How many sessions an account has at most: a new one ends the other one that was used least recently.
const MAX_SESSIONS: i64 = 100;
/// How many sessions a transaction ends at most.
const ENDED_AT_A_TIME: u16 = 5_000;

/// Opens a session if the account is not disabled and still has the password it was loaded with; else
/// returns `false`. The share lock makes a change of these wait, which then ends this session too.
pub(super) async fn open(
    transaction: &mut Connection,
    account: &Account,
    session: &NewSession,
) -> Result<bool, sqlx::Error> {
    let token = session.first_token(account.role);
    let opened = sqlx::query(
        "INSERT INTO session (session_id, user_id, created_at, last_used_at, expires_at, user_agent)
         SELECT $1, user_id, $4, $4, $5, $6 FROM account
         WHERE user_id = $2 AND password_hash = $3 AND role = $7 AND disabled_at IS NULL FOR SHARE",
    )
    .bind(session.id.0)
    .bind(account.user_id.0)
    .bind(&account.password_hash.0)
    .bind(session.began_at)
    .bind(token.expires_at)
    .bind(session.user_agent.as_ref().map(UserAgent::as_str))
    .bind(account.role.as_str())
    .execute(&mut *transaction)
    .await?;
    if opened.rows_affected() == 0 {
        return Ok(false);
    }
    store(transaction, session.id, &token, None).await?;
    known_peers::remember(transaction, account.user_id, &session.client_ip).await?;
    sqlx::query(
        "DELETE FROM session WHERE user_id = $1 AND session_id IN (
             SELECT session_id FROM session WHERE user_id = $1 AND session_id <> $3
             ORDER BY coalesce(last_used_at, created_at) DESC, session_id DESC OFFSET $2)",
    )
    .bind(account.user_id.0)
    .bind(MAX_SESSIONS - 1)
    .bind(session.id.0)
    .execute(transaction)
    .await?;
    Ok(true)
}

/// Whether there is this session.
pub(super) async fn exists(pool: &Pool, session: SessionId) -> Result<bool, sqlx::Error> {
    let exists = "SELECT EXISTS (SELECT FROM session WHERE session_id = $1)";
    sqlx::query_scalar(exists).bind(session.0).fetch_one(pool).await
}

/// Whether the actor's session is live.
pub(super) async fn is_live(
    connection: &mut Connection,
    actor: Actor,
) -> Result<bool, sqlx::Error> {
    let Some(session) = actor.session else { return Ok(true) };
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM session
         WHERE session_id = $1 AND user_id = $2 AND expires_at > now())",
    )
    .bind(session.0)
    .bind(actor.user_id.0)
    .fetch_one(connection)
    .await
}

/// The live sessions of a person, the one used last first.
pub(super) async fn live(pool: &Pool, user: UserId) -> Result<Vec<OpenSession>, sqlx::Error> {
    type Row = (Uuid, Timestamp, Timestamp, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT session_id, created_at, coalesce(last_used_at, created_at), user_agent FROM session
         WHERE user_id = $1 AND expires_at > now() ORDER BY 3 DESC, 1 DESC LIMIT $2",
    )
    .bind(user.0)
    .bind(MAX_SESSIONS)
    .fetch_all(pool)
    .await?;
    let open = |(id, began_at, last_used_at, user_agent): Row| OpenSession {
        id: SessionId(id),
        began_at,
        last_used_at,
        // Older releases stored characters that are left out now.
        user_agent: user_agent.as_deref().and_then(UserAgent::plain),
    };
    Ok(rows.into_iter().map(open).collect())
}

/// Dropped, the transaction is rolled back.
struct LockedPgSession {
    transaction: Transaction,
    presented: TokenHash,
    token: StoredToken,
    account: Account,
}

/// The session of this refresh token with its account, unless it has ended.
pub(super) async fn lock(
    pool: &Pool,
    presented: &TokenHash,
) -> Result<Option<Box<dyn LockedSession>>, StoreError> {
    let mut transaction = pool.begin().await?;
    let session: Option<(Uuid, Uuid, Timestamp)> = sqlx::query_as(
        "SELECT session_id, user_id, created_at FROM session WHERE session_id =
             (SELECT session_id FROM refresh_token WHERE token_hash = $1) FOR UPDATE",
    )
    .bind(presented.0)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((session_id, user_id, began_at)) = session else { return Ok(None) };
    // A statement of its own: one that waited for the lock would see the token as it was before.
    let token: Option<(Timestamp, Option<Timestamp>, bool)> = sqlx::query_as(
        "SELECT expires_at, used_at, NOT EXISTS (
             SELECT FROM refresh_token AS next
             WHERE next.session_id = $2 AND predecessor = $1 AND used_at IS NOT NULL)
         FROM refresh_token WHERE token_hash = $1 AND session_id = $2",
    )
    .bind(presented.0)
    .bind(session_id)
    .fetch_optional(&mut *transaction)
    .await?;
    let account = select_accounts!("WHERE user_id = $1")
        .bind(user_id)
        .fetch_optional(&mut *transaction)
        .await?;
    let (Some((expires_at, used_at, successors_are_unused)), Some(account)) = (token, account)
    else {
        return Ok(None);
    };
    let session_id = SessionId(session_id);
    let token = StoredToken { session_id, began_at, expires_at, used_at, successors_are_unused };
    let (presented, account) = (*presented, read_account(&account)?);
    Ok(Some(Box::new(LockedPgSession { transaction, presented, token, account })))
}

#[async_trait]
impl LockedSession for LockedPgSession {
    fn token(&self) -> &StoredToken {
        &self.token
    }

    fn account(&self) -> &Account {
        &self.account
    }

    async fn rotate(mut self: Box<Self>, next: &NewToken, at: Timestamp) -> Result<(), StoreError> {
        let session = self.token.session_id;
        // The other successor of a token that was presented twice goes with it. Presented again itself,
        // it leaves alone what took its place: two tabs that refresh together both stay logged in.
        if self.token.used_at.is_none() {
            let used =
                "UPDATE refresh_token SET used_at = $2 WHERE session_id = $1 AND used_at IS NULL";
            sqlx::query(used).bind(session.0).bind(at).execute(&mut *self.transaction).await?;
        }
        store(&mut self.transaction, session, next, Some(&self.presented)).await?;
        sqlx::query("UPDATE session SET expires_at = $2, last_used_at = $3 WHERE session_id = $1")
            .bind(session.0)
            .bind(next.expires_at)
            .bind(at)
            .execute(&mut *self.transaction)
            .await?;
        Ok(self.transaction.commit().await?)
    }

    async fn end(mut self: Box<Self>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session WHERE session_id = $1")
            .bind(self.token.session_id.0)
            .execute(&mut *self.transaction)
            .await?;
        Ok(self.transaction.commit().await?)
    }
}

async fn store(
    transaction: &mut Connection,
    session: SessionId,
    token: &NewToken,
    predecessor: Option<&TokenHash>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refresh_token (token_hash, session_id, expires_at, predecessor)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(token.hash.0)
    .bind(session.0)
    .bind(token.expires_at)
    .bind(predecessor.map(|token| token.0))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Ends sessions of the actor; returns how many there were.
pub(super) async fn end(
    pool: &Pool,
    actor: Actor,
    which: WhichSessions,
) -> Result<u64, sqlx::Error> {
    match which {
        WhichSessions::One(session) => {
            let end = "DELETE FROM session WHERE session_id = $1 AND user_id = $2";
            let end = sqlx::query(end).bind(session.0).bind(actor.user_id.0).execute(pool);
            Ok(end.await?.rows_affected())
        }
        WhichSessions::AllOthers => {
            let mut connection = pool.acquire().await?;
            end_all_but(&mut connection, actor.user_id, actor.session).await
        }
    }
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

/// Ends all sessions of this person, or of everybody, many at a time; returns how many there were. The act is
/// recorded with the first.
pub(super) async fn end_all_of(
    pool: &Pool,
    user: Option<UserId>,
    act: &PrivilegedAct,
) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let mut transaction = pool.begin().await?;
        let end = "DELETE FROM session WHERE session_id IN (
            SELECT session_id FROM session WHERE $1 IS NULL OR user_id = $1 LIMIT $2)";
        let end = sqlx::query(end).bind(user.map(|user| user.0)).bind(i64::from(ENDED_AT_A_TIME));
        let ended = end.execute(&mut *transaction).await?.rows_affected();
        if all == 0 && ended > 0 {
            act.record(&mut transaction).await?;
        }
        transaction.commit().await?;
        all += ended;
        if ended < u64::from(ENDED_AT_A_TIME) {
            return Ok(all);
        }
    }
}

/// Ends all sessions of a user but `kept`; returns how many there were.
pub(super) async fn end_all_but(
    connection: &mut Connection,
    user: UserId,
    kept: Option<SessionId>,
) -> Result<u64, sqlx::Error> {
    let end =
        sqlx::query("DELETE FROM session WHERE user_id = $1 AND session_id IS DISTINCT FROM $2");
    let end = end.bind(user.0).bind(kept.map(|session| session.0)).execute(connection);
    Ok(end.await?.rows_affected())
}
