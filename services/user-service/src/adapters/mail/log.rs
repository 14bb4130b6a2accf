//! A notifier for where no mail is sent: a line in the log for each notice.

use async_trait::async_trait;

use super::tell;
use crate::{application::ports::Notifier, domain::Due};

/// Logs the booking and what became of it; never a name or an address.
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn tell(&self, due: &[Due]) -> Vec<bool> {
        for one in due {
            let (booking, kind) = (one.notice.booking_id, one.notice.kind.as_str());
            tell(one, async { tracing::info!(booking_id = %booking, kind, "told the buyer") })
                .await;
        }
        vec![true; due.len()]
    }
}
