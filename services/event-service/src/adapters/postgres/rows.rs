//! Rows of events and ticket types, and the events they make.

use std::{collections::HashMap, fmt::Display};

use karcis_database::{Connection, Loaded, StoreError, UnreadableRow, read_row};
use karcis_kernel::{Currency, EventId, Money, TicketTypeId, Timestamp, UserId};
use sqlx::{Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    adapters::time_zone::time_zone,
    domain::{
        CancelReason, Description, Details, Event, PerBooking, PerBuyer, Price, Stage, Stock,
        TicketName, TicketType, Title, Venue,
    },
};

/// A query for [`with_ticket_types`]: all columns of an [`EventRow`], and the rest of the statement after FROM.
/// Lists have no descriptions.
macro_rules! select_events {
    ($rest:expr) => {
        select_events!("description", $rest)
    };
    (listed $rest:expr) => {
        select_events!("NULL::text AS description", $rest)
    };
    ($description:literal, $rest:expr) => {
        concat!(
            "SELECT event_id, version, stock_version, organiser_id, stage, cancel_reason, title, ",
            $description,
            ", venue, starts_at, ends_at, time_zone, refundable_until, refundable_after_start, ",
            "refund_reopened_until, max_per_buyer, ",
            "currency, booked, COALESCE(cancelled_in_public, booked) AS was_public FROM event ",
            $rest
        )
    };
}
pub(super) use select_events;

#[derive(sqlx::FromRow)]
struct EventRow {
    event_id: Uuid,
    version: i64,
    stock_version: i64,
    organiser_id: Uuid,
    stage: String,
    cancel_reason: Option<String>,
    title: String,
    description: Option<String>,
    venue: String,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    time_zone: String,
    refundable_until: Option<Timestamp>,
    refundable_after_start: bool,
    refund_reopened_until: Option<Timestamp>,
    max_per_buyer: Option<i32>,
    currency: String,
    booked: bool,
    /// Whether it was published when it was cancelled.
    was_public: bool,
}

#[derive(sqlx::FromRow)]
struct TicketTypeRow {
    ticket_type_id: Uuid,
    name: String,
    price: i64,
    capacity: i32,
    held: i32,
    sold: i32,
    max_per_booking: i32,
    sales_start: Option<Timestamp>,
    sales_end: Option<Timestamp>,
    closed: bool,
}

/// These events with their ticket types as they are now, each with its stock version.
pub(super) async fn with_ticket_types(
    connection: &mut Connection,
    events: &[PgRow],
) -> Result<Loaded<(Event, i64)>, StoreError> {
    const SELECT: &str = "
        SELECT ticket_type_id, event_id, name, price, capacity, held, sold, max_per_booking,
               sales_start, sales_end, closed
        FROM ticket_type WHERE event_id = ANY($1) ORDER BY event_id, place";
    let events: Vec<Result<EventRow, UnreadableRow>> =
        events.iter().map(|row| read_row("event", "event_id", row, Ok::<_, String>)).collect();
    let ids: Vec<Uuid> = events.iter().flatten().map(|event| event.event_id).collect();
    let mut types: HashMap<Uuid, Vec<Result<TicketTypeRow, UnreadableRow>>> = HashMap::new();
    if !ids.is_empty() {
        for row in sqlx::query(SELECT).bind(ids).fetch_all(connection).await? {
            let read = read_row("ticket type of event", "event_id", &row, Ok::<_, String>);
            types.entry(row.try_get("event_id")?).or_default().push(read);
        }
    }
    let event = |row: Result<EventRow, UnreadableRow>| {
        let row = row?;
        let (id, stock_version) = (row.event_id, row.stock_version);
        let types = types.remove(&id).into_iter().flatten().collect::<Result<_, _>>()?;
        let event = row.parse(types).map_err(|why| UnreadableRow::new("event", id, why))?;
        Ok((event, stock_version))
    };
    Ok(events.into_iter().map(event).collect())
}

impl EventRow {
    fn parse(self, types: Vec<TicketTypeRow>) -> Result<Event, String> {
        let currency: Currency = self.currency.parse().map_err(text)?;
        let types = types.into_iter().map(|row| row.ticket_type(currency));
        Ok(Event {
            id: EventId(self.event_id),
            version: self.version,
            organiser_id: UserId(self.organiser_id),
            stage: match (self.stage.as_str(), self.cancel_reason) {
                ("draft", _) => Stage::Draft,
                ("published", _) => Stage::Published,
                ("cancelled", Some(reason)) => {
                    let reason = CancelReason::stored(reason).map_err(text)?;
                    let stage =
                        if self.was_public { Stage::Cancelled } else { Stage::CancelledDraft };
                    stage(reason)
                }
                (stage, _) => return Err(format!("no stage is called {stage}")),
            },
            details: Details {
                title: Title::stored(self.title).map_err(text)?,
                description: self.description.map(Description::stored).transpose().map_err(text)?,
                venue: Venue::stored(self.venue).map_err(text)?,
                starts_at: self.starts_at,
                ends_at: self.ends_at,
                time_zone: time_zone(&self.time_zone).map_err(text)?,
                refundable_until: self.refundable_until,
                refundable_after_start: self.refundable_after_start,
                reopened_until: self.refund_reopened_until,
                max_per_buyer: self
                    .max_per_buyer
                    .map(|limit| PerBuyer::try_from(i64::from(limit)))
                    .transpose()
                    .map_err(text)?,
            },
            currency,
            ticket_types: types.collect::<Result<_, _>>()?,
            booked: self.booked,
        })
    }
}

impl TicketTypeRow {
    fn ticket_type(self, currency: Currency) -> Result<TicketType, String> {
        let seats = |number: i32| u32::try_from(number).map_err(text);
        let stock = Stock::restore(seats(self.capacity)?, seats(self.held)?, seats(self.sold)?);
        Ok(TicketType {
            id: TicketTypeId(self.ticket_type_id),
            name: TicketName::stored(self.name).map_err(text)?,
            price: Price::try_from(Money::new(self.price, currency)).map_err(text)?,
            stock: stock.map_err(text)?,
            max_per_booking: PerBooking::try_from(i64::from(self.max_per_booking)).map_err(text)?,
            sales_start: self.sales_start,
            sales_end: self.sales_end,
            closed: self.closed,
        })
    }
}

fn text(why: impl Display) -> String {
    why.to_string()
}
