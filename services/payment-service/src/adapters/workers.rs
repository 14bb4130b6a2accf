//! Background work: payments that need the provider, housekeeping.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, chain, now};
use tokio::{
    sync::Notify,
    time::{interval, timeout},
};

use super::{metrics, postgres::PgPayments};
use crate::application::{AskReport, PaymentGateway, ask_provider};

/// The tasks that ask the provider, each of money that is to go back or not: one that waits for a slow answer holds
/// up only its own share, and a cancelled event's refunds, which may be thousands, nobody who pays.
pub(crate) const ASKING: [(&str, bool); 5] = [
    ("ask provider 1", false),
    ("ask provider 2", false),
    ("ask provider 3", false),
    ("ask provider 4", false),
    ("ask provider to refund", true),
];
/// How many payments each asks about at a time, and how many refunds.
const AT_A_TIME: u16 = 64;
const REFUNDS_AT_A_TIME: u16 = 8;
/// How long a worker rests without a signal: what another instance left is found by then.
const REST: Duration = Duration::from_secs(1);
/// How often what waits is counted and expired keys are deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Asks the provider about payments that need it, of those whose money is to go back or of the others, at every
/// `signal`, until `stopping`. Refunds pause while the outbox has no room for bulk work.
pub(crate) async fn run_asking(
    (payments, gateway): (Arc<PgPayments>, Arc<dyn PaymentGateway>),
    (outbox, refunds): (Outbox, bool),
    signal: Arc<Notify>,
    alive: impl Fn() + Send,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    while !stopping.is_cancelled() {
        alive();
        let limit = if refunds { REFUNDS_AT_A_TIME } else { AT_A_TIME };
        let mut has_more = false;
        if !refunds || outbox.room_for_bulk_work() >= usize::from(limit) {
            let mut report = AskReport::default();
            let asking = ask_provider(&*payments, &*gateway, refunds, limit, &mut report);
            has_more = asking.await.unwrap_or_else(|error| {
                tracing::warn!(error = %chain(&error), "the provider is not asked in this pass");
                false
            });
            log(report);
        }
        if !has_more {
            stopping.run_until_cancelled(timeout(REST, signal.notified())).await;
        }
    }
    Ok(())
}

/// Counts what waits for the provider or an operator and deletes expired keys, until `stopping`.
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
        match payments.unresolved().await {
            Ok(count) => metrics::show_unresolved(count),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "what is open is not counted until the next tick")
            }
        }
        if let Err(error) = payments.purge_keys(now(), &stopping).await {
            tracing::warn!(error = %chain(&error), "expired keys wait for the next tick");
        }
    }
    Ok(())
}

fn log(report: AskReport) {
    for error in report.unstored {
        tracing::warn!(error = %chain(&error), "an answer of the provider could not be stored");
    }
    if let Some(error) = report.unavailable.first() {
        let count = report.unavailable.len();
        tracing::warn!(%error, count, "the provider could not be asked");
    }
    metrics::count_refused(report.refused.len());
    for refused in report.refused {
        tracing::error!(
            booking_id = %refused.booking_id, kind = ?refused.kind, reason = refused.reason,
            "the provider refuses a refund: settle it by hand"
        );
    }
}
