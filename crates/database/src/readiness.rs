//! Whether a service's database answers, for `/readyz`.

use async_trait::async_trait;
use futures_util::future::select_ok;
use karcis_process::Readiness;
use sqlx::Executor;

use crate::Pools;

/// Ready while the database answers.
#[derive(Clone, Debug)]
pub struct DatabaseReadiness(pub Pools);

#[async_trait]
impl Readiness for DatabaseReadiness {
    async fn ready(&self) -> Result<(), String> {
        // One is enough: readers may have all connections of the one, and all of the other may wait for a standby.
        let pools = [&self.0.reads, &self.0.saga];
        let answer = select_ok(pools.map(|pool| pool.execute("SELECT 1"))).await;
        answer.map(drop).map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "the database does not answer".to_owned()
        })
    }
}
