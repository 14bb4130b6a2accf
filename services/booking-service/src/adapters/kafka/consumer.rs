//! The consumer: answers of event-service and payment-service, cancelled events, erased people.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{EventFact, Message as _, PaymentFact, TicketFact, UserFact};
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::{now, trace};
use tokio::sync::Notify;

use super::messages::{Incoming, event_fact, payment_fact, ticket_fact, user_fact};
use crate::{
    adapters::{metrics, postgres::PgBookings},
    application::{CancelledEvents, Tally, apply_inputs, erase_buyer},
    domain::{DecisionContext, ResendSchedule},
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
        let (mut tally, mut rejected) = (Tally::default(), vec![]);
        if !replies.is_empty() {
            let applying = apply_inputs(&*self.bookings, context, &replies);
            let applied = trace::span("apply_inputs", applying).await?;
            tally += applied.0;
            rejected.extend(applied.1);
        }
        for user in users {
            let bookings = &*self.bookings;
            let erasing = erase_buyer(bookings, bookings, context, user, ERASED_AT_A_TIME);
            let erased = trace::span("erase_buyer", erasing).await?;
            tally += erased.0;
            rejected.extend(erased.1);
        }
        metrics::count_inputs(tally);
        // The messages of these bookings are found by halving the batch; the others are done already.
        rejected.into_iter().next().map_or(Ok(()), |(_, error)| Err(error.into()))
    }
}
