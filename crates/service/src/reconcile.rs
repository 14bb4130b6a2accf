//! The reconciler: compares, all the time and slowly, what should agree. What differs is listed, counted and
//! alerted, and never mended.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_database::{
    Compared, Pool, Reconcile, StoreError, differs_longest, end_turn, open_differences,
    record_agreement, record_differences, take_turn,
};
use karcis_process::{CancellationToken, chain};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// A turn that finds nothing more to compare begins again after this, and what differs is compared again.
const ROUND_PAUSE: Duration = Duration::from_secs(60);
/// A turn is at most this part of the time.
const PART: u32 = 20;
/// How often what is open is counted.
const COUNT: Duration = Duration::from_secs(5);

/// How fast the reconciler goes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ReconcileConfig {
    /// The pause between two things that the reconciler compares, in milliseconds
    #[arg(long, env = "KARCIS_RECONCILE_EVERY_MS", default_value_t = 1_000, value_name = "MS",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub reconcile_every_ms: u32,
    /// How many seconds a booking or payment has to be at rest before it is compared
    #[arg(long, env = "KARCIS_RECONCILE_AFTER_S", default_value_t = 600, value_name = "SECONDS")]
    pub reconcile_after_s: u32,
}

impl ReconcileConfig {
    /// How long something has to be at rest.
    pub fn at_rest(&self) -> Duration {
        Duration::from_secs(self.reconcile_after_s.into())
    }
}

/// Compares until `stopping`, with the other instances in turns.
pub(crate) async fn reconcile<R: Reconcile>(
    what: Arc<R>,
    pool: Pool,
    config: ReconcileConfig,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    describe::<R>();
    let pause = Duration::from_millis(config.reconcile_every_ms.into());
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count_at = Instant::now();
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = turn(&*what, &pool, pause).await {
            let (kind, error) = (R::KIND, chain(&error));
            tracing::warn!(kind, %error, "the reconciler waits for its next turn");
        }
        if count_at <= Instant::now() {
            count_at = Instant::now() + COUNT.min(pause * 5);
            for &kind in R::KINDS {
                if let Ok(open) = open_differences(&pool, kind).await {
                    gauge!("karcis_differences", "kind" => kind).set(open as f64);
                }
            }
        }
    }
    Ok(())
}

async fn turn<R: Reconcile>(what: &R, pool: &Pool, pause: Duration) -> Result<(), StoreError> {
    // Should this instance end, another goes on after a while.
    let Some(after) = take_turn(pool, R::KIND, pause.max(ROUND_PAUSE)).await? else {
        return Ok(());
    };
    let began = Instant::now();
    let round_pause = ROUND_PAUSE.min(pause * 60);
    let again = differs_longest(pool, R::KINDS, round_pause).await?;
    let Compared { differs, agrees, asked, next } = what.compare(after, again).await?;
    counter!("karcis_compared_total", "kind" => R::KIND)
        .increment((differs.len() + agrees.len() + asked) as u64);
    for (subject, detail) in &differs {
        tracing::error!(kind = R::KIND, %subject, detail, "the reconciler found a difference");
    }
    record_differences(pool, R::KIND, &differs).await?;
    record_agreement(pool, R::KIND, &agrees).await?;
    let pause = match next {
        Some(_) => pause.max(began.elapsed() * PART),
        None => round_pause,
    };
    end_turn(pool, R::KIND, next.unwrap_or_default(), pause).await
}

fn describe<R: Reconcile>() {
    describe_counter!("karcis_compared_total", "Things that the reconciler compared.");
    describe_gauge!("karcis_differences", "Differences that the reconciler found, up to 10,000.");
    counter!("karcis_compared_total", "kind" => R::KIND).increment(0);
    for &kind in R::KINDS {
        gauge!("karcis_differences", "kind" => kind).set(0.0);
    }
}
