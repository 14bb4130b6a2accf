//! Three brokers, and a database server with its synchronous standby, of a test's own.

use std::path::PathBuf;

pub use karcis_dev_servers::{
    kafka::BROKERS,
    postgres::{Member, PostgresPair},
};
use karcis_dev_servers::{
    kafka::{KafkaCluster, USER},
    secret,
};
use karcis_messaging::KafkaSecurity;
use uuid::Uuid;

use crate::{eventually, lifetime::Lifetime};

fn folder() -> PathBuf {
    Lifetime::of_this_process().data.join(format!("cluster-{}", Uuid::now_v7()))
}

/// A database server with its synchronous standby of a test's own, which has all there is.
pub async fn postgres_pair() -> PostgresPair {
    let pair = PostgresPair::start(&folder()).await.expect("both start");
    eventually(|| pair.is_in_sync()).is(true).await;
    pair
}

/// Servers of which one may die at any time. They are child processes, whatever the shared servers run in.
pub struct Cluster {
    pub kafka: KafkaCluster,
    pub postgres: PostgresPair,
    password: String,
}

impl Cluster {
    /// Starts all.
    pub async fn start() -> Self {
        Self::start_behind(async |ports| ports).await
    }

    /// The same with proxies before the brokers: `ways` is told their ports, and says to which all come in their
    /// place.
    pub async fn start_behind(ways: impl AsyncFnOnce([u16; BROKERS]) -> [u16; BROKERS]) -> Self {
        let folder = folder();
        let password = secret::draw();
        let (kafka, postgres) = tokio::try_join!(
            KafkaCluster::start_behind(&folder, &password, ways),
            PostgresPair::start(&folder),
        )
        .expect("the servers start");
        Self { kafka, postgres, password }
    }

    pub(crate) fn kafka_security(&self) -> KafkaSecurity {
        KafkaSecurity::plain(USER, &self.password)
    }

    /// Whether what is acknowledged is everywhere it has to be: then any one server may die.
    pub async fn is_in_sync(&self) -> bool {
        self.kafka.is_in_sync().await && self.postgres.is_in_sync().await
    }
}
