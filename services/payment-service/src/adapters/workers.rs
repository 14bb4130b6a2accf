//! Background work: attempts without an outcome, wanted cancels, refunds, housekeeping.

use std::{convert::Infallible, mem, sync::Arc, time::Duration};

use karcis_database::StoreError;
use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, chain, now};
use tokio::{
    sync::Notify,
    time::{interval, timeout},
};

use super::{metrics, postgres::PgPayments};
use crate::application::{
    PaymentGateway, RefundReport, Waiting, refund_payments, resolve_attempts, void_attempts,
};

/// How long a worker rests without a signal: what another instance left is found by then.
const REST: Duration = Duration::from_secs(1);
/// How many payments the provider is asked about at a time.
const AT_A_TIME: u16 = 256;
/// A buyer may take hours to act: only in every 30th pass the provider is asked about them.
const PASSES_PER_ACTION: u32 = 30;
/// How often refused refunds are counted and expired keys deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Asks the provider again about attempts that have had no outcome for longer than `age`, until
/// `stopping`.
pub(crate) async fn run_resolving(
    payments: Arc<PgPayments>,
    gateway: Arc<dyn PaymentGateway>,
    age: Duration,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let (mut page, mut pass, mut unresolved) = (None, 0_u32, 0);
    while !stopping.is_cancelled() {
        let with_actions = pass.is_multiple_of(PASSES_PER_ACTION);
        let waiting = Waiting::Outcome { before: now() - age, with_actions };
        match resolve_attempts(&*payments, &*gateway, waiting, page.take(), AT_A_TIME).await {
            Ok(resolved) => {
                unresolved += resolved.unresolved;
                log_unstored(resolved.unstored);
                page = resolved.next;
                if page.is_none() {
                    metrics::show_unresolved(mem::take(&mut unresolved));
                    pass = pass.wrapping_add(1);
                }
            }
            Err(error) => {
                unresolved = 0;
                tracing::warn!(error = %chain(&error), "attempts could not be resolved");
            }
        }
        if page.is_none() {
            rest(&Notify::new(), &stopping).await;
        }
    }
    Ok(())
}

/// Voids intents at every `signal`, until `stopping`.
pub(crate) async fn run_voiding(
    payments: Arc<PgPayments>,
    gateway: Arc<dyn PaymentGateway>,
    signal: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut page = None;
    while !stopping.is_cancelled() {
        match void_attempts(&*payments, &*gateway, page.take(), AT_A_TIME).await {
            Ok((unstored, next)) => {
                log_unstored(unstored);
                page = next;
            }
            Err(error) => tracing::warn!(error = %chain(&error), "attempts could not be voided"),
        }
        if page.is_none() {
            rest(&signal, &stopping).await;
        }
    }
    Ok(())
}

/// Sends money back at every `signal`, until `stopping`. Pauses while the outbox is behind, as a
/// cancelled event may have thousands of refunds.
pub(crate) async fn run_refunding(
    payments: Arc<PgPayments>,
    gateway: Arc<dyn PaymentGateway>,
    outbox: Outbox,
    signal: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut page = None;
    while !stopping.is_cancelled() {
        let after = page.take();
        if !outbox.state().is_behind() {
            let mut report = RefundReport::default();
            let refunding = refund_payments(&*payments, &*gateway, after, AT_A_TIME, &mut report);
            match refunding.await {
                Ok(next) => page = next,
                Err(error) => tracing::warn!(error = %chain(&error), "refunds could not be loaded"),
            }
            log_refunds(report);
        }
        if page.is_none() {
            rest(&signal, &stopping).await;
        }
    }
    Ok(())
}

/// Counts refused refunds and deletes expired keys, until `stopping`.
pub(crate) async fn keep_house(
    payments: Arc<PgPayments>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(HOUSEKEEPING);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        match payments.stuck_refunds().await {
            Ok(stuck) => metrics::show_stuck(stuck),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "refused refunds are not counted until the next tick")
            }
        }
        if let Err(error) = payments.purge_keys(now(), &stopping).await {
            tracing::warn!(error = %chain(&error), "expired keys wait for the next tick");
        }
    }
    Ok(())
}

/// Until the time is over, a signal comes, or the service stops.
async fn rest(signal: &Notify, stopping: &CancellationToken) {
    stopping.run_until_cancelled(timeout(REST, signal.notified())).await;
}

fn log_unstored(error: Option<StoreError>) {
    if let Some(error) = error {
        tracing::warn!(error = %chain(&error), "an answer of the provider could not be stored");
    }
}

fn log_refunds(report: RefundReport) {
    log_unstored(report.unstored);
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
