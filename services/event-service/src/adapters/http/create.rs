//! POST /event/create.

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use karcis_http::{Fields, Json, Organiser, Problem};
use karcis_kernel::{EventId, Money, TicketTypeId, Timestamp, UserId};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Desk,
    fields::{moment, optional},
    shown::ShownEvent,
};
use crate::{
    adapters::time_zone::time_zone,
    application::create_event::create_event,
    domain::{
        Capacity, Description, Details, NewEvent, NewTicketType, PerBooking, Price, TicketName,
        Title, Venue,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateEvent {
    title: String,
    description: Option<String>,
    venue: String,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    time_zone: String,
    refundable_until: Option<Timestamp>,
    status: Option<FirstStatus>,
    ticket_types: Vec<CreateTicketType>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FirstStatus {
    Draft,
    #[default]
    Published,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateTicketType {
    name: String,
    price: Money,
    capacity: i64,
    max_per_booking: Option<i64>,
    sales_start: Option<Timestamp>,
    sales_end: Option<Timestamp>,
}

pub async fn create(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(body): Json<CreateEvent>,
) -> Result<Response, Problem> {
    let at = karcis_process::now();
    let mut fields = Fields::new();
    let new = body.parse(caller.user_id, &mut fields);
    fields.finish()?;
    let new = new.ok_or_else(|| Problem::internal("a body without flaws was not parsed"))?;
    let event = create_event(&*desk.events, new, at).await?;
    desk.window.changed(event.id);
    let location = format!("/events/{}", event.id);
    let shown = Json(ShownEvent::of(&event, at));
    Ok((StatusCode::CREATED, [(LOCATION, location)], shown).into_response())
}

impl CreateEvent {
    /// The event; `None` with the errors noted.
    fn parse(self, organiser_id: UserId, fields: &mut Fields) -> Option<NewEvent> {
        let title = fields.check("title", Title::try_from(self.title));
        let description = optional(fields, "description", self.description, Description::try_from);
        let venue = fields.check("venue", Venue::try_from(self.venue));
        let starts_at = fields.check("starts_at", moment(self.starts_at));
        let ends_at = optional(fields, "ends_at", self.ends_at, moment);
        let zone = fields.check("time_zone", time_zone(&self.time_zone));
        let refundable_until = optional(fields, "refundable_until", self.refundable_until, moment);
        let types = self.ticket_types.into_iter().enumerate();
        let types: Vec<_> = types
            .map(|(index, new)| {
                let fields_at = format!("ticket_types[{index}]");
                NewFields::from(new).parse(&fields_at, fields)
            })
            .collect();
        Some(NewEvent {
            id: EventId(Uuid::now_v7()),
            organiser_id,
            details: Details {
                title: title?,
                description: description?,
                venue: venue?,
                starts_at: starts_at?,
                ends_at: ends_at?,
                time_zone: zone?,
                refundable_until: refundable_until?,
            },
            ticket_types: types.into_iter().collect::<Option<_>>()?,
            publish: self.status.unwrap_or_default() == FirstStatus::Published,
        })
    }
}

/// The fields of a new ticket type, be it of a new event or added to one.
pub struct NewFields {
    pub name: String,
    pub price: Money,
    pub capacity: i64,
    pub max_per_booking: Option<i64>,
    pub sales_start: Option<Timestamp>,
    pub sales_end: Option<Timestamp>,
    pub closed: bool,
}

impl From<CreateTicketType> for NewFields {
    fn from(new: CreateTicketType) -> Self {
        Self {
            name: new.name,
            price: new.price,
            capacity: new.capacity,
            max_per_booking: new.max_per_booking,
            sales_start: new.sales_start,
            sales_end: new.sales_end,
            closed: false,
        }
    }
}

impl NewFields {
    /// The ticket type at this path; `None` with the errors noted.
    pub fn parse(self, path: &str, fields: &mut Fields) -> Option<NewTicketType> {
        let at = |field: &str| format!("{path}.{field}");
        let name = fields.check(at("name"), TicketName::try_from(self.name));
        let price = fields.check(at("price.amount"), Price::try_from(self.price));
        let capacity = fields.check(at("capacity"), Capacity::try_from(self.capacity));
        let per_booking =
            optional(fields, &at("max_per_booking"), self.max_per_booking, PerBooking::try_from);
        let sales_start = optional(fields, &at("sales_start"), self.sales_start, moment);
        let sales_end = optional(fields, &at("sales_end"), self.sales_end, moment);
        Some(NewTicketType {
            id: TicketTypeId(Uuid::now_v7()),
            name: name?,
            price: price?,
            capacity: capacity?,
            max_per_booking: per_booking?.unwrap_or(PerBooking::DEFAULT),
            sales_start: sales_start?,
            sales_end: sales_end?,
            closed: self.closed,
        })
    }
}
