//! A notifier for where no mail is sent: it writes a log line for each letter.

use async_trait::async_trait;

use super::traced;
use crate::{
    application::Notifier,
    domain::{Content, Letter},
};

/// Logs what each letter is about, never a name, an address or a token.
pub(super) struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, letters: &[Letter]) -> Vec<bool> {
        for letter in letters {
            let kind = letter.kind();
            let log = async {
                match &letter.content {
                    Content::Booking(of) => {
                        tracing::info!(booking_id = %of.booking_id, kind, "notified the buyer");
                    }
                    Content::Account(..) => {
                        tracing::info!(kind, "a letter is not sent: no mail server is set");
                    }
                }
            };
            traced(letter, log).await;
        }
        vec![true; letters.len()]
    }
}
