//! What a service does with the messages it reads, and why it could not.

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_kernel::Bug;
use karcis_process::chain;
use uuid::Uuid;

/// A decoded message with what its headers say.
#[derive(Clone, Debug)]
pub struct Received<M> {
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
    /// Others have the rows of some of its messages locked, for longer than a batch can wait. These are
    /// held back with all later ones of their keys and come again, and what is of other keys goes on.
    #[error("others have its rows locked: {why}")]
    Contended {
        /// Their indexes in the batch; all others are handled. Who names one names the later ones of its
        /// key, too. `None` if nobody knows which these are: the messages are then handled one at a time.
        open: Option<Vec<usize>>,
        why: String,
    },
    /// The service itself cannot work now: the batch is retried in place, with backoff.
    #[error("try again later: {0}")]
    Unavailable(String),
}

impl HandleError {
    /// What became of a batch that is handled but for the messages of these indexes, whose rows others have
    /// locked.
    pub fn all_but(open: Vec<usize>) -> Result<(), Self> {
        let why = || format!("{} of its messages wait", open.len());
        if open.is_empty() { Ok(()) } else { Err(Self::Contended { why: why(), open: Some(open) }) }
    }
}

impl From<StoreError> for HandleError {
    /// What the store rejects is poison.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Busy(cause) => {
                Self::Unavailable(chain(&cause))
            }
            StoreError::Contended(cause) => Self::Contended { open: None, why: chain(&cause) },
            StoreError::RejectedByStore(cause) if Bug::RejectionRetried.is_planted() => {
                Self::Unavailable(chain(&cause))
            }
            StoreError::RejectedByStore(cause) => Self::Poison(chain(&cause)),
        }
    }
}

/// What a service does with the messages it reads, all in one consumer group.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// An enum where the service reads several topics.
    type Message: Clone + Send + Sync + 'static;

    /// `None` for a type that the service does not read.
    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Self::Message>>;

    /// Handles up to 1,000 messages with 4 MiB of bodies, those with the same key in their order; see
    /// [`parts`](crate::parts) for what may be larger than its message. It is repeated after any
    /// error, so a repetition must be harmless. The messages' traces are in scope (`trace::of`).
    async fn handle(&self, batch: &[Received<Self::Message>]) -> Result<(), HandleError>;
}
