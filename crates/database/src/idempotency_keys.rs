//! The requests that clients gave an `Idempotency-Key`, kept for a day, so that a repeated request
//! has one effect.

use std::collections::{HashMap, HashSet};

use karcis_kernel::{Timestamp, UserId};
use karcis_process::CancellationToken;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{Connection, Pool, StoreError};

/// How long a key is kept: 24 h.
pub const KEY_LIFETIME: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// How many expired keys a statement deletes.
const PURGED_AT_A_TIME: u16 = 5_000;
/// How many such statements a purge runs.
const PURGE_ROUNDS: u32 = 20;

/// A user's name for one request. Keys of two users never meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    pub user_id: UserId,
    pub key: String,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyUse {
    pub key: RequestKey,
    /// A hash of what the request said: the same key with another fingerprint is a mistake.
    pub fingerprint: Vec<u8>,
    /// The id of what the request made; `None` if it made nothing.
    pub subject: Option<Uuid>,
    pub used_at: Timestamp,
}

/// Table `idempotency_key` of a service's schema, by the names of the columns that differ.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKeys {
    /// The column of [`KeyUse::subject`].
    pub subject: &'static str,
    /// The column of [`KeyUse::used_at`].
    pub used_at: &'static str,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    user_id: Uuid,
    key: String,
    fingerprint: Vec<u8>,
    subject: Option<Uuid>,
    used_at: Timestamp,
}

impl IdempotencyKeys {
    /// What these keys were used for after `since`; keys that were not used are left out.
    pub async fn find(
        self,
        connection: &mut Connection,
        keys: &[RequestKey],
        since: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let Self { subject, used_at } = self;
        // OFFSET 0 keeps a planner without statistics on the index.
        let find = format!(
            "SELECT found.user_id, found.key, fingerprint, {subject} AS subject,
                 {used_at} AS used_at
             FROM UNNEST($1::uuid[], $2::text[]) AS wanted (user_id, key)
             CROSS JOIN LATERAL (
                 SELECT * FROM idempotency_key stored
                 WHERE stored.user_id = wanted.user_id AND stored.key = wanted.key OFFSET 0
             ) AS found
             WHERE {used_at} > $3"
        );
        let rows: Vec<KeyRow> = sqlx::query_as(AssertSqlSafe(find))
            .bind(keys.iter().map(|key| key.user_id.0).collect::<Vec<_>>())
            .bind(keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>())
            .bind(since)
            .fetch_all(connection)
            .await?;
        let key_use = |row: KeyRow| KeyUse {
            key: RequestKey { user_id: UserId(row.user_id), key: row.key },
            fingerprint: row.fingerprint,
            subject: row.subject,
            used_at: row.used_at,
        };
        Ok(rows.into_iter().map(key_use).collect())
    }

    /// Stores these uses in the caller's transaction and returns those that have their key now.
    /// A key that was used in the 24 h before, or by an earlier one of `uses`, stays as it is.
    pub async fn take<'a>(
        self,
        connection: &mut Connection,
        uses: &[&'a KeyUse],
    ) -> Result<HashSet<&'a KeyUse>, StoreError> {
        let mut wanted: Vec<&KeyUse> = uses.to_vec();
        // In order, so that two transactions with the same keys do not deadlock.
        wanted.sort_by(|one, other| one.key.cmp(&other.key));
        wanted.dedup_by(|later, earlier| later.key == earlier.key);
        let mut taken = self.insert(connection, &wanted).await?;
        wanted.retain(|key_use| !taken.contains(key_use));
        if self.delete_expired(connection, &wanted).await? > 0 {
            taken.extend(self.insert(connection, &wanted).await?);
        }
        Ok(taken)
    }

    /// Deletes keys that were used more than 24 h before `now`, 100,000 at most, in statements of
    /// 5,000. Ends early once `stopping` is cancelled.
    pub async fn purge_expired(
        self,
        pool: &Pool,
        now: Timestamp,
        stopping: &CancellationToken,
    ) -> Result<(), StoreError> {
        for _ in 0..PURGE_ROUNDS {
            let purged = self.purge(pool, now - KEY_LIFETIME, PURGED_AT_A_TIME).await?;
            if purged < u64::from(PURGED_AT_A_TIME) || stopping.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    /// Deletes up to `limit` keys that were used before `before`, in no order: sorting would read all
    /// of them for each statement. Returns how many there were.
    pub async fn purge(
        self,
        pool: &Pool,
        before: Timestamp,
        limit: u16,
    ) -> Result<u64, StoreError> {
        let used_at = self.used_at;
        let purge = format!(
            "DELETE FROM idempotency_key WHERE (user_id, key) IN
                 (SELECT user_id, key FROM idempotency_key WHERE {used_at} < $1
                  LIMIT $2 FOR UPDATE SKIP LOCKED)"
        );
        let purged = sqlx::query(AssertSqlSafe(purge))
            .bind(before)
            .bind(i64::from(limit))
            .execute(pool)
            .await?;
        Ok(purged.rows_affected())
    }

    /// Stores the uses whose key is free, and returns them. No two have the same key.
    async fn insert<'a>(
        self,
        connection: &mut Connection,
        uses: &[&'a KeyUse],
    ) -> Result<HashSet<&'a KeyUse>, StoreError> {
        if uses.is_empty() {
            return Ok(HashSet::new());
        }
        let Self { subject, used_at } = self;
        let insert = format!(
            "INSERT INTO idempotency_key (user_id, key, fingerprint, {subject}, {used_at})
             SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::uuid[],
                                  $5::timestamptz[])
             ON CONFLICT (user_id, key) DO NOTHING
             RETURNING user_id, key"
        );
        let rows: Vec<(Uuid, String)> = sqlx::query_as(AssertSqlSafe(insert))
            .bind(uses.iter().map(|it| it.key.user_id.0).collect::<Vec<_>>())
            .bind(uses.iter().map(|it| it.key.key.as_str()).collect::<Vec<_>>())
            .bind(uses.iter().map(|it| it.fingerprint.as_slice()).collect::<Vec<_>>())
            .bind(uses.iter().map(|it| it.subject).collect::<Vec<_>>())
            .bind(uses.iter().map(|it| it.used_at).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        let by_key: HashMap<(Uuid, &str), &KeyUse> =
            uses.iter().map(|it| ((it.key.user_id.0, it.key.key.as_str()), *it)).collect();
        let inserted = rows.iter().filter_map(|(user, key)| by_key.get(&(*user, key.as_str())));
        Ok(inserted.copied().collect())
    }

    /// Deletes the keys of these uses that were used more than 24 h before. Returns how many.
    async fn delete_expired(
        self,
        connection: &mut Connection,
        uses: &[&KeyUse],
    ) -> Result<u64, StoreError> {
        if uses.is_empty() {
            return Ok(0);
        }
        let used_at = self.used_at;
        let delete = format!(
            "DELETE FROM idempotency_key stored
             USING UNNEST($1::uuid[], $2::text[], $3::timestamptz[]) AS wanted (user_id, key, since)
             WHERE stored.user_id = wanted.user_id AND stored.key = wanted.key
                 AND stored.{used_at} <= wanted.since"
        );
        let since = |it: &&KeyUse| it.used_at - KEY_LIFETIME;
        let deleted = sqlx::query(AssertSqlSafe(delete))
            .bind(uses.iter().map(|it| it.key.user_id.0).collect::<Vec<_>>())
            .bind(uses.iter().map(|it| it.key.key.as_str()).collect::<Vec<_>>())
            .bind(uses.iter().map(since).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(deleted.rows_affected())
    }
}
