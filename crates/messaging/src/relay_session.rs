//! The database session by which an instance owns an outbox, and why it ends.

use std::time::Duration;

use rdkafka::error::KafkaError as ClientError;
use tokio::time::timeout;

use crate::KafkaError;

/// The server ends a session without a sign of life after this time, so no later answer counts.
pub(crate) const SESSION: Duration = Duration::from_secs(5);
/// Within this the relay shows a sign of life, whatever it waits for.
pub(crate) const GOES_ON: Duration = Duration::from_secs(60);

/// Why this instance no longer sends the outbox, or not with this producer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database did not answer within 5 s")]
    DatabaseSilent,
    #[error("another database server takes the writes now")]
    Replaced,
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    #[error("a message was not acknowledged: {0}")]
    NotAcknowledged(ClientError),
    #[error("the producer has lost the broker")]
    Lost,
    #[error("stopped before the broker acknowledged everything")]
    Stopped,
}

/// The database's answer, unless it comes too late for this session to be alive.
pub(crate) async fn answered<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, RelayError> {
    match timeout(SESSION, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(RelayError::DatabaseSilent),
    }
}
