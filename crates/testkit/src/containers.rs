//! Servers in containers. testcontainers removes none that a static holds, so a guard does.

use std::time::Duration;

use testcontainers_modules::{
    kafka::apache,
    postgres,
    testcontainers::{ContainerAsync, ImageExt, core::IntoContainerPort, runners::AsyncRunner},
};

use karcis_dev_servers::{containers::jaas, kafka::USER};

use crate::lifetime::{Failure, Lifetime};

/// Time for a start on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// Clients come by PLAINTEXT, which keeps its name and asks for a password; the broker itself comes by
/// BROKER, which is not published.
const PROTOCOLS: &str = "BROKER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT";

/// The variable of the users of the listener PLAINTEXT.
const JAAS: &str = "KAFKA_LISTENER_NAME_PLAINTEXT_PLAIN_SASL_JAAS_CONFIG";

/// The image's own command runs a script that each start writes again, and so at a second start may run it
/// while it is empty or being written, and end. This one reads it whole, and once.
const COMMAND: &str = "\
    script=/opt/kafka/testcontainers_start.sh
    until grep -qs /etc/kafka/docker/run $script; do sleep 0.1; done
    start=$(cat $script) && rm $script && eval \"$start\"";

/// The label by which a guard finds its containers.
const LABEL: &str = "karcis.tests";

/// The label's value.
fn label(lifetime: &Lifetime) -> std::io::Result<String> {
    std::fs::write(lifetime.folder.join("containers"), "")?;
    Ok(lifetime.folder.display().to_string())
}

/// Whether a database server loses nothing when it is killed.
pub(crate) enum Durable {
    /// It is fast.
    No,
    /// On this port of the host.
    On(u16),
}

/// A Postgres, with the superuser's URL of database `postgres`.
pub(crate) async fn postgres(
    lifetime: &Lifetime,
    password: &str,
    durable: Durable,
) -> Result<(String, ContainerAsync<postgres::Postgres>), Failure> {
    let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"];
    let fast = if matches!(durable, Durable::No) { &fast[..] } else { &[] };
    let settings = [&["max_connections=500", "shared_buffers=128MB"], fast].concat();
    let mut request = postgres::Postgres::default()
        .with_password(password)
        .with_tag("17-alpine")
        .with_startup_timeout(START_TIMEOUT)
        .with_cmd(settings.into_iter().flat_map(|setting| ["-c", setting]))
        .with_label(LABEL, label(lifetime)?);
    if let Durable::On(port) = durable {
        request = request.with_mapped_port(port, 5432.tcp());
    }
    let container = request.start().await?;
    let (host, port) =
        (container.get_host().await?, container.get_host_port_ipv4(5432.tcp()).await?);
    Ok((format!("postgres://postgres:{password}@{host}:{port}/postgres"), container))
}

/// A Kafka on this port of the host or on a free one, with this password, and its `host:port`.
pub(crate) async fn kafka(
    lifetime: &Lifetime,
    port: Option<u16>,
    password: &str,
) -> Result<(String, ContainerAsync<apache::Kafka>), Failure> {
    let mut request = apache::Kafka::default()
        .with_jvm_image()
        .with_tag("4.3.1")
        .with_startup_timeout(START_TIMEOUT)
        .with_cmd(["-c", COMMAND])
        .with_env_var("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .with_env_var("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .with_env_var("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1")
        .with_env_var("KAFKA_SASL_ENABLED_MECHANISMS", "PLAIN")
        .with_env_var("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", PROTOCOLS)
        .with_env_var(JAAS, jaas(USER, password))
        .with_label(LABEL, label(lifetime)?);
    if let Some(port) = port {
        request = request.with_mapped_port(port, apache::KAFKA_PORT);
    }
    let container = request.start().await?;
    let port = container.get_host_port_ipv4(apache::KAFKA_PORT).await?;
    Ok((format!("127.0.0.1:{port}"), container))
}
