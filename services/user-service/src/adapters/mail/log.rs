//! A notifier for where no mail is sent: a line in the log for each notice.

use async_trait::async_trait;

use crate::{application::ports::Notifier, domain::Due};

/// Logs the booking and what became of it; never a name or an address.
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn tell(&self, due: &[Due]) -> Vec<bool> {
        for Due { notice, .. } in due {
            tracing::info!(booking_id = %notice.booking_id, kind = notice.kind.as_str(), "told the buyer");
        }
        vec![true; due.len()]
    }
}
