//! Edits of events, each under the event's lock, which changes of its stock take too.

use async_trait::async_trait;
use karcis_database::{Connection, KeyUse, PrivilegedAct, StoreError, Transaction};
use karcis_kernel::EventId;
use uuid::Uuid;

use super::{
    PgEvents,
    idempotency_keys::KEYS,
    queries,
    rows::{select_events, with_ticket_types},
};
use crate::{
    application::{EventFact, LockedEvent, Message},
    domain::{Event, Stage, TicketType},
};

/// Adds an event, and publishes the fact; returns `false` if the key is used. A commit without an answer may
/// have landed: then the event has this id.
pub(super) async fn add(
    store: &PgEvents,
    event: &Event,
    fact: Option<EventFact>,
    key: Option<&KeyUse>,
) -> Result<bool, StoreError> {
    match insert(store, event, fact, key).await {
        Err(StoreError::Unavailable(_)) => {}
        inserted => return inserted,
    }
    match insert(store, event, fact, key).await {
        Ok(false) | Err(StoreError::RejectedByStore(_))
            if queries::event(&store.pool, event.id).await?.is_some() =>
        {
            Ok(true)
        }
        inserted => inserted,
    }
}

async fn insert(
    store: &PgEvents,
    event: &Event,
    fact: Option<EventFact>,
    key: Option<&KeyUse>,
) -> Result<bool, StoreError> {
    let mut transaction = store.pool.begin().await?;
    if let Some(key) = key
        && KEYS.take(&mut transaction, &[key]).await?.is_empty()
    {
        return Ok(false);
    }
    insert_row(&mut transaction, event).await?;
    finish(store, transaction, event, fact).await?;
    Ok(true)
}

/// The event with its ticket types, all free.
async fn insert_row(connection: &mut Connection, event: &Event) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        INSERT INTO event (event_id, version, organiser_id, stage, title, description, venue,
                           starts_at, ends_at, time_zone, refundable_until, currency, max_per_buyer,
                           refundable_after_start)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let details = &event.details;
    sqlx::query(INSERT)
        .bind(event.id.0)
        .bind(event.version)
        .bind(event.organiser_id.0)
        .bind(stage(&event.stage))
        .bind(details.title.as_str())
        .bind(details.description.as_ref().map(|text| text.as_str()))
        .bind(details.venue.as_str())
        .bind(details.starts_at)
        .bind(details.ends_at)
        .bind(details.time_zone.as_str())
        .bind(details.refundable_until)
        .bind(event.currency.as_str())
        .bind(details.max_per_buyer.map(|limit| limit.get() as i32))
        .bind(details.refundable_after_start)
        .execute(&mut *connection)
        .await?;
    write_ticket_types(connection, event).await
}

/// The event, which nobody else changes until it is saved or dropped.
pub(super) async fn lock(
    store: &PgEvents,
    id: EventId,
) -> Result<Option<Box<dyn LockedEvent>>, StoreError> {
    const LOCK: &str = select_events!("WHERE event_id = $1 FOR NO KEY UPDATE");
    let mut transaction = store.pool.begin().await?;
    let row = sqlx::query(LOCK).bind(id.0).fetch_optional(&mut *transaction).await?;
    // Ticket types are read by a statement of their own: one that waited for the event's lock
    // would still see them as they were before.
    let found = with_ticket_types(&mut transaction, row.as_slice()).await?.one()?;
    Ok(found.map(|(event, _)| {
        let store = store.clone();
        Box::new(LockedPgEvent { store, transaction, event }) as Box<dyn LockedEvent>
    }))
}

/// Dropped, the transaction is rolled back.
struct LockedPgEvent {
    store: PgEvents,
    transaction: Transaction,
    event: Event,
}

#[async_trait]
impl LockedEvent for LockedPgEvent {
    fn event(&self) -> &Event {
        &self.event
    }

    async fn record(&mut self, act: &PrivilegedAct) -> Result<(), StoreError> {
        Ok(act.record(&mut self.transaction).await?)
    }

    async fn save(
        mut self: Box<Self>,
        event: &Event,
        fact: Option<EventFact>,
    ) -> Result<(), StoreError> {
        const UPDATE: &str = "
            UPDATE event
            SET version = $2, stock_version = stock_version + 1, stage = $3, cancel_reason = $4,
                title = $5, description = $6, venue = $7, starts_at = $8, ends_at = $9,
                time_zone = $10, refundable_until = $11, currency = $12,
                announce_at = $13, announced = $14, max_per_buyer = $15,
                refundable_after_start = $16, cancelled_in_public = $17,
                refund_reopened_until = $18
            WHERE event_id = $1";
        let details = &event.details;
        let reason = event.stage.cancel_reason();
        let (announced, announce_at) = match fact {
            Some(EventFact::Cancelled { next }) => (1, Some(next)),
            _ => (0, None),
        };
        sqlx::query(UPDATE)
            .bind(event.id.0)
            .bind(event.version)
            .bind(stage(&event.stage))
            .bind(reason.map(|reason| reason.as_str()))
            .bind(details.title.as_str())
            .bind(details.description.as_ref().map(|text| text.as_str()))
            .bind(details.venue.as_str())
            .bind(details.starts_at)
            .bind(details.ends_at)
            .bind(details.time_zone.as_str())
            .bind(details.refundable_until)
            .bind(event.currency.as_str())
            .bind(announce_at)
            .bind(announced)
            .bind(details.max_per_buyer.map(|limit| limit.get() as i32))
            .bind(details.refundable_after_start)
            .bind(reason.is_some().then(|| event.stage.is_public()))
            .bind(details.reopened_until)
            .execute(&mut *self.transaction)
            .await?;
        if event.ticket_types != self.event.ticket_types {
            write_ticket_types(&mut self.transaction, event).await?;
        }
        finish(&self.store, self.transaction, event, fact).await
    }

    async fn add_copy(mut self: Box<Self>, copy: &Event) -> Result<(), StoreError> {
        insert_row(&mut self.transaction, copy).await?;
        finish(&self.store, self.transaction, copy, None).await
    }

    async fn delete(mut self: Box<Self>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM event WHERE event_id = $1")
            .bind(self.event.id.0)
            .execute(&mut *self.transaction)
            .await?;
        finish(&self.store, self.transaction, &self.event, Some(EventFact::Deleted)).await
    }
}

/// Adds and changes ticket types. How many seats are held and sold is only written with holds.
async fn write_ticket_types(connection: &mut Connection, event: &Event) -> Result<(), sqlx::Error> {
    const UPSERT: &str = "
        INSERT INTO ticket_type (ticket_type_id, event_id, place, name, price, capacity,
                                 max_per_booking, sales_start, sales_end, closed)
        SELECT ticket_type_id, $1, place, name, price, capacity, max_per_booking, sales_start,
               sales_end, closed
        FROM UNNEST($2::uuid[], $3::text[], $4::bigint[], $5::integer[], $6::integer[],
                    $7::timestamptz[], $8::timestamptz[], $9::boolean[])
            WITH ORDINALITY AS new (ticket_type_id, name, price, capacity, max_per_booking,
                                    sales_start, sales_end, closed, place)
        ON CONFLICT (ticket_type_id) DO UPDATE
        SET name = EXCLUDED.name, price = EXCLUDED.price, capacity = EXCLUDED.capacity,
            max_per_booking = EXCLUDED.max_per_booking, sales_start = EXCLUDED.sales_start,
            sales_end = EXCLUDED.sales_end, closed = EXCLUDED.closed";
    let types = &event.ticket_types;
    sqlx::query(UPSERT)
        .bind(event.id.0)
        .bind(column(types, |t| t.id.0) as Vec<Uuid>)
        .bind(column(types, |t| t.name.as_str()))
        .bind(column(types, |t| t.price.money().amount))
        .bind(column(types, |t| t.stock.capacity() as i32))
        .bind(column(types, |t| t.max_per_booking.get() as i32))
        .bind(column(types, |t| t.sales_start))
        .bind(column(types, |t| t.sales_end))
        .bind(column(types, |t| t.closed))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'a, T>(types: &'a [TicketType], of: impl Fn(&'a TicketType) -> T) -> Vec<T> {
    types.iter().map(of).collect()
}

/// Commits with the fact, which is inserted last.
async fn finish(
    store: &PgEvents,
    mut transaction: Transaction,
    event: &Event,
    fact: Option<EventFact>,
) -> Result<(), StoreError> {
    if let Some(fact) = fact {
        let message = (store.encode)(&Message::Event(event, fact));
        store.outbox.insert(&mut transaction, &[message]).await?;
    }
    transaction.commit().await?;
    store.outbox.notify();
    Ok(())
}

/// The stage's name.
fn stage(stage: &Stage) -> &'static str {
    match stage {
        Stage::Draft => "draft",
        Stage::Published => "published",
        Stage::Cancelled(_) | Stage::CancelledDraft(_) => "cancelled",
    }
}
