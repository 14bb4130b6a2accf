//! Work that is done again and again.

use std::{convert::Infallible, future::Future, time::Duration};

use karcis_process::CancellationToken;
use tokio::time::MissedTickBehavior;

use crate::application::ports::StoreError;

/// Does `work` at once and then every `period`, until `stopping`, which also interrupts it. A
/// failure is logged; the next time comes.
pub async fn regularly<F>(
    name: &'static str,
    period: Duration,
    stopping: CancellationToken,
    work: impl Fn() -> F,
) -> Result<(), Infallible>
where
    F: Future<Output = Result<(), StoreError>>,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = async {
            ticks.tick().await;
            work().await
        };
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            done = done => if let Err(error) = done {
                tracing::warn!(%error, "{name} failed");
            },
        }
    }
}
