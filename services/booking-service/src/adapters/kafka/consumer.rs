//! The consumer: answers of event-service and payment-service, cancelled events, erased people.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use karcis_contracts::{EventFact, Message as _, PaymentFact, TicketFact, UserFact};
use karcis_kernel::BookingId;
use karcis_messaging::{Consumer, HandleError, Received, SEATS_AT_ONCE, parts};
use karcis_process::{now, trace};
use tokio::sync::Notify;

use super::messages::{Incoming, event_fact, payment_fact, ticket_fact, user_fact};
use crate::{
    adapters::{metrics, postgres::PgBookings},
    application::{Applied, CancelledEvents, apply_inputs, erase_buyer},
    domain::{DecisionContext, Input, Items, ResendSchedule},
};

/// How many bookings of an erased buyer are cancelled at a time.
const ERASED_AT_A_TIME: u16 = 500;

/// Hands the messages of other services to the bookings.
pub(crate) struct Replies {
    /// Not [`BatchedBookings`](crate::adapters::postgres::BatchedBookings): a batch of messages must
    /// not wait for HTTP requests.
    pub(crate) bookings: Arc<PgBookings>,
    /// Notified when an event was recorded as cancelled.
    pub(crate) event_cancelled: Arc<Notify>,
    pub(crate) resends: ResendSchedule,
}

#[async_trait]
impl Consumer for Replies {
    type Message = Incoming;

    fn decode(&self, topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<Incoming>> {
        Ok(match topic {
            TicketFact::TOPIC => TicketFact::decode(kind, body)?.map(ticket_fact),
            PaymentFact::TOPIC => PaymentFact::decode(kind, body)?.map(payment_fact),
            EventFact::TOPIC => EventFact::decode(kind, body)?.map(event_fact),
            UserFact::TOPIC => UserFact::decode(kind, body)?.map(user_fact),
            _ => None,
        })
    }

    async fn handle(&self, batch: &[Received<Incoming>]) -> Result<(), HandleError> {
        let context = DecisionContext { at: now(), resends: self.resends };
        let (mut replies, mut events, mut users) = (vec![], vec![], vec![]);
        for received in batch {
            match &received.message {
                Incoming::Reply(booking, input) => replies.push((*booking, input.clone())),
                Incoming::EventCancelled(event) => events.push(*event),
                Incoming::UserErased(user) => users.push(*user),
                Incoming::ForOthers => {}
            }
        }
        if !events.is_empty() {
            self.bookings.record(&events, context.at).await?;
            self.event_cancelled.notify_one();
        }
        let mut all = Applied::default();
        for part in self.parts_of(&replies).await? {
            let applying = apply_inputs(&*self.bookings, context, &replies[part]);
            all += trace::span("apply_inputs", applying).await?;
        }
        for user in users {
            let bookings = &*self.bookings;
            let erasing = erase_buyer(bookings, bookings, context, user, ERASED_AT_A_TIME);
            all += trace::span("erase_buyer", erasing).await?;
        }
        metrics::count_inputs(all.tally);
        // The messages of these bookings are found by halving the batch; the others are done already.
        let rejected = all.rejected.into_iter().map(|(_, error)| error).next();
        rejected.or(all.locked).map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Replies {
    /// The parts that are committed one after another: tickets come with a reply, and are loaded with a
    /// confirmed booking.
    async fn parts_of(
        &self,
        replies: &[(BookingId, Input)],
    ) -> Result<Vec<Range<usize>>, HandleError> {
        if replies.len() <= SEATS_AT_ONCE / Items::MAX_QUANTITY as usize {
            return Ok(parts(replies.iter().map(|_| 0)));
        }
        let ids: Vec<BookingId> = replies.iter().map(|(booking, _)| *booking).collect();
        let stored = self.bookings.tickets_of(&ids).await?;
        Ok(parts(replies.iter().map(|(booking, reply)| match reply {
            Input::TicketsConfirmed(tickets) => tickets.len(),
            _ => stored.get(booking).copied().unwrap_or_default(),
        })))
    }
}
