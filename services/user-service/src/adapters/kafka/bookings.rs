//! Hears what becomes of bookings, and has their buyers told.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{BookingFact, Message};
use karcis_messaging::{Consumer, HandleError, Received};
use tokio::sync::Notify;

use crate::{
    application::ports::{Notices, StoreError},
    domain::{Notice, NoticeKind},
};

/// The consumer of booking-service's facts.
pub struct Bookings {
    /// Where they are kept until they are told.
    pub notices: Arc<dyn Notices>,
    /// Wakes who tells.
    pub news: Arc<Notify>,
}

#[async_trait]
impl Consumer for Bookings {
    type Message = BookingFact;

    fn topics(&self) -> &'static [&'static str] {
        &[BookingFact::TOPIC]
    }

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<BookingFact>> {
        BookingFact::decode(kind, body)
    }

    async fn handle(&self, batch: &[Received<BookingFact>]) -> Result<(), HandleError> {
        let turns: Vec<_> = batch.iter().map(|received| notice(&received.message)).collect();
        let noted = self.notices.note(&turns, karcis_process::now()).await;
        noted.map_err(|error| match error {
            StoreError::Unavailable(cause) => HandleError::Unavailable(cause),
            StoreError::Broken(cause) => HandleError::Poison(cause),
        })?;
        self.news.notify_one();
        Ok(())
    }
}

fn notice(fact: &BookingFact) -> Notice {
    let (booking_id, user_id, event_id, kind, reason) = match fact {
        BookingFact::BookingCreated(fact) => {
            (fact.booking_id, fact.user_id, fact.event_id, NoticeKind::Created, None)
        }
        BookingFact::BookingConfirmed(fact) => {
            (fact.booking_id, fact.user_id, fact.event_id, NoticeKind::Confirmed, None)
        }
        BookingFact::BookingRejected(fact) => {
            let reason = Some(fact.reason.clone());
            (fact.booking_id, fact.user_id, fact.event_id, NoticeKind::Rejected, reason)
        }
        BookingFact::BookingCancelled(fact) => {
            let reason = Some(fact.reason.clone());
            (fact.booking_id, fact.user_id, fact.event_id, NoticeKind::Cancelled, reason)
        }
    };
    Notice { booking_id, kind, user_id, event_id, reason }
}
