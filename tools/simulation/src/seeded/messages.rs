//! What travels between the services, and what it means to whom it reaches. It stands for
//! `adapters/kafka/messages.rs` of the services.

use std::sync::Arc;

use karcis_booking_service::{
    application::{self as booking_use_cases, EventEdit, EventNews},
    domain as booking,
};
use karcis_event_service::{application::EventFact, domain as event};
use karcis_kernel::{BookingId, UserId};
use karcis_payment_service::domain as payment;
use karcis_user_service::domain as user;
use uuid::Uuid;

/// The topics that services read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Topic {
    EventCommands,
    PaymentCommands,
    Tickets,
    TicketCodes,
    Payments,
    Events,
    Users,
    Bookings,
}

impl Topic {
    pub(crate) const ALL: [Self; 8] = [
        Self::EventCommands,
        Self::PaymentCommands,
        Self::Tickets,
        Self::TicketCodes,
        Self::Payments,
        Self::Events,
        Self::Users,
        Self::Bookings,
    ];

    /// Whether what is lost of it is sent again. Nothing brings back the rest, so that it is never lost here.
    pub(crate) fn is_repeated(self) -> bool {
        !matches!(self, Self::Users | Self::Bookings)
    }
}

/// What a message says.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    ToEventService(event::Command),
    ToPaymentService(payment::Command),
    /// A fact of event-service or payment-service that is a reply to a booking.
    Reply(BookingId, booking::Input),
    Event(booking_use_cases::EventNews),
    UserErased(UserId),
    /// A fact of a booking that its buyer is told.
    Notification(Arc<user::Notification>),
    /// What nobody can handle, by its number: what cannot be decoded, or a command that cannot be carried out.
    Poison(u64, Option<event::Command>),
}

/// A message in its topic.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: Topic,
    pub(crate) key: Uuid,
    pub(crate) content: Content,
}

impl Message {
    pub(crate) fn user_erased(user: UserId) -> Self {
        Self { topic: Topic::Users, key: user.0, content: Content::UserErased(user) }
    }

    /// What event-service publishes of an event.
    pub(crate) fn of_event(event: &event::Event, fact: EventFact) -> Self {
        let news = match fact {
            EventFact::Published | EventFact::Updated => EventNews::Edited(EventEdit {
                event_id: event.id,
                organiser: event.organiser_id,
                event: snapshot(&event.details.snapshot(), event.version),
                refundable_until: Some(event.details.refundable_until()),
                ends_at: event.details.ends_at,
            }),
            EventFact::Cancelled { .. } => {
                let reason = event.stage.cancel_reason();
                let reason = reason.map(ToString::to_string).unwrap_or_default();
                EventNews::Cancelled(event.id, reason)
            }
            EventFact::Deleted => EventNews::Deleted(event.id),
        };
        Self { topic: Topic::Events, key: event.id.0, content: Content::Event(news) }
    }

    /// Its name in a story.
    pub(crate) fn name(&self) -> &'static str {
        match &self.content {
            Content::ToEventService(event::Command::Reserve(_)) => "ReserveTickets",
            Content::ToEventService(event::Command::Confirm(_)) => "ConfirmTickets",
            Content::ToEventService(event::Command::Release(_)) => "ReleaseTickets",
            Content::ToPaymentService(payment::Command::Request { .. }) => "RequestPayment",
            Content::ToPaymentService(payment::Command::Cancel { .. }) => "CancelPayment",
            Content::ToPaymentService(payment::Command::Refund { .. }) => "RefundPayment",
            Content::Reply(_, input) => input.name(),
            Content::Event(EventNews::Edited(_)) => "EventUpdated",
            Content::Event(EventNews::Cancelled(..)) => "EventCancelled",
            Content::Event(EventNews::Deleted(_)) => "EventDeleted",
            Content::UserErased(_) => "UserErased",
            Content::Notification(of) => match of.kind {
                user::NotificationKind::Reserved { .. } => "BookingReserved",
                user::NotificationKind::Confirmed { .. } => "BookingConfirmed",
                user::NotificationKind::EventChanged { .. } => "BookingEventChanged",
                user::NotificationKind::Rejected { .. } => "BookingRejected",
                user::NotificationKind::Cancelled { .. } => "BookingCancelled",
            },
            Content::Poison(..) => "poison",
        }
    }

    /// What it is about: a booking, an event or a person.
    pub(crate) fn subject(&self) -> Uuid {
        match &self.content {
            Content::ToEventService(command) => command.hold().booking_id.0,
            _ => self.key,
        }
    }
}

/// What a change of a booking sends to other services.
pub(crate) fn of_booking(change: &booking_use_cases::Change) -> impl Iterator<Item = Message> + '_ {
    let sent = change.messages.iter().map(|sent| &sent.message);
    sent.filter_map(|message| {
        of_order(&change.after.order, message).or_else(|| fact(change, message))
    })
}

/// A fact of the booking, as its buyer is told it.
fn fact(change: &booking_use_cases::Change, message: &booking::Message) -> Option<Message> {
    let (booking, order) = (&change.after, &change.after.order);
    let kind = match message {
        booking::Message::BookingReserved { reservation, pay_by } => {
            let booked = booked(booking, reservation);
            user::NotificationKind::Reserved { booked, pay_by: *pay_by }
        }
        booking::Message::BookingConfirmed => {
            let booked = booking.reservation().map(|reservation| booked(booking, reservation));
            user::NotificationKind::Confirmed { booked, issued: None }
        }
        booking::Message::BookingEventChanged { reservation, refundable_until } => {
            user::NotificationKind::EventChanged {
                version: booking.event_of(reservation).version,
                booked: booked(booking, reservation),
                agreed: shown(&reservation.event),
                refundable_until: *refundable_until,
            }
        }
        booking::Message::BookingRejected(reason) => user::NotificationKind::Rejected {
            reason: reason.as_str().to_owned(),
            event: booking.event_details().map(|details| shown(&details.event)),
        },
        booking::Message::BookingCancelled(cause) => user::NotificationKind::Cancelled {
            reason: cause.as_str().to_owned(),
            booked: booking.reservation().map(|reservation| booked(booking, reservation)),
            refunded: booking.refund().map(|refund| refund.amount),
            event_cancel_reason: booking.event_cancel_reason().map(str::to_owned),
        },
        _ => return None,
    };
    let (booking_id, user_id, event_id) = (order.id, order.buyer, order.event_id);
    let notification = user::Notification { booking_id, user_id, event_id, kind };
    let content = Content::Notification(Arc::new(notification));
    Some(Message { topic: Topic::Bookings, key: booking_id.0, content })
}

fn booked(booking: &booking::Booking, reservation: &booking::Reservation) -> user::Booked {
    let items = reservation.items.iter();
    let items =
        items.map(|item| user::BookedItem { name: item.name.clone(), quantity: item.quantity });
    let event = shown(booking.event_of(reservation));
    user::Booked { event, items: items.collect(), total: reservation.total }
}

fn shown(event: &booking::EventSnapshot) -> user::EventSnapshot {
    user::EventSnapshot {
        title: event.title.clone(),
        venue: event.venue.clone(),
        starts_at: event.starts_at,
        time_zone: user::TimeZone::parse(&event.time_zone).unwrap_or(user::TimeZone::UTC),
    }
}

fn of_order(order: &booking::Order, message: &booking::Message) -> Option<Message> {
    let hold = event::HoldRef { booking_id: order.id, event_id: order.event_id };
    let to_event = |command| Message {
        topic: Topic::EventCommands,
        key: order.event_id.0,
        content: Content::ToEventService(command),
    };
    let to_payment = |command| Message {
        topic: Topic::PaymentCommands,
        key: order.id.0,
        content: Content::ToPaymentService(command),
    };
    let booking_id = order.id;
    Some(match message {
        booking::Message::ReserveTickets => {
            let items = order.items.as_slice().iter();
            let items: Vec<_> = items.map(|item| (item.ticket_type_id, item.quantity)).collect();
            to_event(event::Command::Reserve(event::Reserve {
                hold,
                user_id: order.buyer,
                items: items.try_into().ok()?,
                expected_total: order.expected_total,
            }))
        }
        booking::Message::ConfirmTickets => to_event(event::Command::Confirm(hold)),
        booking::Message::ReleaseTickets => to_event(event::Command::Release(hold)),
        booking::Message::RequestPayment { amount, pay_by } => {
            let terms = payment::Terms::new(order.buyer, *amount, *pay_by).ok()?;
            to_payment(payment::Command::Request { booking_id, terms })
        }
        booking::Message::CancelPayment => to_payment(payment::Command::Cancel { booking_id }),
        booking::Message::RefundPayment => to_payment(payment::Command::Refund { booking_id }),
        _ => return None,
    })
}

/// What event-service replies about a hold.
pub(crate) fn of_hold(hold: event::HoldRef, reply: &event::Reply) -> Message {
    let (topic, input) = match reply {
        event::Reply::Reserved(it) => {
            (Topic::Tickets, booking::Input::TicketsReserved(reservation(it)))
        }
        event::Reply::Rejected(why) => {
            (Topic::Tickets, booking::Input::TicketsRejected(rejection(*why)))
        }
        // TicketsConfirmed goes to everybody, TicketsIssued to booking-service with the codes.
        event::Reply::Confirmed(its) => {
            (Topic::TicketCodes, booking::Input::TicketsConfirmed(tickets(its)))
        }
        event::Reply::ConfirmRefused => (Topic::Tickets, booking::Input::ConfirmRefused),
        event::Reply::Released => (Topic::Tickets, booking::Input::TicketsReleased),
    };
    let content = Content::Reply(hold.booking_id, input);
    Message { topic, key: hold.booking_id.0, content }
}

/// What payment-service says about a payment, if a booking waits for that.
pub(crate) fn of_payment(booking: BookingId, fact: &payment::Fact) -> Option<Message> {
    let input = match fact {
        payment::Fact::Requested { .. } => booking::Input::PaymentRequested,
        payment::Fact::Succeeded { .. } => booking::Input::PaymentSucceeded,
        payment::Fact::Failed { .. } => booking::Input::PaymentFailed,
        payment::Fact::Cancelled => booking::Input::PaymentCancelled,
        payment::Fact::Refunded { .. } => booking::Input::PaymentRefunded,
        payment::Fact::RefundRefused { .. } => booking::Input::RefundRefused,
        payment::Fact::Reversed { .. } => return None,
    };
    let content = Content::Reply(booking, input);
    Some(Message { topic: Topic::Payments, key: booking.0, content })
}

fn reservation(reservation: &event::Reservation) -> Arc<booking::Reservation> {
    let items = reservation.items.iter().map(|item| booking::ReservedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Arc::new(booking::Reservation {
        event: snapshot(&reservation.event, reservation.event_version.unwrap_or(1)),
        items: items.collect(),
        total: reservation.total,
        refundable_until: reservation.refundable_until,
        sales_end: reservation.sales_end,
    })
}

fn snapshot(event: &event::EventSnapshot, version: i64) -> booking::EventSnapshot {
    booking::EventSnapshot {
        version,
        title: event.title.clone(),
        venue: event.venue.clone(),
        starts_at: event.starts_at,
        time_zone: event.time_zone.to_string(),
    }
}

fn tickets(tickets: &[event::Ticket]) -> Arc<[booking::Ticket]> {
    let ticket = |ticket: &event::Ticket| booking::Ticket {
        code: ticket.code.clone(),
        ticket_type_id: ticket.ticket_type_id,
        name: ticket.name.clone(),
    };
    tickets.iter().map(ticket).collect()
}

fn rejection(reason: event::RejectReason) -> booking::RejectReason {
    match reason {
        event::RejectReason::EventNotFound => booking::RejectReason::EventNotFound,
        event::RejectReason::EventCancelled => booking::RejectReason::EventCancelled,
        event::RejectReason::SalesClosed => booking::RejectReason::SalesClosed,
        event::RejectReason::OverLimit => booking::RejectReason::OverLimit,
        event::RejectReason::PriceChanged => booking::RejectReason::PriceChanged,
        event::RejectReason::TooManyHolds => booking::RejectReason::TooManyHolds,
        event::RejectReason::SoldOut => booking::RejectReason::SoldOut,
    }
}
