//! A database and topics of a test's own, on servers that the test process shares.

use std::time::Duration;

use karcis_messaging::{Kafka, KafkaConfig, KafkaSecurity};
use karcis_schemas::{self as schemas, Schema};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    eventually,
    servers::{Failure, Servers, servers},
};

/// What each bed's database is a copy of.
const TEMPLATE: &str = "karcis_template";

/// A fresh, migrated database and a fresh topic prefix, with the topics in place.
pub struct Bed {
    database_url: String,
    superuser: PgPool,
    kafka_config: KafkaConfig,
    kafka: Kafka,
}

impl Bed {
    /// On testcontainers where a Docker engine answers, else on the local stack;
    /// `KARCIS_TEST_STACK=containers|native` forces one.
    pub async fn start() -> Self {
        let servers = servers();
        Self::on_kafka(&servers.kafka_bootstrap_servers).await
    }

    /// On a broker of the test's own.
    pub async fn on_kafka(kafka_bootstrap_servers: &str) -> Self {
        let servers = servers();
        let name = format!("t_{}", Uuid::now_v7().simple());
        let kafka_config = KafkaConfig {
            kafka_bootstrap_servers: kafka_bootstrap_servers.to_owned(),
            topic_prefix: format!("{name}."),
            instance: "0".to_owned(),
            security: KafkaSecurity::default(),
        };
        let kafka = Kafka::connect(&kafka_config).expect("the broker's settings are right");
        // A broker that was not given the processor for seconds is away for a moment.
        let topics = eventually(|| kafka.create_topics(2, 1)).within(Duration::from_secs(180));
        let (database_url, ()) = tokio::join!(copy_template(servers, &name), topics.into_future());
        let superuser = PgPoolOptions::new()
            .max_connections(4)
            .connect(&database_url)
            .await
            .expect("the new database answers");
        Self { database_url, superuser, kafka_config, kafka }
    }

    /// The flags every service takes: where its schema is, where the broker is, what its topics
    /// are called, and few connections, as many tests share the server.
    pub fn flags(&self, schema: Schema) -> Vec<String> {
        [
            ("--database-url", self.role_url(schema)),
            ("--database-connections", "5".to_owned()),
            ("--kafka-bootstrap-servers", self.kafka_config.kafka_bootstrap_servers.clone()),
            ("--topic-prefix", self.kafka_config.topic_prefix.clone()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
    }

    /// The environment that makes `karcis` use this bed.
    pub fn environment(&self) -> [(&'static str, &str); 3] {
        [
            ("DATABASE_URL", &self.database_url),
            ("KAFKA_BOOTSTRAP_SERVERS", &self.kafka_config.kafka_bootstrap_servers),
            ("KARCIS_TOPIC_PREFIX", &self.kafka_config.topic_prefix),
        ]
    }

    /// The database's URL for the owner of this schema.
    pub fn role_url(&self, schema: Schema) -> String {
        schemas::role_url(&self.database_url, schema)
    }

    /// The database's URL for the superuser.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A superuser's pool, to look behind the services: name tables with their schema.
    pub fn superuser(&self) -> &PgPool {
        &self.superuser
    }

    /// The broker, with this bed's prefix.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// Waits until the service has sent all its messages; panics when it does not, or when it put
    /// one aside that it could not handle.
    pub async fn all_sent(&self, schema: Schema) {
        all_sent(&self.database_url, schema).await;
    }

    /// How many messages wait in the service's outbox.
    pub async fn unsent(&self, schema: Schema) -> i64 {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {}.outbox", schema.name));
        let counted = sqlx::query_scalar(count).fetch_one(&self.superuser).await;
        counted.expect("the outbox can be read")
    }

    /// The messages the service could not handle: each one's type and error.
    pub async fn dead_letters(&self, schema: Schema) -> Vec<(Option<String>, String)> {
        let read = AssertSqlSafe(format!("SELECT kind, error FROM {}.dead_letter", schema.name));
        let letters = sqlx::query_as(read).fetch_all(&self.superuser).await;
        letters.expect("dead letters can be read")
    }
}

/// As [`Bed::all_sent`], from any runtime.
pub(crate) async fn all_sent(database_url: &str, schema: Schema) {
    let options = PgPoolOptions::new().max_connections(1);
    let pool = options.connect(database_url).await.expect("the database answers");
    let count = format!("SELECT count(*) FROM {}.outbox", schema.name);
    let unsent = async || {
        let unsent = sqlx::query_scalar::<_, i64>(AssertSqlSafe(count.clone()));
        unsent.fetch_one(&pool).await.expect("the outbox can be read")
    };
    eventually(unsent).is(0).await;
    let read = AssertSqlSafe(format!("SELECT kind, error FROM {}.dead_letter", schema.name));
    let letters: Vec<(Option<String>, String)> =
        sqlx::query_as(read).fetch_all(&pool).await.expect("dead letters can be read");
    assert!(letters.is_empty(), "{} put messages aside: {letters:#?}", schema.name);
    pool.close().await;
}

/// Makes a database of this name, with all schemas in it, and returns its superuser's URL.
async fn copy_template(servers: &Servers, name: &str) -> String {
    static PREPARED: OnceCell<Result<(), String>> = OnceCell::const_new();
    let prepared = PREPARED
        .get_or_init(|| async { make_template(servers).await.map_err(|error| error.to_string()) })
        .await;
    prepared.as_ref().unwrap_or_else(|why| panic!("the services' tables cannot be made: {why}"));
    let mut connection =
        PgConnection::connect(&servers.postgres_url).await.expect("Postgres answers");
    let copy = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
    sqlx::query(copy).execute(&mut connection).await.expect("a database can be copied");
    url_of(servers, name)
}

async fn make_template(servers: &Servers) -> Result<(), Failure> {
    let mut connection = PgConnection::connect(&servers.postgres_url).await?;
    let create = AssertSqlSafe(format!("CREATE DATABASE {TEMPLATE}"));
    sqlx::query(create).execute(&mut connection).await?;
    let superuser_url = url_of(servers, TEMPLATE);
    schemas::prepare(&superuser_url).await?;
    for schema in schemas::schemas() {
        let url = schemas::role_url(&superuser_url, *schema);
        let mut as_owner = PgConnection::connect(&url).await?;
        schema
            .migrations
            .run(&mut as_owner)
            .await
            .map_err(|error| format!("{}: {error}", schema.name))?;
        as_owner.close().await?;
    }
    // A database with a connection cannot be a template, and a closed one may linger a moment.
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
    let connected = async || {
        let mut connection = PgConnection::connect(&servers.postgres_url).await?;
        sqlx::query_scalar::<_, i64>(connected).bind(TEMPLATE).fetch_one(&mut connection).await
    };
    eventually(async || connected().await.is_ok_and(|count| count == 0)).is(true).await;
    Ok(())
}

/// The superuser's URL of another database of the server.
fn url_of(servers: &Servers, database: &str) -> String {
    let (server, _) = servers.postgres_url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{database}")
}
