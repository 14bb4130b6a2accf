//! Takes what is there, many at a time, and commits offsets after the batch is handled.

use async_trait::async_trait;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Kafka;

/// A decoded message with what its headers say.
#[derive(Clone, Debug)]
pub struct Received<M> {
    /// The message.
    pub message: M,
    /// The CloudEvents id, for logs.
    pub id: String,
    /// The booking it belongs to.
    pub correlation: Option<Uuid>,
}

/// Why a batch was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// One of its messages can never be handled: the batch is bisected down to it.
    #[error("message cannot be handled: {0}")]
    Poison(String),
    /// The service itself cannot work now: the batch is retried in place, with backoff.
    #[error("try again later: {0}")]
    Unavailable(String),
}

impl From<sqlx::Error> for HandleError {
    /// SQLSTATE 22 and 23 are the data's fault, everything else may heal.
    fn from(_error: sqlx::Error) -> Self {
        todo!()
    }
}

/// A service's inbound side: one consumer group over all the topics it reads.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// One of the messages it reads; an enum where it reads several topics.
    type Message: Clone + Send + Sync + 'static;

    /// The topics, without a deployment's prefix.
    fn topics(&self) -> &'static [&'static str];

    /// The message; `None` for a type it does not read.
    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Self::Message>>;

    /// Handles up to 1,000 messages in their order (per key). Repeated after any error, so it has
    /// to bear repetition; the traces of the messages are in scope (`trace::of`).
    async fn handle(&self, batch: &[Received<Self::Message>]) -> Result<(), HandleError>;
}

impl Kafka {
    /// Consumes as group `service` until `stopping`. Poison goes to table `dead_letter` of the
    /// service's schema in `pool`. Survives every outage of broker and database.
    pub async fn consume(
        self,
        _service: &'static str,
        _pool: PgPool,
        _consumer: impl Consumer,
        _stopping: CancellationToken,
    ) -> Result<(), crate::KafkaError> {
        todo!()
    }
}
