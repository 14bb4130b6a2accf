//! Events to look at.

use async_trait::async_trait;
use karcis_kernel::{EventId, Timestamp};
use sqlx::PgPool;

use super::rows::{EventRow, select_events, with_ticket_types};
use crate::{
    application::ports::{Catalogue, EventFilter, Kind, StoreError},
    domain::Event,
};

/// The catalogue in Postgres.
pub struct PgCatalogue(pub PgPool);

#[async_trait]
impl Catalogue for PgCatalogue {
    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        const SELECT: &str = select_events!("WHERE event_id = $1");
        let mut connection = self.0.acquire().await?;
        let row: Option<EventRow> =
            sqlx::query_as(SELECT).bind(id.0).fetch_optional(&mut *connection).await?;
        let events = with_ticket_types(&mut connection, row.into_iter().collect()).await?;
        Ok(events.into_iter().map(|(event, _)| event).next())
    }

    async fn list(&self, filter: &EventFilter, at: Timestamp) -> Result<Vec<Event>, StoreError> {
        const SELECT: &str = select_events!(
            "WHERE stage = $1
               AND ($2::uuid IS NULL OR organiser_id = $2)
               AND ($3::timestamptz IS NULL OR over_at > $3)
               AND ($4::timestamptz IS NULL OR over_at <= $4)
               AND ($5::text IS NULL OR title ILIKE $5 OR venue ILIKE $5)
               AND ($6::timestamptz IS NULL OR starts_at >= $6)
               AND ($7::timestamptz IS NULL OR starts_at <= $7)
               AND ($8::timestamptz IS NULL OR (starts_at, event_id) > ($8, $9))
             ORDER BY starts_at, event_id
             LIMIT $10"
        );
        let (stage, organiser, over_after, over_until) = match filter.kind {
            Kind::DraftsOf(organiser) => ("draft", organiser, None, None),
            Kind::Upcoming => ("published", None, Some(at), None),
            Kind::Cancelled => ("cancelled", None, None, None),
            Kind::Ended => ("published", None, None, Some(at)),
        };
        let mut connection = self.0.acquire().await?;
        let rows: Vec<EventRow> = sqlx::query_as(SELECT)
            .bind(stage)
            .bind(organiser.map(|user| user.0))
            .bind(over_after)
            .bind(over_until)
            .bind(filter.text.as_deref().map(containing))
            .bind(filter.from)
            .bind(filter.to)
            .bind(filter.after.map(|(starts_at, _)| starts_at))
            .bind(filter.after.map(|(_, id)| id.0))
            .bind(i64::from(filter.limit))
            .fetch_all(&mut *connection)
            .await?;
        let events = with_ticket_types(&mut connection, rows).await?;
        Ok(events.into_iter().map(|(event, _)| event).collect())
    }
}

/// The ILIKE pattern of texts that contain this one, whose wildcards stand for themselves.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(containing(r"100%_a\b"), r"%100\%\_a\\b%");
    }
}
