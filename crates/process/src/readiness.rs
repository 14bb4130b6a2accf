//! Whether a service can serve.

use async_trait::async_trait;

/// Something that a service needs, such as its database, and whether it works now.
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// `Err` says what is missing.
    async fn ready(&self) -> Result<(), String>;
}
