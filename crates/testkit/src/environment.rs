//! A database and topics of a test's own, on servers that tests share.

use std::time::Duration;

use karcis_database::{AtPrimary, bare_pool, primary};
use karcis_messaging::{Kafka, KafkaConfig, KafkaSecurity};
use karcis_schemas::{Schema, Service, role_url, simulated_gateway};
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{
    Cluster, LostCommits, PostgresPair, PostgresServer, SilentProxy, SlowProxy, eventually,
    servers::{kafka_client, servers},
    template,
};

/// A fresh, migrated database and a fresh topic prefix, with the topics in place. Where other test
/// binaries use the servers too, both are deleted at the end of a test that passes.
pub struct TestEnvironment {
    name: String,
    database_url: String,
    /// The same by the way that services take.
    services_url: String,
    superuser: AtPrimary,
    kafka_config: KafkaConfig,
    kafka: Kafka,
    /// Whether the servers are those that tests share.
    on_shared: bool,
    /// Of each topic.
    copies: i32,
}

impl TestEnvironment {
    /// On testcontainers where a Docker engine answers, else on child processes;
    /// `KARCIS_TEST_STACK=containers|native|running` forces one.
    pub async fn start() -> Self {
        let servers = servers();
        Self::on_kafka(&servers.kafka_bootstrap_servers).await
    }

    /// On a broker of the test's own.
    pub async fn on_kafka(kafka_bootstrap_servers: &str) -> Self {
        let name = name();
        let servers = servers();
        let database = template::copy(&servers.postgres_url, &name);
        let security = servers.kafka_security();
        Self::new(kafka_bootstrap_servers, security, 1, &name, database).await
    }

    /// On a database server of the test's own.
    pub async fn on_postgres(server: &PostgresServer) -> Self {
        let name = name();
        let servers = servers();
        let (broker, security) = (&servers.kafka_bootstrap_servers, servers.kafka_security());
        Self::new(broker, security, 1, &name, template::make(server.url(), &name)).await
    }

    /// On these servers, which go with the caller: the URL is the superuser's.
    pub async fn on_servers(
        postgres_url: &str,
        kafka_bootstrap_servers: &str,
        security: KafkaSecurity,
    ) -> Self {
        let name = name();
        let database = template::make(postgres_url, &name);
        let mut made = Self::new(kafka_bootstrap_servers, security, 1, &name, database).await;
        made.on_shared = false;
        made
    }

    /// On a cluster of the test's own, whose servers may die: three copies of each topic, and a database
    /// whose URL names both servers.
    pub async fn on_cluster(cluster: &Cluster) -> Self {
        let (name, url) = (name(), cluster.postgres.url());
        let brokers = cluster.kafka.bootstrap_servers();
        let security = cluster.kafka_security();
        let mut made = Self::new(&brokers, security, 3, &name, at_primary(&url, &name)).await;
        made.on_shared = false;
        made
    }

    /// On two database servers of the test's own, both of which the database's URL names.
    pub async fn on_pair(pair: &PostgresPair) -> Self {
        let (name, url, servers) = (name(), pair.url(), servers());
        let (broker, security) = (&servers.kafka_bootstrap_servers, servers.kafka_security());
        Self::new(broker, security, 1, &name, at_primary(&url, &name)).await
    }

    /// With the database whose URL this gives.
    async fn new(
        kafka_bootstrap_servers: &str,
        security: KafkaSecurity,
        copies: i32,
        name: &str,
        database: impl Future<Output = String>,
    ) -> Self {
        let kafka_config = KafkaConfig {
            kafka_bootstrap_servers: kafka_bootstrap_servers.to_owned(),
            topic_prefix: format!("{name}."),
            instance: "0".to_owned(),
            security,
        };
        let kafka = Kafka::connect(&kafka_config).expect("the broker's settings are right");
        // A broker that was not given the processor for seconds is away for a moment.
        let topics = eventually(|| kafka.create_topics(2, copies)).within(Duration::from_secs(180));
        let (database_url, ()) = tokio::join!(database, topics.into_future());
        let superuser = bare_pool(&database_url, 4).await.expect("the new database answers");
        Self {
            name: name.to_owned(),
            services_url: database_url.clone(),
            database_url,
            superuser,
            kafka_config,
            kafka,
            copies,
            on_shared: true,
        }
    }

    /// A proxy to the database for the services that start from now on, which can go silent.
    pub async fn behind_proxy(&mut self) -> SilentProxy {
        let proxy = SilentProxy::start(&self.database_url).await;
        self.services_url = proxy.url(&self.database_url);
        proxy
    }

    /// A proxy to the database for the services that start from now on, which can be slow.
    pub async fn behind_slow_proxy(&mut self) -> SlowProxy {
        let proxy = SlowProxy::start(&self.database_url).await;
        self.services_url = proxy.url(&self.database_url);
        proxy
    }

    /// A proxy that can lose COMMITs of the services that start from now on.
    pub async fn losing_commits(&mut self) -> LostCommits {
        let proxy = LostCommits::start(&self.database_url).await;
        self.services_url = proxy.url(&self.database_url);
        proxy
    }

    /// Deletes all topics with what is in them, and waits until they are gone.
    pub async fn delete_topics(&self) {
        delete_topics(self.kafka_bootstrap_servers(), &self.kafka.topic_names()).await;
        eventually(async || self.kafka.topics().await.expect("the broker answers").len())
            .is(0)
            .await;
    }

    /// Makes the topics again.
    pub async fn make_topics(&self) {
        eventually(|| self.kafka.create_topics(2, self.copies)).await;
    }

    /// The flags every service takes: where its schema is, where the broker is, what its topics
    /// are called, and few connections, as many tests share the server.
    pub fn flags(&self, schema: Schema) -> Vec<String> {
        let flag = |variable: &str| format!("--{}", variable.to_lowercase().replace('_', "-"));
        let security = self.kafka_config.security.variables();
        let security = security.map(|(variable, value)| (flag(variable), value));
        [
            ("--database-url", role_url(&self.services_url, schema)),
            ("--database-connections", "9".to_owned()),
            ("--kafka-bootstrap-servers", self.kafka_config.kafka_bootstrap_servers.clone()),
            ("--topic-prefix", self.kafka_config.topic_prefix.clone()),
        ]
        .map(|(flag, value)| (flag.to_owned(), value))
        .into_iter()
        .chain(security)
        .flat_map(|(flag, value)| [flag, value])
        .collect()
    }

    /// What this command line takes of the settings of a service of a fleet whose signing keys are
    /// at `jwks_url`.
    pub fn flags_of(
        &self,
        service: &Service,
        command: &clap::Command,
        jwks_url: &str,
    ) -> Vec<String> {
        let mut flags = self.flags(*service.schema);
        // One address plays everybody.
        let mut offered = vec![
            ("KARCIS_JWKS_URL", jwks_url.to_owned()),
            ("KARCIS_RATE_LIMITS", "off".to_owned()),
            ("KARCIS_MAX_CONNECTIONS_PER_PEER", "4096".to_owned()),
        ];
        offered.extend(simulated_gateway(&self.services_url));
        for (variable, value) in offered {
            let mut arguments = command.get_arguments();
            let taken = arguments.find(|it| it.get_env().is_some_and(|env| env == variable));
            if let Some(flag) = taken.and_then(clap::Arg::get_long) {
                flags.extend([format!("--{flag}"), value]);
            }
        }
        flags
    }

    /// The variables that make `karcis` use this database and these topics.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let kafka = &self.kafka_config;
        let own = [
            ("DATABASE_URL", self.services_url.clone()),
            ("KAFKA_BOOTSTRAP_SERVERS", kafka.kafka_bootstrap_servers.clone()),
            ("KARCIS_TOPIC_PREFIX", kafka.topic_prefix.clone()),
        ];
        own.into_iter().chain(kafka.security.variables()).collect()
    }

    /// Where the broker is, what this test's topics are called, and whom a client logs in as.
    pub fn kafka_config(&self) -> &KafkaConfig {
        &self.kafka_config
    }

    /// The settings of a client of librdkafka, of this test's broker.
    pub fn kafka_client(&self) -> rdkafka::ClientConfig {
        let mut client = rdkafka::ClientConfig::new();
        client.set("bootstrap.servers", &self.kafka_config.kafka_bootstrap_servers);
        self.kafka_config.security.apply(&mut client);
        client
    }

    /// The database's URL for the service of this schema.
    pub fn role_url(&self, schema: Schema) -> String {
        role_url(&self.database_url, schema)
    }

    /// The database's URL for the superuser.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A superuser's pool, to look behind the services: name tables with their schema. It is at the server that
    /// takes writes now.
    pub fn superuser(&self) -> &PgPool {
        &self.superuser
    }

    /// Waits until this schema's reconciler has compared all once more. Not by metrics, which all tests of a program
    /// share.
    pub async fn all_is_compared_again(&self, schema: &str) {
        let is_between_rounds = async || {
            let after = AssertSqlSafe(format!("SELECT after_id FROM {schema}.reconciler"));
            let after = sqlx::query_scalar::<_, Uuid>(after).fetch_optional(self.superuser()).await;
            after.expect("it can be read").is_none_or(|after| after.is_nil())
        };
        for _ in 0..2 {
            eventually(is_between_rounds).is(false).await;
            eventually(is_between_rounds).is(true).await;
        }
    }

    /// Where the broker is: `host:port`.
    pub fn kafka_bootstrap_servers(&self) -> &str {
        &self.kafka_config.kafka_bootstrap_servers
    }

    /// The broker, with this test's prefix.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// Waits until the service has sent all its messages; panics when it does not, or when it
    /// dead-lettered or parked one.
    pub async fn all_sent(&self, schema: Schema) {
        all_sent(&self.database_url, schema).await;
    }

    /// How many messages wait in the service's outbox.
    pub async fn unsent(&self, schema: Schema) -> i64 {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {}.outbox", schema.name));
        let counted = sqlx::query_scalar(count).fetch_one(&*self.superuser).await;
        counted.expect("the outbox can be read")
    }

    /// The messages the service could not handle: each one's type and error.
    pub async fn dead_letters(&self, schema: Schema) -> Vec<(Option<String>, String)> {
        let read = AssertSqlSafe(format!("SELECT kind, error FROM {}.dead_letter", schema.name));
        let letters = sqlx::query_as(read).fetch_all(&*self.superuser).await;
        letters.expect("dead letters can be read")
    }
}

/// Makes a database at the one of these servers that takes writes. Returns a URL that names all.
async fn at_primary(url: &str, name: &str) -> String {
    let primary = primary(url).await.expect("one of them takes writes");
    template::make(&primary, name).await;
    template::url_of(url, name)
}

/// A new environment's.
fn name() -> String {
    format!("t_{}", Uuid::now_v7().simple())
}

/// A pool of one connection to the server that takes writes; the URL may name several.
pub async fn one_connection(database_url: &str) -> PgPool {
    let primary = primary(database_url).await.expect("a database of the URL takes writes");
    let options = PgPoolOptions::new().max_connections(1);
    options.connect(&primary).await.expect("the database answers")
}

/// The same as [`TestEnvironment::all_sent`], from any runtime.
pub async fn all_sent(database_url: &str, schema: Schema) {
    let pool = one_connection(database_url).await;
    let count = format!("SELECT count(*) FROM {}.outbox", schema.name);
    let unsent = async || {
        let unsent = sqlx::query_scalar::<_, i64>(AssertSqlSafe(count.clone()));
        unsent.fetch_one(&pool).await.expect("the outbox can be read")
    };
    eventually(unsent).is(0).await;
    let read = AssertSqlSafe(format!("SELECT kind, error FROM {}.dead_letter", schema.name));
    let letters: Vec<(Option<String>, String)> =
        sqlx::query_as(read).fetch_all(&pool).await.expect("dead letters can be read");
    assert!(letters.is_empty(), "{} has dead letters: {letters:#?}", schema.name);
    let read = AssertSqlSafe(format!("SELECT kind, error FROM {}.parked_message", schema.name));
    let parked: Vec<(String, String)> =
        sqlx::query_as(read).fetch_all(&pool).await.expect("parked messages can be read");
    assert!(parked.is_empty(), "{} has parked messages: {parked:#?}", schema.name);
    pool.close().await;
}

impl Drop for TestEnvironment {
    fn drop(&mut self) {
        if !self.on_shared || std::thread::panicking() {
            return;
        }
        let servers = servers();
        if !servers.shared {
            return;
        }
        let topics = match &self.kafka_config.kafka_bootstrap_servers {
            shared if *shared == servers.kafka_bootstrap_servers => {
                self.kafka.topic_names().to_vec()
            }
            _ => Vec::new(),
        };
        let name = self.name.clone();
        // The test's own runtime forbids to wait here, so another thread does.
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                template::drop_copy(&servers.postgres_url, &name).await;
                delete_topics(&servers.kafka_bootstrap_servers, &topics).await;
            });
        });
        let _ = deleted.join();
    }
}

/// Deletes what is there: what stays behind harms no other test.
async fn delete_topics(kafka_bootstrap_servers: &str, topics: &[String]) {
    let client: Result<AdminClient<DefaultClientContext>, _> =
        kafka_client(kafka_bootstrap_servers).create();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    if let (Ok(client), false) = (client, topics.is_empty()) {
        let _ = client.delete_topics(&topics, &AdminOptions::new()).await;
    }
}
