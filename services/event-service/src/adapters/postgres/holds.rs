//! Rows of holds and tickets, and what they hold in JSON.

use std::{collections::HashMap, sync::Arc};

use karcis_database::UnreadableRow;
use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row as _, postgres::PgRow, types::Json};
use uuid::Uuid;

use crate::{
    adapters::time_zone::{UnknownTimeZone, time_zone},
    domain::{
        EventSnapshot, Hold, IssuedTicket, RejectReason, Reservation, ReservedItem, Ticket, Title,
        Venue,
    },
};

pub(super) const HOLD: &str = "hold of booking";

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

/// A ticket with what its hold and its event say of it.
#[derive(sqlx::FromRow)]
pub(super) struct IssuedTicketRow {
    ticket_type_id: Uuid,
    is_used: bool,
    event_id: Uuid,
    state: String,
    reservation: Option<Json<StoredReservation>>,
    cancel_reason: Option<String>,
    #[sqlx(flatten)]
    now: EventNow,
}

/// What is true of the event now; `None`: it is gone or cannot be read.
struct EventNow(Option<EventSnapshot>);

/// A reservation as column `reservation` keeps it, for as long as its booking: a field that is
/// added later needs a default, and each released shape a file in `golden/reservation`.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReservation {
    title: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    refundable_until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sales_end: Option<Timestamp>,
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

    /// The booking, its event and its hold. The tickets of a sold one are taken out of `tickets`.
    pub(super) fn hold(
        self,
        tickets: &mut HashMap<Uuid, Vec<TicketRow>>,
    ) -> Result<(BookingId, (EventId, Hold)), UnreadableRow> {
        let unreadable = |why: String| UnreadableRow::new(HOLD, self.booking_id, why);
        let incomplete = || unreadable("it is incomplete".to_owned());
        let reservation = || -> Result<Arc<Reservation>, UnreadableRow> {
            let stored = self.reservation.as_ref().ok_or_else(incomplete)?;
            let user_id = UserId(self.user_id.ok_or_else(incomplete)?);
            let restored = stored.restore(user_id);
            Ok(Arc::new(restored.map_err(|why| unreadable(why.to_string()))?))
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
            "rejected" => {
                let stored = self.reason.as_deref();
                let mut reasons = RejectReason::ALL.into_iter();
                let reason = reasons.find(|reason| Some(reason.as_str()) == stored);
                Hold::Rejected(reason.ok_or_else(incomplete)?)
            }
            state => return Err(unreadable(format!("no state is called {state}"))),
        };
        Ok((BookingId(self.booking_id), (EventId(self.event_id), hold)))
    }
}

impl IssuedTicketRow {
    /// The ticket. Its hold was sold once, so it has a reservation.
    pub(super) fn ticket(self) -> Result<IssuedTicket, String> {
        let stored = self.reservation.ok_or("it has no reservation")?.0;
        let ticket_type_id = TicketTypeId(self.ticket_type_id);
        let item = stored.items.iter().find(|item| item.ticket_type_id == ticket_type_id);
        let event = match self.now.0 {
            Some(now) => now,
            None => stored.snapshot().map_err(|why| why.to_string())?,
        };
        Ok(IssuedTicket {
            event_id: EventId(self.event_id),
            event,
            name: item.map(|item| item.name.clone()).unwrap_or_default(),
            is_used: self.is_used,
            is_sold: self.state == "sold",
            cancel_reason: self.cancel_reason,
        })
    }
}

impl<'r> FromRow<'r, PgRow> for EventNow {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let read = || {
            Some(EventSnapshot {
                title: Title::stored(row.try_get("title").ok()?).ok()?.to_string(),
                venue: Venue::stored(row.try_get("venue").ok()?).ok()?.to_string(),
                starts_at: row.try_get("starts_at").ok()?,
                time_zone: time_zone(row.try_get("time_zone").ok()?).ok()?,
            })
        };
        Ok(Self(read()))
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
            version: reservation.event_version,
            refundable_until: reservation.refundable_until,
            sales_end: reservation.sales_end,
            currency: reservation.total.currency,
            total: reservation.total.amount,
            items: items.collect(),
        }
    }

    fn restore(&self, user_id: UserId) -> Result<Reservation, UnknownTimeZone> {
        let items = self.items.iter().map(|item| ReservedItem {
            ticket_type_id: item.ticket_type_id,
            name: item.name.clone(),
            quantity: item.quantity,
            unit_price: Money::new(item.unit_price, self.currency),
        });
        Ok(Reservation {
            user_id,
            event: self.snapshot()?,
            event_version: self.version,
            items: items.collect(),
            total: Money::new(self.total, self.currency),
            refundable_until: self.refundable_until,
            sales_end: self.sales_end,
        })
    }

    fn snapshot(&self) -> Result<EventSnapshot, UnknownTimeZone> {
        Ok(EventSnapshot {
            title: self.title.clone(),
            venue: self.venue.clone(),
            starts_at: self.starts_at,
            time_zone: time_zone(&self.time_zone)?,
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

/// The state's name and, if it is rejected, the reason.
pub(super) fn state(hold: &Hold) -> (&'static str, Option<&'static str>) {
    match hold {
        Hold::Held(_) => ("held", None),
        Hold::Sold(..) => ("sold", None),
        Hold::Released => ("released", None),
        Hold::Rejected(reason) => ("rejected", Some(reason.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Every shape of column `reservation` that was ever released, the newest last.
    const RELEASED: [&str; 2] = [
        include_str!("../../../golden/reservation/1.json"),
        include_str!("../../../golden/reservation/2.json"),
    ];
    const USER: UserId = UserId(Uuid::from_u128(4));

    fn reservation() -> Reservation {
        let at = |text: &str| text.parse().expect("a time");
        Reservation {
            user_id: USER,
            event: EventSnapshot {
                title: "Dewa 19".to_owned(),
                venue: "Istora Senayan".to_owned(),
                starts_at: at("2036-08-17T12:00:00Z"),
                time_zone: time_zone("Asia/Jakarta").expect("a time zone"),
            },
            event_version: Some(3),
            items: vec![ReservedItem {
                ticket_type_id: TicketTypeId(Uuid::from_u128(2)),
                name: "VIP".to_owned(),
                quantity: 2,
                unit_price: Money::new(750_000, Currency::Idr),
            }],
            total: Money::new(1_500_000, Currency::Idr),
            refundable_until: at("2036-08-10T12:00:00Z"),
            sales_end: Some(at("2036-08-16T12:00:00Z")),
        }
    }

    #[test]
    fn a_reservation_is_stored_in_the_newest_released_shape() {
        let stored = serde_json::to_value(StoredReservation::of(&reservation())).expect("JSON");
        let newest: Value = serde_json::from_str(RELEASED[RELEASED.len() - 1]).expect("JSON");
        assert_eq!(stored, newest, "a new shape needs a new file in golden/reservation");
    }

    #[test]
    fn rows_of_every_released_shape_still_load() {
        let first = Reservation { event_version: None, sales_end: None, ..reservation() };
        for (released, loads) in RELEASED.into_iter().zip([first, reservation()]) {
            for state in ["held", "sold"] {
                let stored = serde_json::from_str(released).expect("the shape is still known");
                let row = HoldRow {
                    booking_id: Uuid::from_u128(6),
                    event_id: Uuid::from_u128(1),
                    user_id: Some(USER.0),
                    state: state.to_owned(),
                    reason: None,
                    reservation: Some(Json(stored)),
                };
                let (_, (_, hold)) = row.hold(&mut HashMap::new()).expect("a hold");
                let (Hold::Held(loaded) | Hold::Sold(loaded, _)) = hold else { panic!("{hold:?}") };
                assert_eq!(*loaded, loads);
            }
        }
    }
}
