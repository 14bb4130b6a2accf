//! A cluster of each: what is acknowledged is at more than one server.

use std::time::Duration;

use karcis_dev_servers::{
    TempDir,
    kafka::{BROKERS, KafkaCluster},
    postgres::{Member, PostgresPair},
};
use karcis_testkit::eventually;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{FutureProducer, FutureRecord},
};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

#[tokio::test]
async fn a_broker_of_three_can_die_at_any_time() {
    let data = TempDir::new().expect("a folder");
    let mut cluster = KafkaCluster::start(data.path(), "drawn").await.expect("starts");
    let mut client = ClientConfig::new();
    for (name, value) in [
        ("bootstrap.servers", cluster.bootstrap_servers().as_str()),
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "karcis"),
        ("sasl.password", "drawn"),
        ("acks", "all"),
        ("request.timeout.ms", "5000"),
    ] {
        client.set(name, value);
    }
    let admin: AdminClient<DefaultClientContext> = client.create().expect("a client");
    let topic = NewTopic::new("kept", 3, TopicReplication::Fixed(-1));
    admin.create_topics([&topic], &AdminOptions::new()).await.expect("makes a topic");
    let producer: FutureProducer = client.create().expect("a producer");
    let send = async || {
        for partition in 0..3 {
            let record = FutureRecord::<str, _>::to("kept").payload("it").partition(partition);
            producer.send(record, Duration::from_secs(60)).await.expect("is acknowledged");
        }
    };
    eventually(|| cluster.is_in_sync()).is(true).await;
    send().await;
    for broker in 0..BROKERS {
        assert!(cluster.leads(broker).await, "{broker} leads a partition");
        cluster.kill(broker).await;
        send().await;
        assert!(!cluster.is_in_sync().await, "{broker} is missing");
        cluster.restart(broker).await.expect("starts again");
        eventually(|| cluster.is_in_sync()).is(true).await;
    }
}

#[tokio::test]
async fn a_commit_waits_for_the_standby_which_takes_the_primarys_place() {
    let data = TempDir::new().expect("a folder");
    let mut pair = PostgresPair::start(data.path()).await.expect("starts");
    eventually(|| pair.is_in_sync()).is(true).await;
    let mut primary = PgConnection::connect(&pair.url_of(Member::Primary)).await.expect("answers");
    let table = sqlx::raw_sql("CREATE TABLE kept (number int)").execute(&mut primary);
    table.await.expect("the standby confirms it");

    pair.freeze(Member::Standby);
    // Longer than any limit of a statement: none ends the waiting.
    let limit = sqlx::raw_sql("SET statement_timeout = '1s'").execute(&mut primary);
    limit.await.expect("is set");
    let mut insert = Box::pin(sqlx::raw_sql("INSERT INTO kept VALUES (1)").execute(&mut primary));
    timeout(Duration::from_secs(3), &mut insert).await.expect_err("is not acknowledged");
    pair.thaw(Member::Standby);
    insert.await.expect("the standby confirms it");

    pair.kill(Member::Primary).await;
    pair.promote().await.expect("takes writes");
    let mut standby = PgConnection::connect(&pair.url_of(Member::Standby)).await.expect("answers");
    let kept = "INSERT INTO kept VALUES (2) RETURNING (SELECT count(*) FROM kept)";
    let kept: i64 = sqlx::query_scalar(kept).fetch_one(&mut standby).await.expect("is written");
    assert_eq!(kept, 1, "what was acknowledged is there");

    // The old one comes back, and nobody follows it.
    pair.restart(Member::Primary).await.expect("starts again");
    let mut old = PgConnection::connect(&pair.url_of(Member::Primary)).await.expect("answers");
    let insert = sqlx::raw_sql("INSERT INTO kept VALUES (3)").execute(&mut old);
    timeout(Duration::from_secs(3), insert).await.expect_err("is not acknowledged");

    // It is gone with what it had, a new standby comes in its place, and takes the primary's place in turn.
    pair.rebuild().await.expect("a standby is made");
    eventually(|| pair.is_in_sync()).is(true).await;
    pair.kill(pair.primary()).await;
    pair.promote().await.expect("takes writes");
    let mut newest = PgConnection::connect(&pair.url_of(pair.standby())).await.expect("answers");
    let kept = sqlx::query_scalar("SELECT array_agg(number ORDER BY number) FROM kept");
    let kept: Vec<i32> = kept.fetch_one(&mut newest).await.expect("is read");
    assert_eq!(kept, [1, 2], "what was acknowledged, and nothing else");
}
