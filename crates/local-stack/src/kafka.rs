//! Apache Kafka (KRaft, one node) as a child process.

use std::path::PathBuf;

use crate::StackError;

/// A running broker, stopped when dropped or when this process dies.
pub struct Kafka {
    _private: (),
}

/// How to run it.
pub struct KafkaOptions {
    /// Where its log lives; made if missing.
    pub data: PathBuf,
    /// The port; 0 takes a free one.
    pub port: u16,
}

impl Kafka {
    /// Starts it and waits until it accepts connections.
    pub async fn start(_options: KafkaOptions) -> Result<Self, StackError> {
        todo!()
    }

    /// `host:port`.
    pub fn bootstrap_servers(&self) -> String {
        todo!()
    }

    /// The broker's process id.
    pub fn pid(&self) -> u32 {
        todo!()
    }

    /// Stops it in order and waits for its end.
    pub async fn stop(self) -> Result<(), StackError> {
        todo!()
    }
}
