//! Cancelled events that are due to be announced again.

use std::collections::HashMap;

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use super::PgEvents;
use crate::{
    application::ports::{Announcement, CancelledEvent, Message},
    domain::CancelReason,
};

/// The events that are due at `at`, the longest waiting first.
pub(super) async fn due(
    pool: &PgPool,
    at: Timestamp,
    limit: i64,
) -> Result<Vec<CancelledEvent>, StoreError> {
    const SELECT: &str = "
        SELECT event_id, cancel_reason, announced,
               (SELECT COALESCE(sum(held + sold), 0) FROM ticket_type
                WHERE ticket_type.event_id = event.event_id)
        FROM event
        WHERE announce_at <= $1 AND cancel_reason IS NOT NULL
        ORDER BY announce_at LIMIT $2";
    let rows: Vec<(Uuid, String, i32, i64)> =
        sqlx::query_as(SELECT).bind(at).bind(limit).fetch_all(pool).await?;
    rows.into_iter()
        .map(|(id, reason, announced, taken)| {
            let reason = CancelReason::try_from(reason);
            Ok(CancelledEvent {
                id: EventId(id),
                reason: reason.map_err(|why| StoreError::rejected(why))?,
                announced: announced.unsigned_abs(),
                taken: taken.unsigned_abs(),
            })
        })
        .collect()
}

/// Announces the events that have a next time, unless another has announced them meanwhile.
pub(super) async fn announce(
    store: &PgEvents,
    announcements: &[Announcement],
) -> Result<(), StoreError> {
    const LOCK: &str = "
        SELECT event_id, announced FROM event
        WHERE event_id = ANY($1) ORDER BY event_id FOR NO KEY UPDATE";
    const UPDATE: &str = "
        UPDATE event SET announced = event.announced + 1, announce_at = new.announce_at
        FROM UNNEST($1::uuid[], $2::timestamptz[]) AS new (event_id, announce_at)
        WHERE event.event_id = new.event_id";
    let mut transaction = store.pool.begin().await?;
    let ids: Vec<Uuid> = announcements.iter().map(|one| one.event.id.0).collect();
    let locked: Vec<(Uuid, i32)> =
        sqlx::query_as(LOCK).bind(ids).fetch_all(&mut *transaction).await?;
    let announced: HashMap<Uuid, i32> = locked.into_iter().collect();
    let still = |one: &&Announcement| {
        announced.get(&one.event.id.0).is_some_and(|n| n.unsigned_abs() == one.event.announced)
    };
    let due: Vec<&Announcement> = announcements.iter().filter(still).collect();
    sqlx::query(UPDATE)
        .bind(due.iter().map(|one| one.event.id.0).collect::<Vec<Uuid>>())
        .bind(due.iter().map(|one| one.next).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    let again = due.iter().filter(|one| one.next.is_some());
    let messages: Vec<_> =
        again.map(|one| (store.encode)(&Message::StillCancelled(&one.event))).collect();
    store.outbox.insert(&mut transaction, &messages).await?;
    transaction.commit().await?;
    store.outbox.notify();
    Ok(())
}
