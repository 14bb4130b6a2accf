//! What Postgres wrote and what it read whole: the difference of its own counters before and after a load.

use std::{collections::BTreeMap, ops::Sub};

use serde::Serialize;
use sqlx::PgPool;

/// Counted since the server began to count.
#[derive(Clone, Copy, Debug, Default, Serialize, sqlx::FromRow)]
pub(crate) struct Written {
    pub(crate) wal_bytes: i64,
    pub(crate) commits: i64,
    pub(crate) inserts: i64,
    pub(crate) updates: i64,
    /// Those of the updates that touched no index.
    pub(crate) hot_updates: i64,
    pub(crate) deletes: i64,
    /// Rows of outboxes.
    pub(crate) messages: i64,
}

impl Sub for Written {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            wal_bytes: self.wal_bytes - before.wal_bytes,
            commits: self.commits - before.commits,
            inserts: self.inserts - before.inserts,
            updates: self.updates - before.updates,
            hot_updates: self.hot_updates - before.hot_updates,
            deletes: self.deletes - before.deletes,
            messages: self.messages - before.messages,
        }
    }
}

/// The counters now. A session adds its own when it has been idle for a second, so nothing may be under way.
pub(crate) async fn written(database: &PgPool) -> Result<Written, sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT wal_bytes::bigint FROM pg_stat_wal) AS wal_bytes,
             (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
             sum(n_tup_ins)::bigint AS inserts, sum(n_tup_upd)::bigint AS updates,
             sum(n_tup_hot_upd)::bigint AS hot_updates, sum(n_tup_del)::bigint AS deletes,
             sum(n_tup_ins) FILTER (WHERE relname = 'outbox')::bigint AS messages
         FROM pg_stat_user_tables",
    )
    .fetch_one(database)
    .await
}

/// How often each table of more rows than this was read whole. What this program asks does not count
/// ([`crate::stack::Stack::database`]), and neither do VACUUM and ANALYZE.
pub(crate) async fn scans(
    database: &PgPool,
    rows: i64,
) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let scans = "SELECT schemaname || '.' || relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup > $1";
    let scans: Vec<(String, i64)> = sqlx::query_as(scans).bind(rows).fetch_all(database).await?;
    Ok(scans.into_iter().collect())
}
