//! What happens to a booking's hold: a function for each command, an arm for each cell of the hold
//! table.

use std::sync::Arc;

use karcis_kernel::{Bug, Money, TicketCode, Timestamp};

use super::{
    Event, Hold, RejectReason, Reply, Reservation, Reserve, ReservedItem, SoldOut, Stage, Stock,
    StockMismatch, Ticket, TicketType,
};

/// How many seats one booking can have, whatever its ticket types allow: its tickets travel in one
/// message.
pub const MAX_SEATS: u32 = 1_000;

/// The reply to a command, and the hold to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `None`: the hold is unchanged.
    pub hold: Option<Hold>,
    pub reply: Reply,
}

/// What a buyer has of an event already.
#[derive(Clone, Copy, Debug)]
pub struct BuyerHolds {
    /// Holds that wait for their payment.
    pub unpaid: u32,
    /// How many of these a buyer may have.
    pub max_unpaid: u32,
    /// Seats, held and sold. They matter only if the event limits them.
    pub seats: u32,
}

/// ReserveTickets. `event` is the one that the command names, if it exists.
pub fn reserve(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    buyer: BuyerHolds,
    request: &Reserve,
    at: Timestamp,
) -> Decision {
    match hold.filter(|hold| !is_reopened(hold)) {
        None => match hold_seats(event, buyer, request, at) {
            Ok(reservation) => {
                changed(Hold::Held(reservation.clone()), Reply::Reserved(reservation))
            }
            Err(why) => changed(Hold::Rejected(why), Reply::Rejected(why)),
        },
        Some(Hold::Held(reservation) | Hold::Sold(reservation, _)) => {
            unchanged(Reply::Reserved(reservation.clone()))
        }
        // Only the booking releases, so it no longer waits for this reply, so any reason is good
        // enough.
        Some(Hold::Released) => unchanged(Reply::Rejected(RejectReason::SalesClosed)),
        Some(Hold::Rejected(why)) => unchanged(Reply::Rejected(*why)),
    }
}

fn is_reopened(hold: &Hold) -> bool {
    Bug::RejectionReopened.is_planted() && matches!(hold, Hold::Rejected(_))
}

/// ConfirmTickets: any existing hold is sold, even of a cancelled event, whose tickets are released
/// through their bookings. `mint` draws a new code for each seat.
pub fn confirm(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    mint: &mut dyn FnMut() -> TicketCode,
) -> Result<Decision, StockMismatch> {
    Ok(match hold {
        None | Some(Hold::Released | Hold::Rejected(_)) => unchanged(Reply::ConfirmRefused),
        Some(Hold::Held(reservation)) => {
            let event = event.ok_or(StockMismatch)?;
            event.change_stock(reservation.seats(), Stock::sell)?;
            let tickets = tickets(reservation, mint);
            changed(Hold::Sold(reservation.clone(), tickets.clone()), Reply::Confirmed(tickets))
        }
        Some(Hold::Sold(reservation, _)) if Bug::CodesMintedTwice.is_planted() => {
            unchanged(Reply::Confirmed(tickets(reservation, mint)))
        }
        Some(Hold::Sold(_, tickets)) => unchanged(Reply::Confirmed(tickets.clone())),
    })
}

/// ReleaseTickets: total and final. Where there was no hold, it stores a released one, which rejects
/// every later command.
pub fn release(event: Option<&mut Event>, hold: Option<&Hold>) -> Result<Decision, StockMismatch> {
    match hold {
        None if Bug::TombstoneDropped.is_planted() => return Ok(unchanged(Reply::Released)),
        None => {}
        Some(Hold::Sold(..)) if Bug::StockForgotten.is_planted() => {}
        Some(Hold::Held(reservation)) => {
            event.ok_or(StockMismatch)?.change_stock(reservation.seats(), Stock::release_held)?;
        }
        Some(Hold::Sold(reservation, _)) => {
            event.ok_or(StockMismatch)?.change_stock(reservation.seats(), Stock::release_sold)?;
        }
        Some(Hold::Released | Hold::Rejected(_)) => return Ok(unchanged(Reply::Released)),
    }
    Ok(changed(Hold::Released, Reply::Released))
}

/// The first reason that applies is given, from what nothing will change to what may change by
/// itself: the event (not found, cancelled), the ticket type (not found), the time (closed), the
/// request (over the limit of its ticket type or, with what its buyer has, of the event; price
/// changed), the buyer (too many holds), the seats.
fn hold_seats(
    event: Option<&mut Event>,
    buyer: BuyerHolds,
    request: &Reserve,
    at: Timestamp,
) -> Result<Arc<Reservation>, RejectReason> {
    let event = event.ok_or(RejectReason::EventNotFound)?;
    match event.stage {
        Stage::Draft | Stage::CancelledDraft(_) => return Err(RejectReason::EventNotFound),
        Stage::Cancelled(_) if Bug::CancelledEventSells.is_planted() => {}
        Stage::Cancelled(_) => return Err(RejectReason::EventCancelled),
        Stage::Published => {}
    }
    let (items, total) = price(event, request, at)?;
    let seats = request.items.as_slice().iter().map(|(_, quantity)| u64::from(*quantity));
    let seats = seats.sum::<u64>() + u64::from(buyer.seats);
    if event.details.max_per_buyer.is_some_and(|limit| seats > u64::from(limit.get())) {
        return Err(RejectReason::OverLimit);
    }
    if request.expected_total.is_some_and(|expected| expected != total) {
        return Err(RejectReason::PriceChanged);
    }
    if buyer.unpaid >= buyer.max_unpaid {
        return Err(RejectReason::TooManyHolds);
    }
    event.change_stock(request.items.as_slice().iter().copied(), |stock, seats| {
        stock.hold(seats).map_err(RejectReason::from)
    })?;
    event.booked = true;
    let is_held = |t: &&TicketType| items.iter().any(|item| item.ticket_type_id == t.id);
    let held = event.ticket_types.iter().filter(is_held);
    let sales_end = held.map(|t| t.sale_ends(&event.details)).min();
    Ok(Arc::new(Reservation {
        user_id: request.user_id,
        event: event.details.snapshot(),
        event_version: Some(event.version),
        items,
        total,
        refundable_until: event.details.refundable_until(),
        sales_end,
    }))
}

/// The items with their prices and their total, if each may be sold now.
fn price(
    event: &Event,
    request: &Reserve,
    at: Timestamp,
) -> Result<(Vec<ReservedItem>, Money), RejectReason> {
    let find = |id| event.ticket_types.iter().find(|ticket_type| ticket_type.id == id);
    let items = request.items.as_slice().iter();
    let asked: Option<Vec<_>> = items.map(|(id, quantity)| Some((find(*id)?, *quantity))).collect();
    let asked = asked.ok_or(RejectReason::EventNotFound)?;
    if !asked.iter().all(|(t, _)| t.is_on_sale(&event.details, at)) {
        return Err(RejectReason::SalesClosed);
    }
    let seats = asked.iter().map(|(_, quantity)| u64::from(*quantity)).sum::<u64>();
    let too_many = |(t, quantity): &(&TicketType, u32)| *quantity > t.max_per_booking.get();
    if seats > u64::from(MAX_SEATS) || asked.iter().any(too_many) {
        return Err(RejectReason::OverLimit);
    }
    // 1,000 seats of 10^12 each fit an i64, and an event has one currency.
    let mut total = Money::zero(event.currency);
    let mut items = Vec::with_capacity(asked.len());
    for (t, quantity) in asked {
        let unit_price = t.price.money();
        let sum = unit_price.times(quantity).and_then(|cost| total.plus(cost));
        total = sum.map_err(|_| RejectReason::OverLimit)?;
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

fn changed(hold: Hold, reply: Reply) -> Decision {
    Decision { hold: Some(hold), reply }
}

fn unchanged(reply: Reply) -> Decision {
    Decision { hold: None, reply }
}

impl From<SoldOut> for RejectReason {
    fn from(_: SoldOut) -> Self {
        Self::SoldOut
    }
}

impl From<StockMismatch> for RejectReason {
    /// Only an unknown ticket type does not match, and those are rejected before.
    fn from(_: StockMismatch) -> Self {
        Self::EventNotFound
    }
}
