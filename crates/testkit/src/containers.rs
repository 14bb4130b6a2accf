//! Servers in containers. testcontainers removes none that a static holds, so a guard does.

use std::{sync::LazyLock, time::Duration};

use testcontainers_modules::{
    kafka::apache,
    postgres,
    testcontainers::{ContainerAsync, ImageExt, core::IntoContainerPort, runners::AsyncRunner},
};
use uuid::Uuid;

use crate::{guard, servers::Failure};

/// Time for a start on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(300);

/// The label of this process's containers.
const LABEL: &str = "karcis.tests";

/// The label's value, with a guard that removes whatever carries it.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let run = Uuid::now_v7().to_string();
    let script = format!(
        r#"cat >/dev/null
        docker ps -aq --filter "label={LABEL}=$1" | xargs -r docker rm -f -v"#
    );
    guard::after_this_process(&script, &run).expect("a shell starts");
    run
});

/// A Postgres, with the superuser's URL of database `postgres`.
pub async fn postgres() -> Result<(String, ContainerAsync<postgres::Postgres>), Failure> {
    let settings = [
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "autovacuum=off",
        "max_connections=500",
        "shared_buffers=128MB",
    ];
    let container = postgres::Postgres::default()
        .with_tag("17-alpine")
        .with_startup_timeout(START_PATIENCE)
        .with_cmd(settings.into_iter().flat_map(|setting| ["-c", setting]))
        // Not scram-sha-256, whose client side takes 60 ms of CPU per connection in a debug build.
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "password")
        .with_label(LABEL, RUN.as_str())
        .start()
        .await?;
    let (host, port) =
        (container.get_host().await?, container.get_host_port_ipv4(5432.tcp()).await?);
    Ok((format!("postgres://postgres:postgres@{host}:{port}/postgres"), container))
}

/// A Kafka on this port of the host or on a free one, with its `host:port`.
pub async fn kafka(port: Option<u16>) -> Result<(String, ContainerAsync<apache::Kafka>), Failure> {
    let mut request = apache::Kafka::default()
        .with_jvm_image()
        .with_tag("4.3.1")
        .with_startup_timeout(START_PATIENCE)
        .with_env_var("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .with_env_var("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .with_env_var("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1")
        .with_label(LABEL, RUN.as_str());
    if let Some(port) = port {
        request = request.with_mapped_port(port, apache::KAFKA_PORT);
    }
    let container = request.start().await?;
    let port = container.get_host_port_ipv4(apache::KAFKA_PORT).await?;
    Ok((format!("127.0.0.1:{port}"), container))
}
