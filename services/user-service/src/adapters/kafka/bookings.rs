//! Hears what becomes of bookings, and has their buyers told.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{BookingFact, Message};
use karcis_messaging::{Consumer, HandleError, Received};

use crate::{
    application::{
        ports::{Notices, Notifier, StoreError},
        tell_buyers::tell_buyers,
    },
    domain::{Notice, NoticeKind},
};

/// The consumer of booking-service's facts.
pub struct Bookings {
    /// What was told before.
    pub notices: Arc<dyn Notices>,
    /// Tells.
    pub notifier: Arc<dyn Notifier>,
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
        let at = karcis_process::now();
        tell_buyers(&*self.notices, &*self.notifier, &turns, at).await.map_err(
            |error| match error {
                StoreError::Unavailable(cause) => HandleError::Unavailable(cause),
                StoreError::Broken(cause) => HandleError::Poison(cause),
            },
        )
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
