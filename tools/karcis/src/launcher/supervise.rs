//! Starts again what dies.

use std::{process::ExitStatus, time::Duration};

use karcis_dev_servers::ServerError;
use karcis_process::CancellationToken;
use tokio::time::Instant;

use super::{state::State, terminal::print};

/// A part that runs.
pub(super) trait Runs: Send + 'static {
    /// Its process.
    fn pid(&self) -> u32;

    /// Waits for its end.
    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static;

    /// Stops it in order.
    fn stop(self) -> impl Future<Output = ()> + Send;
}

/// Keeps the part running until `stopping`, then stops it.
pub(super) async fn keep_running<R: Runs, S>(
    name: &'static str,
    mut running: R,
    start: impl Fn() -> S + Send,
    state: &State,
    stopping: CancellationToken,
) where
    S: Future<Output = Result<R, ServerError>> + Send,
{
    let mut backoff = Backoff::default();
    loop {
        state.note_pid(name, running.pid());
        let started = Instant::now();
        let how = tokio::select! {
            () = stopping.cancelled() => return running.stop().await,
            status = running.exited() => status.to_string(),
        };
        drop(running);
        let mut why = format!("ended ({how})");
        let mut lived = started.elapsed();
        running = loop {
            let pause = backoff.after(lived);
            print(format!("{name} {why}; starting it again in {} s", pause.as_secs_f64()));
            let restart = async {
                tokio::time::sleep(pause).await;
                start().await
            };
            let restarted = tokio::select! {
                () = stopping.cancelled() => return,
                restarted = restart => restarted,
            };
            match restarted {
                Ok(running) => break running,
                Err(error) => {
                    why = format!("cannot be started ({error})");
                    lived = Duration::ZERO;
                }
            }
        };
        print(format!("{name} runs again, process {}", running.pid()));
    }
}

/// How long to wait before the next start.
#[derive(Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after a run of this length: 0.2 s, doubling to 5 s, and 0.2 s again after a run of
    /// more than 10 s.
    fn after(&mut self, lived: Duration) -> Duration {
        if lived > Duration::from_secs(10) {
            self.failures = 0;
        }
        let pause = Duration::from_millis(200 << self.failures).min(Duration::from_secs(5));
        self.failures = (self.failures + 1).min(5);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_run_lasts() {
        let mut backoff = Backoff::default();
        let mut after = |seconds| backoff.after(Duration::from_secs(seconds)).as_millis();
        let pauses: Vec<_> = [0, 0, 10, 0, 0, 0, 0, 11, 0].map(&mut after).into();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000, 200, 400]);
    }
}
