//! Whether the service is ready, found out at most four times a second: anybody may ask, and each answer
//! costs a query.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use karcis_process::Readiness;
use tokio::{sync::Mutex, time::timeout};

const KEPT: Duration = Duration::from_millis(250);
const TIMEOUT: Duration = Duration::from_secs(2);

type Found = Result<(), String>;

/// A readiness, and what was found last. Clones share it.
#[derive(Clone)]
pub(crate) struct RecentReadiness {
    readiness: Arc<dyn Readiness>,
    last: Arc<Mutex<Option<(Instant, Found)>>>,
}

impl RecentReadiness {
    /// Nothing is found yet.
    pub(crate) fn new(readiness: Arc<dyn Readiness>) -> Self {
        Self { readiness, last: Arc::default() }
    }

    /// What was found within the last 250 ms. `Err` says what is missing.
    pub(crate) async fn ready(&self) -> Found {
        let recent = self.clone();
        // A client that hangs up must not stop the look that others wait for.
        let look = tokio::spawn(async move { recent.look().await });
        look.await.unwrap_or_else(|_| Err("whether it is ready cannot be found out".to_owned()))
    }

    async fn look(&self) -> Found {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < KEPT
        {
            return found.clone();
        }
        let found = timeout(TIMEOUT, self.readiness.ready()).await;
        let found = found.unwrap_or_else(|_| Err("no answer within 2 s".to_owned()));
        *last = Some((Instant::now(), found.clone()));
        found
    }
}
