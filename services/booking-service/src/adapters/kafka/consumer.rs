//! The consumer: answers of event-service and payment-service, what becomes of events, erased people.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use karcis_contracts::{EventFact, Message as _, PaymentFact, TicketCodes, TicketFact, UserFact};
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Consumer, HandleError, Received, SEATS_AT_ONCE, parts};
use karcis_process::{now, trace};
use tokio::sync::Notify;

use super::messages::{Incoming, event_fact, payment_fact, ticket_codes, ticket_fact, user_fact};
use crate::{
    adapters::{metrics, postgres::PgBookings},
    application::{Applied, EventNews, apply_inputs, erase_buyer, record_events},
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
    /// Notified when an event was recorded that may look otherwise than before.
    pub(crate) event_moved: Arc<Notify>,
    pub(crate) resends: ResendSchedule,
}

#[async_trait]
impl Consumer for Replies {
    type Message = Incoming;

    fn decode(&self, topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<Incoming>> {
        Ok(match topic {
            TicketFact::TOPIC => TicketFact::decode(kind, body)?.map(ticket_fact),
            TicketCodes::TOPIC => TicketCodes::decode(kind, body)?.map(ticket_codes),
            PaymentFact::TOPIC => PaymentFact::decode(kind, body)?.map(payment_fact),
            EventFact::TOPIC => EventFact::decode(kind, body)?.map(event_fact),
            UserFact::TOPIC => UserFact::decode(kind, body)?.map(user_fact),
            _ => None,
        })
    }

    async fn handle(&self, batch: &[Received<Incoming>]) -> Result<(), HandleError> {
        let context = DecisionContext { at: now(), resends: self.resends };
        let (mut replies, mut events, mut users) = (vec![], vec![], vec![]);
        for (index, received) in batch.iter().enumerate() {
            match &received.message {
                Incoming::Reply(booking, input) => replies.push((index, *booking, input)),
                Incoming::Event(news) => events.push((index, news)),
                Incoming::UserErased(user) => users.push((index, *user)),
                Incoming::ForOthers => {}
            }
        }
        // The indexes of messages that wait for what others have locked.
        let mut open = self.record(&events, context.at).await?;
        let mut all = Applied::default();
        for part in self.parts_of(&replies).await? {
            // What an earlier part left open waits in front of the replies of its booking.
            let (waiting, free): (Vec<_>, Vec<_>) =
                replies[part].iter().partition(|(_, booking, _)| all.locked.contains(booking));
            let inputs = free.iter().map(|(_, booking, input)| (*booking, (*input).clone()));
            let inputs: Vec<(BookingId, Input)> = inputs.collect();
            let applying = apply_inputs(&*self.bookings, context, &inputs);
            let applied = trace::span("apply_inputs", applying).await?;
            let left = free.into_iter().filter(|(_, booking, _)| applied.locked.contains(booking));
            open.extend(left.chain(waiting).map(|(index, ..)| index));
            all += applied;
        }
        let erased: Vec<_> = users.iter().map(|(_, user)| *user).collect();
        self.bookings.erase_names(&erased).await?;
        for (index, user) in users {
            let bookings = &*self.bookings;
            let erasing = erase_buyer(bookings, bookings, context, user, ERASED_AT_A_TIME);
            let applied = trace::span("erase_buyer", erasing).await?;
            if !applied.locked.is_empty() {
                open.push(index);
            }
            all += applied;
        }
        metrics::count_inputs(all.tally);
        self.bookings.record_comparisons(&all.comparisons).await?;
        // The messages of rejected bookings are found by halving the batch.
        let rejected = all.rejected.into_iter().next();
        rejected.map_or(HandleError::all_but(open), |(_, error)| Err(error.into()))
    }
}

/// A message's index in its batch, and what it says.
type Reply<'a> = (usize, BookingId, &'a Input);

impl Replies {
    /// Records what became of these events. Returns the indexes of the messages, if others have the
    /// rows of some locked.
    async fn record(
        &self,
        events: &[(usize, &EventNews)],
        at: Timestamp,
    ) -> Result<Vec<usize>, HandleError> {
        if events.is_empty() {
            return Ok(vec![]);
        }
        let news = events.iter().map(|(_, news)| (*news).clone());
        match record_events(&*self.bookings, news, at).await {
            Ok(()) => {
                self.event_cancelled.notify_one();
                self.event_moved.notify_one();
                Ok(vec![])
            }
            Err(StoreError::Contended(_)) => Ok(events.iter().map(|(index, _)| *index).collect()),
            Err(error) => Err(error.into()),
        }
    }

    /// The parts that are committed one after another: tickets come with a reply, and are loaded with a
    /// confirmed booking.
    async fn parts_of(&self, replies: &[Reply<'_>]) -> Result<Vec<Range<usize>>, HandleError> {
        if replies.len() <= SEATS_AT_ONCE / Items::MAX_QUANTITY as usize {
            return Ok(parts(replies.iter().map(|_| 0)));
        }
        let ids: Vec<BookingId> = replies.iter().map(|(_, booking, _)| *booking).collect();
        let stored = self.bookings.tickets_of(&ids).await?;
        Ok(parts(replies.iter().map(|(_, booking, reply)| match reply {
            Input::TicketsConfirmed(tickets) => tickets.len(),
            _ => stored.get(booking).copied().unwrap_or_default(),
        })))
    }
}
