//! Between domain and wire: what is published of accounts, and what is read of bookings.

use karcis_contracts::{
    BookingFact, ProfileUpdated, TicketMail, TicketMailRequested, UserErased, UserFact,
    UserRegistered,
};
use karcis_messaging::Outgoing;

use crate::domain::{
    AccountChange, Booked, BookedItem, EventSnapshot, Issued, Notification, NotificationKind,
    Ticket, TimeZone,
};

/// The message that publishes this change. It says nothing personal.
pub(crate) fn encode(change: AccountChange) -> Outgoing {
    let fact: UserFact = match change {
        AccountChange::Registered(account) => {
            UserRegistered { user_id: account.user_id, role: account.role }.into()
        }
        AccountChange::Updated(account) => ProfileUpdated {
            user_id: account.user_id,
            role: account.role,
            version: account.version,
        }
        .into(),
        AccountChange::Erased(user_id) => UserErased { user_id }.into(),
    };
    Outgoing::new(&fact)
}

/// The notification that this fact asks for. Nobody is notified of a new booking: its buyer sees it, and
/// nothing is known of it yet.
pub(crate) fn notification(fact: BookingFact) -> Option<Notification> {
    let (booking_id, user_id, event_id, kind) = match fact {
        BookingFact::BookingCreated(_) => return None,
        BookingFact::BookingReserved(fact) => {
            let kind =
                NotificationKind::Reserved { booked: booked(fact.booked), pay_by: fact.pay_by };
            (fact.booking_id, fact.user_id, fact.event_id, kind)
        }
        // The tickets come with a message of their own.
        BookingFact::BookingConfirmed(fact) if fact.tickets_are_mailed => return None,
        BookingFact::BookingConfirmed(fact) => {
            let booked = fact.booked.map(booked);
            let kind = NotificationKind::Confirmed { booked, issued: None };
            (fact.booking_id, fact.user_id, fact.event_id, kind)
        }
        BookingFact::BookingEventChanged(fact) => {
            let kind = NotificationKind::EventChanged {
                version: fact.booked.event.version.unwrap_or_default(),
                booked: booked(fact.booked),
                agreed: snapshot(fact.agreed),
                refundable_until: fact.refundable_until,
            };
            (fact.booking_id, fact.user_id, fact.event_id, kind)
        }
        BookingFact::BookingRejected(fact) => {
            let kind =
                NotificationKind::Rejected { reason: fact.reason, event: fact.event.map(snapshot) };
            (fact.booking_id, fact.user_id, fact.event_id, kind)
        }
        BookingFact::BookingCancelled(fact) => {
            let kind = NotificationKind::Cancelled {
                reason: fact.reason,
                booked: fact.booked.map(booked),
                refunded: fact.refunded,
                event_cancel_reason: fact.event_cancel_reason,
            };
            (fact.booking_id, fact.user_id, fact.event_id, kind)
        }
    };
    Some(Notification { booking_id, user_id, event_id, kind })
}

/// The notification that brings these tickets.
pub(crate) fn tickets(mail: TicketMail) -> Notification {
    let TicketMail::TicketMailRequested(request) = mail;
    let TicketMailRequested { booking_id, user_id, event_id, .. } = request;
    let tickets = request.tickets.into_iter().map(|ticket| Ticket {
        code: ticket.code,
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name,
    });
    let issued = Issued {
        tickets: tickets.collect(),
        ends_at: request.ends_at,
        sequence: request.sequence,
        asked_at: request.asked_at,
    };
    let booked = Some(booked(request.booked));
    let kind = NotificationKind::Confirmed { booked, issued: Some(issued) };
    Notification { booking_id, user_id, event_id, kind }
}

fn booked(booked: karcis_contracts::Booked) -> Booked {
    let items = booked.items.into_iter();
    let items = items.map(|item| BookedItem { name: item.name, quantity: item.quantity });
    Booked { event: snapshot(booked.event), items: items.collect(), total: booked.total }
}

fn snapshot(event: karcis_contracts::EventSnapshot) -> EventSnapshot {
    EventSnapshot {
        title: event.title,
        venue: event.venue,
        starts_at: event.starts_at,
        // One that event-service knows may be newer than this program.
        time_zone: TimeZone::parse(&event.time_zone).unwrap_or(TimeZone::UTC),
    }
}
