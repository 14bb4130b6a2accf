//! Whether a service's database answers, for `/readyz`.

use async_trait::async_trait;
use karcis_process::Readiness;

use crate::Pool;

/// Ready while the database answers.
#[derive(Clone, Debug)]
pub struct DatabaseReadiness(pub Pool);

#[async_trait]
impl Readiness for DatabaseReadiness {
    async fn ready(&self) -> Result<(), String> {
        let answer = sqlx::query("SELECT 1").execute(&self.0).await;
        answer.map(drop).map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "the database does not answer".to_owned()
        })
    }
}
