//! Reads booking-service's facts and stores a notification for each.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{BookingFact, Message};
use karcis_messaging::{Consumer, HandleError, Received};
use tokio::sync::Notify;

use super::messages::notification;
use crate::application::ports::Notifications;

/// The consumer of booking-service's facts.
pub(crate) struct BookingsConsumer {
    pub notifications: Arc<dyn Notifications>,
    /// Signals that notifications are due.
    pub due: Arc<Notify>,
}

#[async_trait]
impl Consumer for BookingsConsumer {
    type Message = BookingFact;

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<BookingFact>> {
        BookingFact::decode(kind, body)
    }

    async fn handle(&self, batch: &[Received<BookingFact>]) -> Result<(), HandleError> {
        let notifications: Vec<_> =
            batch.iter().map(|received| notification(&received.message)).collect();
        self.notifications.add(&notifications, karcis_process::now()).await?;
        self.due.notify_one();
        Ok(())
    }
}
