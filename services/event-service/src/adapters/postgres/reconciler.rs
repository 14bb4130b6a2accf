//! Compares the stock of events with their holds.

use std::time::Duration;

use async_trait::async_trait;
use karcis_database::{Compared, Pool, Reconcile, StoreError};
use uuid::Uuid;

/// How long after its end an event is still compared.
const COMPARED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What event-service compares: the seats that a ticket type says are held and sold, with the seats that
/// its holds have.
pub(crate) struct StockReconciler(pub(crate) Pool);

#[derive(sqlx::FromRow)]
struct Row {
    ticket_type_id: Uuid,
    capacity: i32,
    held: i32,
    sold: i32,
    held_by_holds: i64,
    sold_by_holds: i64,
}

#[async_trait]
impl Reconcile for StockReconciler {
    const KIND: &'static str = "stock";

    async fn compare(&self, after: Uuid, again: Option<Uuid>) -> Result<Compared, StoreError> {
        let next = "SELECT event_id FROM event WHERE event_id > $1 AND over_at > now() - $2
            ORDER BY event_id LIMIT 1";
        let next = sqlx::query_scalar(next).bind(after).bind(COMPARED_FOR);
        let next: Option<Uuid> = next.fetch_optional(&self.0).await?;
        let mut compared = Compared { next, ..Compared::default() };
        if let Some(event) = next {
            self.compare_event(event, &mut compared).await;
        }
        if let Some(ticket_type) = again {
            let of = "SELECT event_id FROM ticket_type WHERE ticket_type_id = $1";
            match sqlx::query_scalar(of).bind(ticket_type).fetch_optional(&self.0).await? {
                Some(event) => self.compare_event(event, &mut compared).await,
                // It was deleted, with all that could differ.
                None => compared.agrees.push(ticket_type),
            }
        }
        Ok(compared)
    }
}

impl StockReconciler {
    async fn compare_event(&self, event: Uuid, compared: &mut Compared) {
        // One statement sees both as they were at one moment.
        let rows: Result<Vec<Row>, sqlx::Error> = sqlx::query_as(
            "SELECT ticket_type.ticket_type_id, capacity, held, sold,
                 COALESCE(sum(quantity) FILTER (WHERE state = 'held'), 0)::bigint AS held_by_holds,
                 COALESCE(sum(quantity) FILTER (WHERE state = 'sold'), 0)::bigint AS sold_by_holds
             FROM ticket_type LEFT JOIN (
                 SELECT state, (item ->> 'ticket_type_id')::uuid AS ticket_type_id,
                     (item ->> 'quantity')::bigint AS quantity
                 FROM hold, jsonb_array_elements(reservation -> 'items') AS item
                 WHERE hold.event_id = $1 AND state IN ('held', 'sold')
             ) AS seats USING (ticket_type_id)
             WHERE event_id = $1 GROUP BY ticket_type.ticket_type_id",
        )
        .bind(event)
        .fetch_all(&self.0)
        .await;
        // One that is too large, or whose holds cannot be read, does not hold up the others.
        let rows = rows.unwrap_or_else(|error| {
            tracing::warn!(event_id = %event, %error, "the stock of an event is not compared");
            Vec::new()
        });
        for row in rows {
            match row.difference(event) {
                Some(detail) => compared.differs.push((row.ticket_type_id, detail)),
                None => compared.agrees.push(row.ticket_type_id),
            }
        }
    }
}

impl Row {
    fn difference(&self, event: Uuid) -> Option<String> {
        let Self { capacity, held, sold, held_by_holds, sold_by_holds, .. } = self;
        let stock = (i64::from(*held), i64::from(*sold));
        (stock != (*held_by_holds, *sold_by_holds)).then(|| {
            format!(
                "event {event}: of {capacity} seats {held} held and {sold} sold, but its holds have \
                 {held_by_holds} and {sold_by_holds}"
            )
        })
    }
}
