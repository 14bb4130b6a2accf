//! Work that no request waits for: sending e-mails and deleting expired rows.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_database::Pool;
use karcis_http::TokenKeys;
use karcis_process::{CancellationToken, chain, now};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{access_tokens::AccessTokens, postgres};
use crate::{
    application::{self, MailCounts, MailQueue, Notifier, SecurityLog},
    domain::SecurityEvent,
};

/// How often e-mails are looked for without a signal: those to be tried again, and those of
/// instances that died.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often expired rows are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// What sends e-mails.
pub(crate) struct Mails {
    /// The more urgent ones first.
    pub queues: [Arc<dyn MailQueue>; 2],
    pub counts: Arc<dyn MailCounts>,
    pub notifier: Arc<dyn Notifier>,
    /// Signals that e-mails are due.
    pub due: Arc<Notify>,
}

impl Mails {
    /// Sends what is due at each signal and each second, until `stopping`. A batch that is being sent
    /// then is finished first, so that nothing is sent twice. A mail server that is slow or unavailable
    /// does not hold up the consumer.
    pub(crate) async fn send(
        self,
        alive: impl Fn() + Send,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        let next = || timeout(LOOK_AGAIN, self.due.notified());
        while stopping.run_until_cancelled(next()).await.is_some() {
            for queue in &self.queues {
                alive();
                match application::send_mails(&**queue, &*self.counts, &*self.notifier, now()).await
                {
                    Ok(true) => self.due.notify_one(),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(error = %chain(&error), "e-mails cannot be sent now");
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads the signing keys again at each interval, and when a token names an unknown one or others fetch
/// them, until `stopping`: another instance may have made the first, and an operator adds and removes
/// some. While they cannot be read, those from before are used.
pub(crate) async fn reread_keys(
    pool: Pool,
    access_tokens: Arc<AccessTokens>,
    keys: TokenKeys,
    security: Arc<dyn SecurityLog>,
    every: Duration,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let reading = async || loop {
        let began_at = now();
        match postgres::signing_keys(&pool).await {
            Ok(stored) => {
                let publish = |all: &_| keys.replace(all, began_at);
                match access_tokens.replace(&stored, publish) {
                    Ok(Some(key_id)) => {
                        security.note(SecurityEvent::KeyChanged { key_id: &key_id });
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(error = %chain(&error), "the signing keys are not replaced");
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the signing keys cannot be read now");
            }
        }
        keys.until_due(every).await;
    };
    stopping.run_until_cancelled(reading()).await;
    Ok(())
}

/// Deletes expired rows at once and every ten minutes, until `stopping`, which also interrupts a
/// deletion.
pub(crate) async fn purge(pool: Pool, stopping: CancellationToken) -> Result<(), Infallible> {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let purging = postgres::purge(&pool, now());
        if let Some(Err(error)) = stopping.run_until_cancelled(purging).await {
            tracing::warn!(error = %chain(&error), "expired rows cannot be deleted now");
        }
    }
    Ok(())
}
