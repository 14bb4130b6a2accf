//! Cancelled events that are to be announced again.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_contracts::{EventCancelled, EventFact};
use karcis_kernel::{EventId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    application::ports::{Announcement, CancelledEvent, CancelledEvents, StoreError},
    domain::CancelReason,
};

/// Cancelled events in Postgres.
pub struct PgCancelledEvents {
    pool: PgPool,
    outbox: Outbox,
}

impl PgCancelledEvents {
    /// In this schema, announced through this outbox.
    pub fn new(pool: PgPool, outbox: Outbox) -> Self {
        Self { pool, outbox }
    }
}

#[async_trait]
impl CancelledEvents for PgCancelledEvents {
    async fn due(&self, at: Timestamp, limit: i64) -> Result<Vec<CancelledEvent>, StoreError> {
        const SELECT: &str = "
            SELECT event_id, cancel_reason, announced,
                   (SELECT COALESCE(sum(held + sold), 0) FROM ticket_type
                    WHERE ticket_type.event_id = event.event_id)
            FROM event
            WHERE announce_at <= $1 AND cancel_reason IS NOT NULL
            ORDER BY announce_at LIMIT $2";
        let rows: Vec<(Uuid, String, i32, i64)> =
            sqlx::query_as(SELECT).bind(at).bind(limit).fetch_all(&self.pool).await?;
        rows.into_iter()
            .map(|(id, reason, announced, taken)| {
                let reason = CancelReason::try_from(reason);
                Ok(CancelledEvent {
                    id: EventId(id),
                    reason: reason.map_err(|why| StoreError::Refused(why.to_string()))?,
                    announced: announced.unsigned_abs(),
                    taken: taken.unsigned_abs(),
                })
            })
            .collect()
    }

    async fn announce(&self, announcements: &[Announcement]) -> Result<(), StoreError> {
        const LOCK: &str = "
            SELECT event_id, announced FROM event
            WHERE event_id = ANY($1) ORDER BY event_id FOR NO KEY UPDATE";
        const UPDATE: &str = "
            UPDATE event SET announced = event.announced + 1, announce_at = new.announce_at
            FROM UNNEST($1::uuid[], $2::timestamptz[]) AS new (event_id, announce_at)
            WHERE event.event_id = new.event_id";
        let mut transaction = self.pool.begin().await?;
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
        let messages: Vec<_> = again.map(|one| message(&one.event)).collect();
        self.outbox.insert(&mut transaction, &messages).await?;
        transaction.commit().await?;
        self.outbox.notify();
        Ok(())
    }
}

fn message(event: &CancelledEvent) -> Outgoing {
    let fact = EventCancelled { event_id: event.id, reason: event.reason.to_string() };
    let attempt = event.announced.saturating_add(1).min(i32::MAX as u32) as i32;
    Outgoing::new(&EventFact::from(fact)).attempt(attempt)
}
