//! Wrong rules of stock and holds.

use karcis_event_service::domain::{
    self as event, Decision, Event, Hold, Stock, confirm, release, reserve,
};
use karcis_kernel::{TicketCode, Timestamp};
use karcis_simulation::exploration::Rules;

use super::Mutant;

type Decided = Result<Decision, event::StockMismatch>;

pub(super) fn mutants() -> Vec<Mutant> {
    let real = Rules::default();
    vec![
        ("a released hold is held again", Rules { reserve: holds_again, ..real }),
        ("a rejected hold is held later", Rules { reserve: rejection_is_forgotten, ..real }),
        ("a seat is held though none is free", Rules { reserve: oversells, ..real }),
        ("a cancelled event holds seats", Rules { reserve: cancelled_event_holds, ..real }),
        ("a released hold is sold", Rules { confirm: sells_what_was_released, ..real }),
        ("a repeated confirmation mints new codes", Rules { confirm: mints_again, ..real }),
        ("a refused confirmation sells the seat", Rules { confirm: keeps_it_held, ..real }),
        ("a released seat stays sold", Rules { release: keeps_the_seat, ..real }),
        ("a release without a hold leaves nothing behind", Rules { release: no_tombstone, ..real }),
    ]
}

fn holds_again(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    buyer: event::BuyerHolds,
    request: &event::Reserve,
    at: Timestamp,
) -> Decision {
    reserve(event, hold.filter(|hold| **hold != Hold::Released), buyer, request, at)
}

fn rejection_is_forgotten(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    buyer: event::BuyerHolds,
    request: &event::Reserve,
    at: Timestamp,
) -> Decision {
    let hold = hold.filter(|hold| !matches!(hold, Hold::Rejected(_)));
    reserve(event, hold, buyer, request, at)
}

fn oversells(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    buyer: event::BuyerHolds,
    request: &event::Reserve,
    at: Timestamp,
) -> Decision {
    let Some(event) = event else {
        return reserve(None, hold, buyer, request, at);
    };
    let stock = event.ticket_types[0].stock;
    if stock.free() == 0 && hold.is_none() {
        event.ticket_types[0].stock = Stock::new(1);
    }
    reserve(Some(event), hold, buyer, request, at)
}

fn cancelled_event_holds(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    buyer: event::BuyerHolds,
    request: &event::Reserve,
    at: Timestamp,
) -> Decision {
    let Some(event) = event else {
        return reserve(None, hold, buyer, request, at);
    };
    let stage = std::mem::replace(&mut event.stage, event::Stage::Published);
    let decision = reserve(Some(event), hold, buyer, request, at);
    event.stage = stage;
    decision
}

fn sells_what_was_released(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    mint: &mut dyn FnMut() -> TicketCode,
) -> Decided {
    let decision = confirm(event, hold, mint)?;
    if hold == Some(&Hold::Released) {
        let tickets: std::sync::Arc<[event::Ticket]> = [].into();
        return Ok(Decision { reply: event::Reply::Confirmed(tickets), ..decision });
    }
    Ok(decision)
}

fn mints_again(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    mint: &mut dyn FnMut() -> TicketCode,
) -> Decided {
    let decision = confirm(event, hold, mint)?;
    let Some(Hold::Sold(reservation, tickets)) = hold else {
        return Ok(decision);
    };
    let tickets: std::sync::Arc<[event::Ticket]> =
        tickets.iter().map(|ticket| event::Ticket { code: mint(), ..ticket.clone() }).collect();
    Ok(Decision {
        hold: Some(Hold::Sold(reservation.clone(), tickets.clone())),
        reply: event::Reply::Confirmed(tickets),
    })
}

fn keeps_it_held(
    event: Option<&mut Event>,
    hold: Option<&Hold>,
    mint: &mut dyn FnMut() -> TicketCode,
) -> Decided {
    let decision = confirm(event, hold, mint)?;
    Ok(Decision { hold: None, ..decision })
}

fn keeps_the_seat(event: Option<&mut Event>, hold: Option<&Hold>) -> Decided {
    let Some(event) = event else {
        return release(None, hold);
    };
    let stock = event.ticket_types[0].stock;
    let decision = release(Some(event), hold);
    if matches!(hold, Some(Hold::Sold(..))) {
        event.ticket_types[0].stock = stock;
    }
    decision
}

fn no_tombstone(event: Option<&mut Event>, hold: Option<&Hold>) -> Decided {
    let decision = release(event, hold)?;
    Ok(if hold.is_none() { Decision { hold: None, ..decision } } else { decision })
}
