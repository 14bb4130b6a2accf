//! Background work: attempts without an outcome, wanted cancels, refunds, old keys.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_process::{CancellationToken, chain, now};
use tokio::{sync::Notify, time::timeout};

use super::metrics;
use crate::{
    adapters::postgres::PgPayments,
    application::{
        RefundReport, ports::PaymentGateway, refund_payments, resolve_attempts, void_attempts,
    },
};

/// How long a worker rests without a signal: what another instance left is found by then.
const REST: Duration = Duration::from_secs(1);
/// How often old idempotency keys are deleted.
const PURGE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How many of them a statement deletes.
const PURGED_AT_ONCE: u16 = 1_000;

/// The stored payments, and the provider that is asked about them.
#[derive(Clone)]
pub(crate) struct Worker {
    pub payments: Arc<PgPayments>,
    pub gateway: Arc<dyn PaymentGateway>,
    /// Cancelled when the service stops.
    pub stopping: CancellationToken,
}

impl Worker {
    /// Asks the provider again about attempts that have had no outcome for longer than `age`.
    pub(crate) async fn resolve(self, age: Duration) -> Result<(), Infallible> {
        while self.goes_on() {
            match resolve_attempts(&*self.payments, &*self.gateway, now() - age).await {
                Ok(unresolved) => metrics::show_unresolved(unresolved),
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "attempts could not be resolved")
                }
            }
            self.rest(REST, &Notify::new()).await;
        }
        Ok(())
    }

    /// Voids intents at every `signal`.
    pub(crate) async fn void(self, signal: Arc<Notify>) -> Result<(), Infallible> {
        while self.goes_on() {
            if let Err(error) = void_attempts(&*self.payments, &*self.gateway).await {
                tracing::warn!(error = %chain(&error), "attempts could not be voided");
            }
            self.rest(REST, &signal).await;
        }
        Ok(())
    }

    /// Sends money back at every `signal`.
    pub(crate) async fn refund(self, signal: Arc<Notify>) -> Result<(), Infallible> {
        while self.goes_on() {
            match refund_payments(&*self.payments, &*self.gateway).await {
                Ok(report) => log_refunds(report),
                Err(error) => tracing::warn!(error = %chain(&error), "refunds could not be stored"),
            }
            self.rest(REST, &signal).await;
        }
        Ok(())
    }

    /// Deletes idempotency keys that are too old to be repeated.
    pub(crate) async fn purge_keys(self) -> Result<(), Infallible> {
        while self.goes_on() {
            match self.payments.purge_keys(now(), PURGED_AT_ONCE).await {
                Ok(purged) if purged >= u64::from(PURGED_AT_ONCE) => continue,
                Ok(_) => {}
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(%error, "old idempotency keys could not be deleted");
                }
            }
            self.rest(PURGE_INTERVAL, &Notify::new()).await;
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.stopping.is_cancelled()
    }

    /// Until the time is over, a signal comes, or the service stops.
    async fn rest(&self, time: Duration, signal: &Notify) {
        let resting = timeout(time, signal.notified());
        self.stopping.run_until_cancelled(resting).await;
    }
}

fn log_refunds(report: RefundReport) {
    if let Some(error) = report.unavailable.first() {
        let count = report.unavailable.len();
        tracing::warn!(%error, count, "the provider could not be asked for refunds");
    }
    metrics::count_refused(report.refused.len());
    for refused in report.refused {
        tracing::error!(
            booking_id = %refused.booking_id, kind = ?refused.kind, reason = refused.reason,
            "the provider refuses a refund: settle it by hand"
        );
    }
}
