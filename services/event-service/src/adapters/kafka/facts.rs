//! The domain's answers and news as messages.

use karcis_contracts as wire;

use crate::{
    application::ports::{News, Reply},
    domain::{Answer, Event, Rejection, Reservation, Stage, Ticket},
};

/// The fact that answers a command.
pub fn ticket_fact(reply: &Reply) -> wire::TicketFact {
    let (booking_id, event_id) = (reply.to.booking_id, reply.to.event_id);
    match &reply.answer {
        Answer::Reserved(reservation) => reserved(reply, reservation).into(),
        Answer::Rejected(why) => {
            wire::TicketsRejected { booking_id, event_id, reason: reject_reason(*why) }.into()
        }
        Answer::Confirmed(tickets) => {
            let tickets = tickets.iter().map(ticket).collect();
            wire::TicketsConfirmed { booking_id, event_id, tickets }.into()
        }
        Answer::ConfirmRefused => wire::ConfirmRefused { booking_id, event_id }.into(),
        Answer::Released => wire::TicketsReleased { booking_id, event_id }.into(),
    }
}

/// The message that tells the world of an event.
pub fn event_fact(event: &Event, news: News) -> wire::EventFact {
    let details = &event.details;
    let (event_id, version, organiser_id) = (event.id, event.version, event.organiser_id);
    let (title, venue) = (details.title.to_string(), details.venue.to_string());
    let (starts_at, time_zone) = (details.starts_at, details.time_zone.to_string());
    match news {
        News::Published => wire::EventPublished {
            event_id,
            version,
            organiser_id,
            title,
            venue,
            starts_at,
            time_zone,
        }
        .into(),
        News::Updated => wire::EventUpdated {
            event_id,
            version,
            organiser_id,
            title,
            venue,
            starts_at,
            time_zone,
        }
        .into(),
        News::Cancelled => {
            let reason = match &event.stage {
                Stage::Cancelled(reason) => reason.to_string(),
                Stage::Draft | Stage::Published => String::new(),
            };
            wire::EventCancelled { event_id, reason }.into()
        }
        News::Gone => wire::EventDeleted { event_id }.into(),
    }
}

fn reserved(reply: &Reply, reservation: &Reservation) -> wire::TicketsReserved {
    let event = &reservation.event;
    let items = reservation.items.iter().map(|item| wire::ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    wire::TicketsReserved {
        booking_id: reply.to.booking_id,
        event_id: reply.to.event_id,
        event: wire::EventSnapshot {
            title: event.title.clone(),
            venue: event.venue.clone(),
            starts_at: event.starts_at,
            time_zone: event.time_zone.to_string(),
        },
        items: items.collect(),
        total: reservation.total,
        refundable_until: reservation.refundable_until,
    }
}

fn ticket(ticket: &Ticket) -> wire::Ticket {
    wire::Ticket {
        code: ticket.code.clone(),
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name.clone(),
    }
}

fn reject_reason(why: Rejection) -> wire::RejectReason {
    match why {
        Rejection::EventNotFound => wire::RejectReason::EventNotFound,
        Rejection::EventCancelled => wire::RejectReason::EventCancelled,
        Rejection::SalesClosed => wire::RejectReason::SalesClosed,
        Rejection::OverLimit => wire::RejectReason::OverLimit,
        Rejection::PriceChanged => wire::RejectReason::PriceChanged,
        Rejection::TooManyHolds => wire::RejectReason::TooManyHolds,
        Rejection::SoldOut => wire::RejectReason::SoldOut,
    }
}
