//! What becomes of a booking's hold: one function a command, one arm a cell of the hold table.

use std::sync::Arc;

use karcis_kernel::{Money, TicketCode, Timestamp};

use super::{
    Answer, Event, EventSnapshot, Hold, OutOfBalance, Rejection, Reservation, Reserve,
    ReservedItem, SoldOut, Stage, Stock, Ticket,
};

/// How many seats one booking has at most, whatever its ticket types allow: its tickets travel in
/// one message.
pub const MOST_SEATS: u32 = 1_000;

/// An answer, and the hold to store if it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The hold's new state; `None`: as it was.
    pub hold: Option<Hold>,
    /// What the sender is told.
    pub answer: Answer,
}

/// A buyer's unpaid holds for an event.
#[derive(Clone, Copy, Debug)]
pub struct UnpaidHolds {
    /// How many there are.
    pub now: u32,
    /// How many there may be.
    pub most: u32,
}

/// ReserveTickets. `event` is the one the command names, if there is one.
pub fn reserve(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    unpaid: UnpaidHolds,
    request: &Reserve,
    at: Timestamp,
) -> Decision {
    match hold {
        None => match hold_seats(event, unpaid, request, at) {
            Ok(reservation) => {
                changed(Hold::Held(reservation.clone()), Answer::Reserved(reservation))
            }
            Err(why) => changed(Hold::Rejected(why), Answer::Rejected(why)),
        },
        Some(Hold::Held(reservation) | Hold::Sold(reservation, _)) => {
            unchanged(Answer::Reserved(reservation.clone()))
        }
        // Only the booking releases, so it no longer waits for this answer: any reason will do.
        Some(Hold::Released) => unchanged(Answer::Rejected(Rejection::SalesClosed)),
        Some(Hold::Rejected(why)) => unchanged(Answer::Rejected(*why)),
    }
}

/// ConfirmTickets: any existing hold is sold, even of a cancelled event, which takes its tickets
/// back through the bookings. `mint` gives a new code a seat.
pub fn confirm(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    mint: &mut dyn FnMut() -> TicketCode,
) -> Result<Decision, OutOfBalance> {
    Ok(match hold {
        None | Some(Hold::Released | Hold::Rejected(_)) => unchanged(Answer::ConfirmRefused),
        Some(Hold::Held(reservation)) => {
            let event = event.ok_or(OutOfBalance)?;
            event.move_seats(reservation.seats(), Stock::sell)?;
            let tickets = tickets(reservation, mint);
            changed(Hold::Sold(reservation.clone(), tickets.clone()), Answer::Confirmed(tickets))
        }
        Some(Hold::Sold(_, tickets)) => unchanged(Answer::Confirmed(tickets.clone())),
    })
}

/// ReleaseTickets: total and final. Without a hold it leaves one behind that refuses all else.
pub fn release(event: Option<&mut Event>, hold: Option<&Hold>) -> Result<Decision, OutOfBalance> {
    match hold {
        None => {}
        Some(Hold::Held(reservation)) => {
            event.ok_or(OutOfBalance)?.move_seats(reservation.seats(), Stock::give_up)?;
        }
        Some(Hold::Sold(reservation, _)) => {
            event.ok_or(OutOfBalance)?.move_seats(reservation.seats(), Stock::take_back)?;
        }
        Some(Hold::Released | Hold::Rejected(_)) => return Ok(unchanged(Answer::Released)),
    }
    Ok(changed(Hold::Released, Answer::Released))
}

/// The first reason that holds is the one given, from what nothing will change to what may
/// change by itself: the event (not found, cancelled), the ticket type (not found), the time
/// (closed), the request (over the limit, price changed), the buyer (too many holds), the seats.
fn hold_seats(
    event: Option<&mut Event>,
    unpaid: UnpaidHolds,
    request: &Reserve,
    at: Timestamp,
) -> Result<Arc<Reservation>, Rejection> {
    let event = event.ok_or(Rejection::EventNotFound)?;
    match event.stage {
        Stage::Draft => return Err(Rejection::EventNotFound),
        Stage::Cancelled(_) => return Err(Rejection::EventCancelled),
        Stage::Published => {}
    }
    let (items, total) = price(event, request, at)?;
    if request.expected_total.is_some_and(|expected| expected != total) {
        return Err(Rejection::PriceChanged);
    }
    if unpaid.now >= unpaid.most {
        return Err(Rejection::TooManyHolds);
    }
    event.move_seats(request.order.items().iter().copied(), |stock, seats| {
        stock.hold(seats).map_err(Rejection::from)
    })?;
    event.booked = true;
    let details = &event.details;
    Ok(Arc::new(Reservation {
        user_id: request.user_id,
        event: EventSnapshot {
            title: details.title.to_string(),
            venue: details.venue.to_string(),
            starts_at: details.starts_at,
            time_zone: details.time_zone,
        },
        items,
        total,
        refundable_until: details.refundable_until(),
    }))
}

/// The items with their prices and their total, if each may be sold now.
fn price(
    event: &Event,
    request: &Reserve,
    at: Timestamp,
) -> Result<(Vec<ReservedItem>, Money), Rejection> {
    let find = |id| event.ticket_types.iter().find(|ticket_type| ticket_type.id == id);
    let asked: Option<Vec<_>> =
        request.order.items().iter().map(|(id, quantity)| Some((find(*id)?, *quantity))).collect();
    let asked = asked.ok_or(Rejection::EventNotFound)?;
    if !asked.iter().all(|(t, _)| t.is_on_sale(event.details.starts_at, at)) {
        return Err(Rejection::SalesClosed);
    }
    let seats = asked.iter().map(|(_, quantity)| u64::from(*quantity)).sum::<u64>();
    let too_many = |(t, quantity): &(&super::TicketType, u32)| *quantity > t.max_per_booking.get();
    if seats > u64::from(MOST_SEATS) || asked.iter().any(too_many) {
        return Err(Rejection::OverLimit);
    }
    // 1,000 seats of 10^12 each fit an i64, and an event has one currency.
    let mut total = Money::zero(event.currency);
    let mut items = Vec::with_capacity(asked.len());
    for (t, quantity) in asked {
        let unit_price = t.price.money();
        let sum = unit_price.times(quantity).and_then(|cost| total.plus(cost));
        total = sum.map_err(|_| Rejection::OverLimit)?;
        let name = t.name.to_string();
        items.push(ReservedItem { ticket_type_id: t.id, name, quantity, unit_price });
    }
    Ok((items, total))
}

fn tickets(reservation: &Reservation, mint: &mut dyn FnMut() -> TicketCode) -> Arc<[Ticket]> {
    let mut tickets = Vec::new();
    for item in &reservation.items {
        for _ in 0..item.quantity {
            let (ticket_type_id, name) = (item.ticket_type_id, item.name.clone());
            tickets.push(Ticket { code: mint(), ticket_type_id, name });
        }
    }
    tickets.into()
}

fn changed(hold: Hold, answer: Answer) -> Decision {
    Decision { hold: Some(hold), answer }
}

fn unchanged(answer: Answer) -> Decision {
    Decision { hold: None, answer }
}

impl From<SoldOut> for Rejection {
    fn from(_: SoldOut) -> Self {
        Self::SoldOut
    }
}

impl From<OutOfBalance> for Rejection {
    /// Only an unknown ticket type, which was looked for before.
    fn from(_: OutOfBalance) -> Self {
        Self::EventNotFound
    }
}
