//! What is measured of the database each second: its clock, and the connections in use.

use std::{convert::Infallible, time::Duration};

use karcis_process::CancellationToken;
use metrics::{Unit, describe_gauge, gauge};
use tokio::time::{MissedTickBehavior, interval};

use crate::{Clock, Pools};

const CONNECTIONS: &str = "karcis_database_connections";
const CONNECTIONS_MAX: &str = "karcis_database_connections_max";
const CLOCK_OFFSET: &str = "karcis_clock_offset_seconds";

/// Reads the database's clock and shows what the pools hold each second, until `stopping`.
pub async fn watch(
    pools: Pools,
    clock: Clock,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    describe_gauge!(CONNECTIONS, "Connections, by pool, and by state: idle or used.");
    describe_gauge!(CONNECTIONS_MAX, "Connections the pool may have.");
    describe_gauge!(
        CLOCK_OFFSET,
        Unit::Seconds,
        "How far this machine's clock is ahead of the database's."
    );
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(seconds.tick()).await.is_some() {
        for (name, pool) in pools.named() {
            let (idle, used, most) = pool.count();
            gauge!(CONNECTIONS, "pool" => name, "state" => "idle").set(idle);
            gauge!(CONNECTIONS, "pool" => name, "state" => "used").set(used);
            gauge!(CONNECTIONS_MAX, "pool" => name).set(most);
        }
        // The time goes on from the last reading.
        let reading = stopping.run_until_cancelled(clock.read(&pools.saga));
        if let Some(Err(error)) = reading.await {
            tracing::debug!(%error, "the database's clock cannot be read");
        }
        gauge!(CLOCK_OFFSET).set(clock.offset_seconds());
    }
    Ok(())
}
