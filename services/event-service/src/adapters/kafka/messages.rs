//! Commands, replies and facts between their wire form and the domain.

use karcis_contracts as wire;
use karcis_messaging::Outgoing;
use serde::de::Error;

use crate::{
    application::{CancelledEvent, EventFact, Message},
    domain::{Command, Event, HoldRef, Items, RejectReason, Reply, Reservation, Reserve, Ticket},
};

/// The command, or why no booking can mean it.
pub(super) fn command(command: wire::EventCommand) -> serde_json::Result<Command> {
    Ok(match command {
        wire::EventCommand::ReserveTickets(request) => {
            let items = request.items.iter().map(|item| (item.ticket_type_id, item.quantity));
            let items = Items::try_from(items.collect::<Vec<_>>());
            Command::Reserve(Reserve {
                hold: HoldRef { booking_id: request.booking_id, event_id: request.event_id },
                user_id: request.user_id,
                items: items.map_err(serde_json::Error::custom)?,
                expected_total: request.expected_total,
            })
        }
        wire::EventCommand::ConfirmTickets(wire::ConfirmTickets { booking_id, event_id }) => {
            Command::Confirm(HoldRef { booking_id, event_id })
        }
        wire::EventCommand::ReleaseTickets(wire::ReleaseTickets { booking_id, event_id }) => {
            Command::Release(HoldRef { booking_id, event_id })
        }
    })
}

/// The message in wire form.
pub(crate) fn encode(message: &Message<'_>) -> Outgoing {
    match message {
        Message::Reply(hold, reply) => Outgoing::new(&ticket_fact(*hold, reply)),
        Message::Codes(hold, tickets) => Outgoing::new(&issued(*hold, tickets)),
        Message::Event(event, fact) => Outgoing::new(&event_fact(event, *fact)),
        Message::StillCancelled(event) => still_cancelled(event),
    }
}

fn ticket_fact(hold: HoldRef, reply: &Reply) -> wire::TicketFact {
    let HoldRef { booking_id, event_id } = hold;
    match reply {
        Reply::Reserved(reservation) => reserved(hold, reservation).into(),
        Reply::Rejected(reason) => {
            let reason = reject_reason(*reason);
            wire::TicketsRejected { booking_id, event_id, reason }.into()
        }
        Reply::Confirmed(_) => {
            wire::TicketsConfirmed { booking_id, event_id, tickets: None }.into()
        }
        Reply::ConfirmRefused => wire::ConfirmRefused { booking_id, event_id }.into(),
        Reply::Released => wire::TicketsReleased { booking_id, event_id }.into(),
    }
}

fn issued(hold: HoldRef, tickets: &[Ticket]) -> wire::TicketCodes {
    let HoldRef { booking_id, event_id } = hold;
    let tickets = tickets.iter().map(ticket).collect();
    wire::TicketsIssued { booking_id, event_id, tickets }.into()
}

fn event_fact(event: &Event, fact: EventFact) -> wire::EventFact {
    let details = &event.details;
    let (event_id, version, organiser_id) = (event.id, event.version, event.organiser_id);
    let (title, venue) = (details.title.to_string(), details.venue.to_string());
    let (starts_at, time_zone) = (details.starts_at, details.time_zone.to_string());
    let refundable_until = Some(details.refundable_until());
    match fact {
        EventFact::Published => wire::EventPublished {
            event_id,
            version,
            organiser_id,
            title,
            venue,
            starts_at,
            time_zone,
            refundable_until,
            ends_at: details.ends_at,
        }
        .into(),
        EventFact::Updated => wire::EventUpdated {
            event_id,
            version,
            organiser_id,
            title,
            venue,
            starts_at,
            time_zone,
            refundable_until,
            ends_at: details.ends_at,
        }
        .into(),
        EventFact::Cancelled { .. } => {
            let reason = event.stage.cancel_reason().map(ToString::to_string).unwrap_or_default();
            wire::EventCancelled { event_id, reason }.into()
        }
        EventFact::Deleted => wire::EventDeleted { event_id }.into(),
    }
}

fn still_cancelled(event: &CancelledEvent) -> Outgoing {
    let fact = wire::EventCancelled { event_id: event.id, reason: event.reason.to_string() };
    let attempt = i32::try_from(event.announced.saturating_add(1)).unwrap_or(i32::MAX);
    Outgoing::new(&wire::EventFact::from(fact)).attempt(attempt)
}

fn reserved(hold: HoldRef, reservation: &Reservation) -> wire::TicketsReserved {
    let event = &reservation.event;
    let items = reservation.items.iter().map(|item| wire::ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    wire::TicketsReserved {
        booking_id: hold.booking_id,
        event_id: hold.event_id,
        event: wire::EventSnapshot {
            title: event.title.clone(),
            venue: event.venue.clone(),
            starts_at: event.starts_at,
            time_zone: event.time_zone.to_string(),
            version: reservation.event_version,
        },
        items: items.collect(),
        total: reservation.total,
        refundable_until: reservation.refundable_until,
        sales_end: reservation.sales_end,
    }
}

fn ticket(ticket: &Ticket) -> wire::Ticket {
    wire::Ticket {
        code: ticket.code.clone(),
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name.clone(),
    }
}

fn reject_reason(reason: RejectReason) -> wire::RejectReason {
    match reason {
        RejectReason::EventNotFound => wire::RejectReason::EventNotFound,
        RejectReason::EventCancelled => wire::RejectReason::EventCancelled,
        RejectReason::SalesClosed => wire::RejectReason::SalesClosed,
        RejectReason::OverLimit => wire::RejectReason::OverLimit,
        RejectReason::PriceChanged => wire::RejectReason::PriceChanged,
        RejectReason::TooManyHolds => wire::RejectReason::TooManyHolds,
        RejectReason::SoldOut => wire::RejectReason::SoldOut,
    }
}
