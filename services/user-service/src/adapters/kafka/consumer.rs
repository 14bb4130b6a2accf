//! Reads booking-service's facts and the tickets to mail, and stores a notification for each.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{BookingFact, Message, TicketMail};
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::now;
use tokio::sync::Notify;

use super::messages::{notification, tickets};
use crate::{application::Notifications, domain::Notification};

/// Stores what buyers are to be notified of.
pub(crate) struct BookingFacts {
    pub notifications: Arc<dyn Notifications>,
    /// Signals that notifications are due.
    pub due: Arc<Notify>,
}

#[async_trait]
impl Consumer for BookingFacts {
    /// `None` for a fact that nobody is notified of.
    type Message = Option<Notification>;

    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Option<Notification>>> {
        Ok(match topic {
            TicketMail::TOPIC => TicketMail::decode(kind, body)?.map(tickets).map(Some),
            _ => BookingFact::decode(kind, body)?.map(notification),
        })
    }

    async fn handle(&self, batch: &[Received<Option<Notification>>]) -> Result<(), HandleError> {
        let notifications: Vec<_> =
            batch.iter().filter_map(|received| received.message.clone()).collect();
        self.notifications.add(&notifications, now()).await?;
        self.due.notify_one();
        Ok(())
    }
}
