//! What a program says when it is asked whether it can serve.

use async_trait::async_trait;

/// Whether a part that a service needs can work now.
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// `Err` says what is missing.
    async fn ready(&self) -> Result<(), String>;
}
