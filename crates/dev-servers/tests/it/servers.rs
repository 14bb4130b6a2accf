//! What a server kept when it was killed, and how it says that it cannot start.

use std::time::Duration;

use karcis_dev_servers::{
    ServerError, TempDir,
    kafka::{self, Kafka, KafkaOptions},
    paths,
    postgres::{Postgres, PostgresOptions},
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{Consumer, StreamConsumer},
    producer::{FutureProducer, FutureRecord},
};
use sqlx::{Connection, PgConnection};

use karcis_testkit::processes;

#[tokio::test]
async fn postgres_keeps_what_was_committed_when_it_is_killed() {
    let data = TempDir::new().expect("a folder");
    let options = |port| PostgresOptions {
        data: data.path().join("postgres"),
        port,
        durable: true,
        outlives_parent: false,
    };
    let postgres = Postgres::start(options(0)).await.expect("starts");
    let (port, url) = (postgres.port(), postgres.url());
    let mut connection = PgConnection::connect(&url).await.expect("answers");
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer")
        .execute(&mut connection)
        .await
        .expect("commits");

    let exited = postgres.exited();
    processes::kill_9(postgres.pid());
    exited.await;
    drop(postgres);
    let postgres = Postgres::start(options(port)).await.expect("starts again");

    assert_eq!(postgres.url(), url, "same place, same password");
    let mut connection = PgConnection::connect(&url).await.expect("answers");
    let (answer,): (i32,) = sqlx::query_as("SELECT answer FROM kept")
        .fetch_one(&mut connection)
        .await
        .expect("is kept");
    assert_eq!(answer, 42);
    let pid = postgres.pid();
    drop(connection);
    postgres.stop().await.expect("stops");
    processes::are_gone(&[pid]).await;
}

#[tokio::test]
async fn kafka_keeps_what_it_acknowledged_when_it_is_killed() {
    let data = TempDir::new().expect("a folder");
    let options =
        |port| KafkaOptions { data: data.path().join("kafka"), port, outlives_parent: false };
    let kafka = Kafka::start(options(0)).await.expect("starts");
    let port = kafka.port();
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", kafka.bootstrap_servers());
    client.set("security.protocol", "sasl_plaintext").set("sasl.mechanism", "PLAIN");
    client.set("sasl.username", kafka::USER).set("sasl.password", kafka.password());
    let admin: AdminClient<DefaultClientContext> = client.create().expect("a client");
    let topic = NewTopic::new("kept", 1, TopicReplication::Fixed(1));
    admin.create_topics([&topic], &AdminOptions::new()).await.expect("makes a topic");
    let producer: FutureProducer = client.create().expect("a client");
    let record = FutureRecord::to("kept").key("k").payload("acknowledged");
    producer.send(record, Duration::from_secs(300)).await.expect("is acknowledged");

    let exited = kafka.exited();
    processes::kill_9(kafka.pid());
    exited.await;
    drop(kafka);
    let kafka = Kafka::start(options(port)).await.expect("starts again");

    let consumer: StreamConsumer =
        client.clone().set("group.id", "reader").create().expect("a client");
    let mut all = TopicPartitionList::new();
    all.add_partition_offset("kept", 0, Offset::Offset(0)).expect("a place in the log");
    consumer.assign(&all).expect("reads from there");
    let record = tokio::time::timeout(Duration::from_secs(300), consumer.recv())
        .await
        .expect("there is something to read")
        .expect("it can be read");
    assert_eq!(record.payload(), Some("acknowledged".as_bytes()));
    drop(record);
    // Clients take their time to close without a broker.
    drop((consumer, producer, admin));
    let pid = kafka.pid();
    kafka.stop().await.expect("stops");
    processes::are_gone(&[pid]).await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let data = TempDir::new().expect("a folder");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("has an address").port();
    let expected = format!("port {port} is taken");

    let kafka = Kafka::start(KafkaOptions {
        data: data.path().join("kafka"),
        port,
        outlives_parent: false,
    })
    .await;
    assert_eq!(reason(kafka.err()), expected);
    let options = PostgresOptions {
        data: data.path().join("postgres"),
        port,
        durable: false,
        outlives_parent: false,
    };
    let postgres = Postgres::start(options).await;
    assert_eq!(reason(postgres.err()), expected);
}

fn reason(error: Option<ServerError>) -> String {
    match error {
        Some(ServerError::NotStarted { reason, .. }) => reason,
        other => panic!("it should not have started: {other:?}"),
    }
}

#[tokio::test]
async fn postgres_starts_where_user_nobody_may_not_go() {
    let private = tempfile::tempdir().expect("a folder of our own");
    let data = private.path().join("postgres");
    let options =
        PostgresOptions { data: data.clone(), port: 0, durable: false, outlives_parent: false };
    let postgres = Postgres::start(options).await.expect("starts");
    postgres.stop().await.expect("stops");

    let elsewhere = paths::within_reach(&data).expect("is there");
    if elsewhere != data {
        std::fs::remove_dir_all(elsewhere).expect("is ours");
    }
}
