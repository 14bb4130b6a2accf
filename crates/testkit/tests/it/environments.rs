//! Each test has a database and topics of its own, with every service's tables in place.

use std::time::Duration;

use karcis_schemas::{BOOKINGS, EVENTS, PAYMENTS, USERS};
use karcis_testkit::{SilentProxy, TestEnvironment, eventually};
use rdkafka::consumer::{BaseConsumer, Consumer};
use sqlx::{Connection, PgConnection};
use tokio::{runtime::Runtime, time::timeout};

#[tokio::test]
async fn two_tests_share_nothing() {
    let (mine, yours) = tokio::join!(TestEnvironment::start(), TestEnvironment::start());
    let insert = "INSERT INTO bookings.outbox (topic, key, kind, body) \
                  VALUES ('t', gen_random_uuid(), 'k', '')";
    sqlx::query(insert).execute(mine.superuser()).await.unwrap();
    assert_eq!(mine.unsent(BOOKINGS).await, 1);
    assert_eq!(yours.unsent(BOOKINGS).await, 0);
    assert_ne!(mine.kafka().topic("x"), yours.kafka().topic("x"));
}

#[tokio::test]
async fn each_role_sees_its_own_tables_alone() {
    let environment = TestEnvironment::start().await;
    for schema in [USERS, EVENTS, BOOKINGS, PAYMENTS] {
        let mut own = PgConnection::connect(&environment.role_url(schema)).await.unwrap();
        sqlx::query("SELECT id FROM outbox").fetch_all(&mut own).await.unwrap();
        let others = if schema == USERS { "events" } else { "users" };
        let read = sqlx::AssertSqlSafe(format!("SELECT id FROM {others}.outbox"));
        let refusal = sqlx::query(read).fetch_all(&mut own).await.unwrap_err();
        let code = refusal.as_database_error().and_then(|e| e.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{schema:?} may not read {others}");
    }
}

#[tokio::test]
async fn the_topics_are_there() {
    let environment = TestEnvironment::start().await;
    let client: BaseConsumer = environment.kafka_client().create().unwrap();
    // The broker learns of a topic a moment after its controller made it.
    let missing = async || {
        let metadata = client.fetch_metadata(None, Duration::from_secs(100)).unwrap();
        let names = karcis_contracts::TOPICS.map(|topic| environment.kafka().topic(topic));
        let is_missing = |name: &String| metadata.topics().iter().all(|it| it.name() != name);
        names.into_iter().filter(is_missing).collect::<Vec<_>>()
    };
    eventually(missing).is(Vec::<String>::new()).await;
}

#[tokio::test]
async fn a_proxy_carries_while_the_test_blocks_its_own_runtime() {
    let environment = TestEnvironment::start().await;
    let proxy = SilentProxy::start(environment.database_url()).await;
    let url = proxy.url(environment.database_url());
    let elsewhere = std::thread::spawn(move || {
        Runtime::new()
            .unwrap()
            .block_on(async { timeout(Duration::from_secs(30), PgConnection::connect(&url)).await })
    });
    elsewhere.join().unwrap().expect("it answers in time").unwrap();
}
