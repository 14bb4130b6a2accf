//! Tables `difference` and `reconciler`: what a service's reconciler found, and how far it is.

use std::time::Duration;

use async_trait::async_trait;
use karcis_kernel::Timestamp;
use uuid::Uuid;

use crate::{ByOperator, Pool, PrivilegedAct, StoreError};

/// What a turn has shown.
#[derive(Debug, Default)]
pub struct Compared {
    /// What differs, and how.
    pub differs: Vec<(Uuid, String)>,
    pub agrees: Vec<Uuid>,
    /// How many were asked about, whose answers come later.
    pub asked: usize,
    /// After which id the next turn goes on; `None`: from the beginning.
    pub next: Option<Uuid>,
}

/// Something that a service compares.
#[async_trait]
pub trait Reconcile: Send + Sync + 'static {
    /// What is compared, such as `stock`.
    const KIND: &'static str;
    /// The kinds of differences that it finds.
    const KINDS: &'static [&'static str] = &[Self::KIND];

    /// Compares the next thing after this id, and once more `again`, the subject of a difference, however old.
    async fn compare(&self, after: Uuid, again: Option<Uuid>) -> Result<Compared, StoreError>;
}

/// A difference as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DifferenceRow {
    pub difference_id: Uuid,
    /// What was compared, such as `stock`.
    pub kind: String,
    /// What it is about, such as a booking.
    pub subject_id: Uuid,
    pub detail: String,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When the two agreed again.
    pub gone_at: Option<Timestamp>,
}

/// Records that these subjects differ, each in this way.
pub async fn record_differences(
    pool: &Pool,
    kind: &'static str,
    found: &[(Uuid, String)],
) -> Result<(), StoreError> {
    if found.is_empty() {
        return Ok(());
    }
    let (subjects, details): (Vec<Uuid>, Vec<&str>) =
        found.iter().map(|(subject, detail)| (*subject, detail.as_str())).unzip();
    sqlx::query(
        "INSERT INTO difference (difference_id, kind, subject_id, detail)
         SELECT DISTINCT ON (subject) gen_random_uuid(), $1, subject, detail
         FROM UNNEST($2::uuid[], $3::text[]) AS found (subject, detail) ORDER BY subject
         ON CONFLICT (kind, subject_id) DO UPDATE
         SET detail = EXCLUDED.detail, last_seen_at = now(), gone_at = NULL,
             first_seen_at = CASE WHEN difference.gone_at IS NULL
                 THEN difference.first_seen_at ELSE now() END",
    )
    .bind(kind)
    .bind(subjects)
    .bind(details)
    .execute(pool)
    .await?;
    Ok(())
}

/// Records that these subjects agree: what differed is gone.
pub async fn record_agreement(
    pool: &Pool,
    kind: &'static str,
    subjects: &[Uuid],
) -> Result<(), StoreError> {
    if subjects.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE difference SET gone_at = now()
         WHERE kind = $1 AND subject_id = ANY($2) AND gone_at IS NULL",
    )
    .bind(kind)
    .bind(subjects)
    .execute(pool)
    .await?;
    Ok(())
}

/// Up to `limit` differences, the newest first, from the one on that follows `after`; those that are gone
/// too, if they are wanted.
pub async fn differences(
    pool: &Pool,
    with_gone: bool,
    after: Option<(Timestamp, Uuid)>,
    limit: u16,
) -> Result<Vec<DifferenceRow>, StoreError> {
    let (at, id) = after.unzip();
    Ok(sqlx::query_as(
        "SELECT difference_id, kind, subject_id, detail, first_seen_at, last_seen_at, gone_at
         FROM difference
         WHERE ($1 OR gone_at IS NULL)
           AND ($2::timestamptz IS NULL OR (first_seen_at, difference_id) < ($2, $3))
         ORDER BY first_seen_at DESC, difference_id DESC LIMIT $4",
    )
    .bind(with_gone)
    .bind(at)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?)
}

/// How many differences of this kind are not gone, counted up to 10,000.
pub async fn open_differences(pool: &Pool, kind: &'static str) -> Result<i64, StoreError> {
    let count = "SELECT count(*) FROM (SELECT FROM difference
        WHERE gone_at IS NULL AND kind = $1 LIMIT 10000) AS open";
    Ok(sqlx::query_scalar(count).bind(kind).fetch_one(pool).await?)
}

/// Takes the next turn of comparing this, if it is due and no other instance has it: after which id to go
/// on. The turn after it is due after `pause`.
pub async fn take_turn(
    pool: &Pool,
    kind: &'static str,
    pause: Duration,
) -> Result<Option<Uuid>, StoreError> {
    let turn = sqlx::query_scalar(
        "INSERT INTO reconciler (kind, after_id, next_at) VALUES ($1, $2, now() + make_interval(secs => $3))
         ON CONFLICT (kind) DO UPDATE SET next_at = EXCLUDED.next_at
             WHERE reconciler.next_at <= now()
         RETURNING after_id",
    );
    Ok(turn.bind(kind).bind(Uuid::nil()).bind(pause.as_secs_f64()).fetch_optional(pool).await?)
}

/// Ends a turn: the next goes on after this id, not before `pause` is over.
pub async fn end_turn(
    pool: &Pool,
    kind: &'static str,
    after: Uuid,
    pause: Duration,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reconciler SET after_id = $2, next_at = now() + make_interval(secs => $3)
         WHERE kind = $1",
    )
    .bind(kind)
    .bind(after)
    .bind(pause.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

/// The subject of the open difference of these kinds that was compared the longest time ago, if that is more
/// than `pause`: it is to be compared again, and counts as compared now.
pub async fn differs_longest(
    pool: &Pool,
    kinds: &[&str],
    pause: Duration,
) -> Result<Option<Uuid>, StoreError> {
    let longest = sqlx::query_scalar(
        "UPDATE difference SET asked_at = now()
         WHERE difference_id = (
             SELECT difference_id FROM difference
             WHERE kind = ANY($1) AND gone_at IS NULL
                 AND COALESCE(asked_at, first_seen_at) < now() - $2
             ORDER BY COALESCE(asked_at, first_seen_at) LIMIT 1)
         RETURNING subject_id",
    );
    Ok(longest.bind(kinds).bind(pause).fetch_optional(pool).await?)
}

/// Closes a difference as an operator has found out what it was; whether it was open. `None`: there is none.
pub async fn close_difference(
    pool: &Pool,
    id: Uuid,
    by: &ByOperator,
) -> Result<Option<bool>, StoreError> {
    let mut transaction = pool.begin().await?;
    let found: Option<(String, Uuid, bool)> = sqlx::query_as(
        "SELECT kind, subject_id, gone_at IS NULL FROM difference WHERE difference_id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((kind, subject, is_open)) = found else { return Ok(None) };
    if is_open {
        sqlx::query("UPDATE difference SET gone_at = now() WHERE difference_id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        let act = by.act("close_difference", id);
        let detail = Some(format!("{kind} of {subject}").into());
        PrivilegedAct { detail, ..act }.record(&mut transaction).await?;
        transaction.commit().await?;
    }
    Ok(Some(is_open))
}

/// The least id of a thing that was made at this time or later: ids begin with their time.
pub fn first_id_since(at: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(milliseconds << 80)
}
