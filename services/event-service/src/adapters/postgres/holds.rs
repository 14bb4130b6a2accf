//! Rows of holds and tickets.

use std::{collections::HashMap, sync::Arc};

use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    adapters::time_zone::time_zone,
    domain::{EventSnapshot, Hold, Rejection, Reservation, ReservedItem, Ticket},
};

#[derive(sqlx::FromRow)]
pub(super) struct HoldRow {
    booking_id: Uuid,
    event_id: Uuid,
    user_id: Option<Uuid>,
    state: String,
    reason: Option<String>,
    reservation: Option<Json<StoredReservation>>,
}

#[derive(sqlx::FromRow)]
pub(super) struct TicketRow {
    pub(super) code: Uuid,
    pub(super) booking_id: Uuid,
    pub(super) ticket_type_id: Uuid,
}

/// A reservation as column `reservation` keeps it. Rows live as long as their bookings: a field
/// that is added later needs a default.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReservation {
    title: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
    refundable_until: Timestamp,
    currency: Currency,
    total: i64,
    items: Vec<StoredItem>,
}

#[derive(Serialize, Deserialize)]
struct StoredItem {
    ticket_type_id: TicketTypeId,
    name: String,
    quantity: u32,
    unit_price: i64,
}

impl HoldRow {
    /// Whether it has tickets.
    pub(super) fn is_sold(&self) -> bool {
        self.state == "sold"
    }

    pub(super) fn booking_id(&self) -> Uuid {
        self.booking_id
    }

    /// The booking, its event and its hold; sold ones with their tickets out of `tickets`.
    pub(super) fn into_hold(
        self,
        tickets: &mut HashMap<Uuid, Vec<TicketRow>>,
    ) -> Result<(BookingId, (EventId, Hold)), String> {
        let unfit = || format!("the hold of booking {} is incomplete", self.booking_id);
        let reservation = || -> Result<Arc<Reservation>, String> {
            let stored = self.reservation.as_ref().ok_or_else(unfit)?;
            let user_id = UserId(self.user_id.ok_or_else(unfit)?);
            Ok(Arc::new(stored.0.restore(user_id)?))
        };
        let hold = match self.state.as_str() {
            "held" => Hold::Held(reservation()?),
            "sold" => {
                let reservation = reservation()?;
                let rows = tickets.remove(&self.booking_id).unwrap_or_default();
                let tickets = rows.iter().map(|row| ticket(row, &reservation)).collect();
                Hold::Sold(reservation, tickets)
            }
            "released" => Hold::Released,
            _ => {
                let why = self.reason.as_deref().and_then(rejection).ok_or_else(unfit)?;
                Hold::Rejected(why)
            }
        };
        Ok((BookingId(self.booking_id), (EventId(self.event_id), hold)))
    }
}

impl StoredReservation {
    pub(super) fn of(reservation: &Reservation) -> Self {
        let items = reservation.items.iter().map(|item| StoredItem {
            ticket_type_id: item.ticket_type_id,
            name: item.name.clone(),
            quantity: item.quantity,
            unit_price: item.unit_price.amount,
        });
        Self {
            title: reservation.event.title.clone(),
            venue: reservation.event.venue.clone(),
            starts_at: reservation.event.starts_at,
            time_zone: reservation.event.time_zone.to_string(),
            refundable_until: reservation.refundable_until,
            currency: reservation.total.currency,
            total: reservation.total.amount,
            items: items.collect(),
        }
    }

    fn restore(&self, user_id: UserId) -> Result<Reservation, String> {
        let items = self.items.iter().map(|item| ReservedItem {
            ticket_type_id: item.ticket_type_id,
            name: item.name.clone(),
            quantity: item.quantity,
            unit_price: Money::new(item.unit_price, self.currency),
        });
        Ok(Reservation {
            user_id,
            event: EventSnapshot {
                title: self.title.clone(),
                venue: self.venue.clone(),
                starts_at: self.starts_at,
                time_zone: time_zone(&self.time_zone).map_err(|why| why.to_string())?,
            },
            items: items.collect(),
            total: Money::new(self.total, self.currency),
            refundable_until: self.refundable_until,
        })
    }
}

fn ticket(row: &TicketRow, of: &Reservation) -> Ticket {
    let ticket_type_id = TicketTypeId(row.ticket_type_id);
    let item = of.items.iter().find(|item| item.ticket_type_id == ticket_type_id);
    Ticket {
        code: TicketCode::from_bits(row.code.as_u128()),
        ticket_type_id,
        name: item.map(|item| item.name.clone()).unwrap_or_default(),
    }
}

/// The state's name and, of a rejected hold, the reason.
pub(super) fn state(hold: &Hold) -> (&'static str, Option<&'static str>) {
    match hold {
        Hold::Held(_) => ("held", None),
        Hold::Sold(..) => ("sold", None),
        Hold::Released => ("released", None),
        Hold::Rejected(why) => ("rejected", Some(reason(*why))),
    }
}

fn reason(why: Rejection) -> &'static str {
    match why {
        Rejection::EventNotFound => "event_not_found",
        Rejection::EventCancelled => "event_cancelled",
        Rejection::SalesClosed => "sales_closed",
        Rejection::OverLimit => "over_limit",
        Rejection::PriceChanged => "price_changed",
        Rejection::TooManyHolds => "too_many_holds",
        Rejection::SoldOut => "sold_out",
    }
}

fn rejection(named: &str) -> Option<Rejection> {
    use Rejection::*;
    [EventNotFound, EventCancelled, SalesClosed, OverLimit, PriceChanged, TooManyHolds, SoldOut]
        .into_iter()
        .find(|why| reason(*why) == named)
}
