//! Servers as child processes.

use std::path::Path;

use karcis_dev_servers::{
    ServerError,
    kafka::{self, Kafka, KafkaOptions},
    postgres::{Postgres, PostgresOptions},
};

use crate::lifetime::Lifetime;

/// A Postgres on a free port.
pub(crate) async fn postgres(lifetime: &Lifetime) -> Result<Postgres, ServerError> {
    Postgres::start(PostgresOptions {
        data: lifetime.data.join("postgres"),
        port: 0,
        durable: false,
        outlives_parent: lifetime.outlives_this_process,
    })
    .await
}

/// A Postgres that loses nothing when it is killed; port 0 takes a free one. It may have a library loaded
/// before all others.
pub(crate) async fn durable_postgres(
    lifetime: &Lifetime,
    name: &str,
    port: u16,
    library: Option<&Path>,
) -> Result<Postgres, ServerError> {
    let options = PostgresOptions {
        data: lifetime.data.join(name),
        port,
        durable: true,
        outlives_parent: lifetime.outlives_this_process,
    };
    match library {
        Some(library) => Postgres::start_preloading(library, options).await,
        None => Postgres::start(options).await,
    }
}

/// A Kafka whose data is in the folder of this name, with this password; port 0 takes a free one. It may have
/// a library loaded before all others.
pub(crate) async fn kafka(
    lifetime: &Lifetime,
    name: &str,
    port: u16,
    password: &str,
    library: Option<&Path>,
) -> Result<Kafka, ServerError> {
    let data = lifetime.data.join(name);
    kafka::keep_password(&data, password)?;
    let options = KafkaOptions { data, port, outlives_parent: lifetime.outlives_this_process };
    match library {
        Some(library) => Kafka::start_preloading(library, options).await,
        None => Kafka::start(options).await,
    }
}
