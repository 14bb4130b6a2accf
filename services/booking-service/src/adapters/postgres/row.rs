//! A booking as its row holds it.

use std::sync::Arc;

use karcis_kernel::{BookingId, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use crate::application::SoldTicket;
use crate::domain::{
    Booking, Cause, EventSnapshot, Item, Items, Offer, OfferedItem, Order, RejectReason, Resend,
    Stage, Stuck, Ticket,
};

/// A query for [`BookingRow`]s: all its columns, and the rest of the statement.
macro_rules! select_bookings {
    ($rest:literal) => {
        sqlx::query_as::<_, crate::adapters::postgres::row::BookingRow>(concat!(
            "SELECT id, user_id, event_id, items, expected_amount, expected_currency, created_at, \
             pay_by, version, stage, reason, payable, released, refunded, offer, tickets, attempt, \
             wake_at, stuck, updated_at FROM booking ",
            $rest
        ))
    };
}

pub(super) use select_bookings;

#[derive(FromRow)]
pub(super) struct BookingRow {
    id: Uuid,
    user_id: Uuid,
    event_id: Uuid,
    items: Json<Vec<ItemJson>>,
    expected_amount: Option<i64>,
    expected_currency: Option<String>,
    created_at: Timestamp,
    pay_by: Timestamp,
    version: i64,
    stage: String,
    reason: Option<String>,
    payable: bool,
    released: bool,
    refunded: bool,
    offer: Option<Json<OfferJson>>,
    tickets: Option<Json<Vec<TicketJson>>>,
    attempt: i32,
    wake_at: Option<Timestamp>,
    stuck: Option<String>,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ItemJson {
    ticket_type_id: TicketTypeId,
    quantity: u32,
}

#[derive(Serialize, Deserialize)]
struct OfferJson {
    title: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
    items: Vec<OfferedItemJson>,
    total: Money,
    refundable_until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct OfferedItemJson {
    ticket_type_id: TicketTypeId,
    name: String,
    quantity: u32,
    unit_price: Money,
}

#[derive(Serialize, Deserialize)]
struct TicketJson {
    code: TicketCode,
    ticket_type_id: TicketTypeId,
    name: String,
}

impl BookingRow {
    /// The booking, if the row makes sense.
    pub(super) fn booking(self) -> Result<Booking, sqlx::Error> {
        let id = self.id;
        self.parsed().ok_or_else(|| sqlx::Error::Decode(format!("row of booking {id}").into()))
    }

    fn parsed(self) -> Option<Booking> {
        let offer = self.offer.map(|Json(offer)| Arc::new(offer.offer()));
        let reason = self.reason.as_deref();
        let cause = || Cause::ALL.into_iter().find(|cause| Some(cause.as_str()) == reason);
        let rejected = || RejectReason::ALL.into_iter().find(|why| Some(why.as_str()) == reason);
        let tickets = self.tickets.map(|Json(tickets)| tickets.into_iter().map(TicketJson::ticket));
        let (released, refunded) = (self.released, self.refunded);
        let stage = match self.stage.as_str() {
            "reserving" => Stage::Reserving,
            "awaiting" => Stage::Awaiting { offer: offer?, payable: self.payable },
            "cancelling" => Stage::Cancelling { offer: offer?, cause: cause()? },
            "confirming" => Stage::Confirming { offer: offer? },
            "confirmed" => Stage::Confirmed { offer: offer?, tickets: tickets?.collect() },
            "releasing" => Stage::Releasing { offer, cause: cause()? },
            "refunding" => Stage::Refunding { offer: offer?, cause: cause()?, released, refunded },
            "rejected" => Stage::Rejected { reason: rejected()? },
            "cancelled" => Stage::Cancelled { offer, cause: cause()?, refunded },
            _ => return None,
        };
        let expected_total = match (self.expected_amount, self.expected_currency) {
            (Some(amount), Some(currency)) => Some(Money::new(amount, currency.parse().ok()?)),
            _ => None,
        };
        let attempt = self.attempt.try_into().ok()?;
        Some(Booking {
            order: Arc::new(Order {
                id: BookingId(self.id),
                buyer: UserId(self.user_id),
                event_id: EventId(self.event_id),
                items: Items::new(self.items.0.into_iter().map(ItemJson::item).collect()).ok()?,
                expected_total,
                created_at: self.created_at,
                pay_by: self.pay_by,
            }),
            version: self.version,
            stage,
            resend: self.wake_at.map(|wake_at| Resend { attempt, wake_at }),
            stuck: match self.stuck.as_deref() {
                None => None,
                Some(text) => Some(Stuck::ALL.into_iter().find(|stuck| stuck.as_str() == text)?),
            },
            updated_at: self.updated_at,
        })
    }
}

impl ItemJson {
    fn item(self) -> Item {
        Item { ticket_type_id: self.ticket_type_id, quantity: self.quantity }
    }
}

impl OfferJson {
    fn offer(self) -> Offer {
        let items = self.items.into_iter().map(|item| OfferedItem {
            ticket_type_id: item.ticket_type_id,
            name: item.name,
            quantity: item.quantity,
            unit_price: item.unit_price,
        });
        Offer {
            event: EventSnapshot {
                title: self.title,
                venue: self.venue,
                starts_at: self.starts_at,
                time_zone: self.time_zone,
            },
            items: items.collect(),
            total: self.total,
            refundable_until: self.refundable_until,
        }
    }
}

impl TicketJson {
    fn ticket(self) -> Ticket {
        Ticket { code: self.code, ticket_type_id: self.ticket_type_id, name: self.name }
    }
}

/// The order's items as JSON.
pub(super) fn items_json(items: &Items) -> String {
    json(
        &items
            .as_slice()
            .iter()
            .map(|item| ItemJson { ticket_type_id: item.ticket_type_id, quantity: item.quantity })
            .collect::<Vec<_>>(),
    )
}

/// The offer as JSON.
pub(super) fn offer_json(offer: &Offer) -> String {
    let event = offer.event.clone();
    let items = offer.items.iter().map(|item| OfferedItemJson {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    json(&OfferJson {
        title: event.title,
        venue: event.venue,
        starts_at: event.starts_at,
        time_zone: event.time_zone,
        items: items.collect(),
        total: offer.total,
        refundable_until: offer.refundable_until,
    })
}

/// The tickets as JSON.
pub(super) fn tickets_json(tickets: &[Ticket]) -> String {
    json(
        &tickets
            .iter()
            .map(|ticket| TicketJson {
                code: ticket.code.clone(),
                ticket_type_id: ticket.ticket_type_id,
                name: ticket.name.clone(),
            })
            .collect::<Vec<_>>(),
    )
}

/// The tickets in a row's JSON, and the offer they were sold from.
#[derive(FromRow)]
pub(super) struct TicketRow {
    event_id: Uuid,
    stage: String,
    offer: Json<OfferJson>,
    tickets: Json<Vec<TicketJson>>,
}

impl TicketRow {
    /// The ticket with this code.
    pub(super) fn ticket(self, code: &TicketCode) -> Option<SoldTicket> {
        let ticket = self.tickets.0.into_iter().find(|ticket| ticket.code == *code)?;
        Some(SoldTicket {
            event_id: EventId(self.event_id),
            event: self.offer.0.offer().event,
            name: ticket.name,
            is_valid: self.stage == "confirmed",
        })
    }
}

fn json(value: &impl Serialize) -> String {
    // Structs of texts, numbers and times are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}
