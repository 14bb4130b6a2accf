//! The consumer: answers of event-service and payment-service, cancelled events, erased people.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{
    self as wire, EventFact, Message as _, PaymentFact, RejectReason as WireReason, TicketFact,
    UserFact,
};
use karcis_kernel::{BookingId, EventId, UserId};
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::{now, trace};
use tokio::sync::Notify;

use crate::{
    adapters::metrics,
    application::{Bookings, CancelledEvents, Tally, erase_buyer, take_replies},
    domain::{EventSnapshot, Input, Offer, OfferedItem, RejectReason, Ticket},
};

/// How many bookings of an erased buyer are cancelled at a time.
const ERASED_AT_A_TIME: u16 = 500;

/// Brings what other services say to the bookings.
pub struct Replies {
    /// The bookings.
    pub bookings: Arc<dyn Bookings>,
    /// The events whose bookings have to be undone.
    pub events: Arc<dyn CancelledEvents>,
    /// Wakes who undoes them.
    pub event_cancelled: Arc<Notify>,
}

/// What a message means here.
#[derive(Clone, Debug)]
pub enum News {
    /// To this booking happened this.
    Reply(BookingId, Input),
    /// The event does not take place.
    EventCancelled(EventId),
    /// The person is gone.
    UserErased(UserId),
    /// It is for others.
    OfNoConcern,
}

#[async_trait]
impl Consumer for Replies {
    type Message = News;

    fn topics(&self) -> &'static [&'static str] {
        &[TicketFact::TOPIC, PaymentFact::TOPIC, EventFact::TOPIC, UserFact::TOPIC]
    }

    fn decode(&self, topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<News>> {
        Ok(match topic {
            TicketFact::TOPIC => TicketFact::decode(kind, body)?.map(ticket_news),
            PaymentFact::TOPIC => PaymentFact::decode(kind, body)?.map(payment_news),
            EventFact::TOPIC => EventFact::decode(kind, body)?.map(event_news),
            UserFact::TOPIC => UserFact::decode(kind, body)?.map(user_news),
            _ => None,
        })
    }

    async fn handle(&self, batch: &[Received<News>]) -> Result<(), HandleError> {
        let at = now();
        let (mut replies, mut events, mut users) = (vec![], vec![], vec![]);
        for received in batch {
            match &received.message {
                News::Reply(booking, input) => replies.push((*booking, input.clone())),
                News::EventCancelled(event) => events.push(*event),
                News::UserErased(user) => users.push(*user),
                News::OfNoConcern => {}
            }
        }
        if !events.is_empty() {
            self.events.record(&events, at).await?;
            self.event_cancelled.notify_one();
        }
        let mut tally = Tally::default();
        if !replies.is_empty() {
            tally +=
                trace::span("take_replies", take_replies(&*self.bookings, at, replies)).await?;
        }
        for user in users {
            let erasing = erase_buyer(&*self.bookings, user, at, ERASED_AT_A_TIME);
            tally += trace::span("erase_buyer", erasing).await?;
        }
        metrics::count_inputs(tally.moved, tally.stale);
        Ok(())
    }
}

fn ticket_news(fact: TicketFact) -> News {
    match fact {
        TicketFact::TicketsReserved(fact) => {
            News::Reply(fact.booking_id, Input::TicketsReserved(Arc::new(offer(fact))))
        }
        TicketFact::TicketsRejected(fact) => {
            News::Reply(fact.booking_id, Input::TicketsRejected(reject_reason(fact.reason)))
        }
        TicketFact::TicketsConfirmed(fact) => {
            let tickets = fact.tickets.into_iter().map(|ticket| Ticket {
                code: ticket.code,
                ticket_type_id: ticket.ticket_type_id,
                name: ticket.name,
            });
            News::Reply(fact.booking_id, Input::TicketsConfirmed(tickets.collect()))
        }
        TicketFact::ConfirmRefused(fact) => News::Reply(fact.booking_id, Input::ConfirmRefused),
        TicketFact::TicketsReleased(fact) => News::Reply(fact.booking_id, Input::TicketsReleased),
    }
}

fn offer(fact: wire::TicketsReserved) -> Offer {
    let items = fact.items.into_iter().map(|item| OfferedItem {
        ticket_type_id: item.ticket_type_id,
        name: item.name,
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Offer {
        event: EventSnapshot {
            title: fact.event.title,
            venue: fact.event.venue,
            starts_at: fact.event.starts_at,
            time_zone: fact.event.time_zone,
        },
        items: items.collect(),
        total: fact.total,
        refundable_until: fact.refundable_until,
    }
}

fn reject_reason(reason: WireReason) -> RejectReason {
    match reason {
        WireReason::SoldOut => RejectReason::SoldOut,
        WireReason::SalesClosed => RejectReason::SalesClosed,
        WireReason::EventNotFound => RejectReason::EventNotFound,
        WireReason::EventCancelled => RejectReason::EventCancelled,
        WireReason::PriceChanged => RejectReason::PriceChanged,
        WireReason::OverLimit => RejectReason::OverLimit,
        WireReason::TooManyHolds => RejectReason::TooManyHolds,
    }
}

fn payment_news(fact: PaymentFact) -> News {
    let (booking, input) = match fact {
        PaymentFact::PaymentRequested(fact) => (fact.booking_id, Input::PaymentRequested),
        PaymentFact::PaymentSucceeded(fact) => (fact.booking_id, Input::PaymentSucceeded),
        PaymentFact::PaymentFailed(fact) => (fact.booking_id, Input::PaymentFailed),
        PaymentFact::PaymentCancelled(fact) => (fact.booking_id, Input::PaymentCancelled),
        PaymentFact::PaymentRefunded(fact) => (fact.booking_id, Input::PaymentRefunded),
        PaymentFact::RefundRefused(fact) => (fact.booking_id, Input::RefundRefused),
        // Money that came too late went back; the saga never counted on it.
        PaymentFact::PaymentReturned(_) => return News::OfNoConcern,
    };
    News::Reply(booking, input)
}

fn event_news(fact: EventFact) -> News {
    match fact {
        EventFact::EventCancelled(fact) => News::EventCancelled(fact.event_id),
        EventFact::EventPublished(_) | EventFact::EventUpdated(_) | EventFact::EventDeleted(_) => {
            News::OfNoConcern
        }
    }
}

fn user_news(fact: UserFact) -> News {
    match fact {
        UserFact::UserErased(fact) => News::UserErased(fact.user_id),
        UserFact::UserRegistered(_) | UserFact::ProfileUpdated(_) => News::OfNoConcern,
    }
}
