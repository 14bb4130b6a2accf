//! `karcis migrate` and `karcis topics`, as a deployment runs them.

use std::process::{Command, Output, Stdio};

use karcis_dev_servers::{
    TempDir,
    postgres::{Postgres, PostgresOptions},
};
use karcis_messaging::{Kafka, KafkaConfig};
use karcis_schemas::schemas;
use karcis_testkit::TestEnvironment;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

#[tokio::test]
async fn migrate_makes_everything_once_also_when_two_do_it_at_the_same_time() {
    let server = Server::start().await;
    let setup = [("KARCIS_SETUP_DATABASE_URL", server.url.as_str())];
    let refused = said(karcis("migrate", &setup));
    let expected =
        "role karcis_user is not there and has no password: set KARCIS_USER_DATABASE_PASSWORD";
    assert!(refused.is_err_and(|said| said.contains(expected)));

    let variables: Vec<String> = schemas()
        .map(|schema| format!("KARCIS_{}_DATABASE_PASSWORD", schema.part.to_uppercase()))
        .collect();
    let passwords = variables.iter().map(|variable| (variable.as_str(), "it's new"));
    let environment: Vec<_> = setup.into_iter().chain(passwords).collect();
    let both = [(); 2].map(|()| karcis("migrate", &environment));
    for said in both.map(said) {
        let said = said.expect("makes everything");
        assert!(said.contains("schema simulated_gateway is up to date"), "{said}");
    }
    said(karcis("migrate", &setup)).expect("is repeatable, and needs no password any more");
    let newer = "INSERT INTO users._sqlx_migrations VALUES (9999, 'newer', now(), true, '', 0)";
    let mut superuser = PgConnection::connect(&server.url).await.expect("answers");
    sqlx::raw_sql(newer).execute(&mut superuser).await.expect("has the usual columns");
    said(karcis("migrate", &setup)).expect("bears the schema of a newer release");

    for schema in schemas() {
        let with = |password| server.url_of(schema.role, password, "postgres");
        assert!(PgConnection::connect(&with(schema.role)).await.is_err(), "no known password");
        let mut own = PgConnection::connect(&with("it's%20new")).await.expect("may log in");
        let foreign = "SELECT count(*) FROM pg_tables \
                       WHERE schemaname = current_schema() AND tableowner <> current_user || '_owner'";
        assert_eq!(count(&mut own, foreign).await, 0, "its tables are its owner's");
        let migrated = count(&mut own, "SELECT count(*) FROM _sqlx_migrations WHERE success").await;
        assert!(migrated > 0, "{schema:?}");
    }
}

#[tokio::test]
async fn a_service_may_have_a_database_of_its_own_whose_owner_is_no_superuser() {
    let server = Server::start().await;
    let mut superuser = PgConnection::connect(&server.url).await.expect("answers");
    for sql in [
        "CREATE ROLE dba LOGIN CREATEROLE PASSWORD 'drawn'",
        "CREATE DATABASE people OWNER dba",
        "CREATE DATABASE shows OWNER dba",
    ] {
        sqlx::raw_sql(sql).execute(&mut superuser).await.expect(sql);
    }
    let people = server.url_of("dba", "drawn", "people");
    let shows = server.url_of("dba", "drawn", "shows");
    let environment = [
        ("KARCIS_SETUP_DATABASE_URL", people.as_str()),
        ("KARCIS_EVENT_SETUP_DATABASE_URL", &shows),
        ("KARCIS_BOOKING_SETUP_DATABASE_URL", ""),
        ("KARCIS_MIGRATE_ONLY", "user,event"),
        ("KARCIS_USER_DATABASE_PASSWORD", "people's"),
        ("KARCIS_EVENT_DATABASE_PASSWORD", "people's"),
    ];
    for _ in 0..2 {
        said(karcis("migrate", &environment)).expect("needs no superuser");
    }
    for (database, schema) in [("people", "users"), ("shows", "events")] {
        let mut connection =
            PgConnection::connect(&server.url_of("dba", "drawn", database)).await.expect("answers");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname IN \
                       ('users', 'events', 'bookings', 'payments', 'simulated_gateway')";
        assert_eq!(count(&mut connection, schemas).await, 1, "only what was asked for");
        let migrated = format!("SELECT count(*) FROM {schema}._sqlx_migrations");
        let role = if schema == "users" { "karcis_user" } else { "karcis_event" };
        let mut own = PgConnection::connect(&server.url_of(role, "people's", database))
            .await
            .expect("logs in");
        assert!(count(&mut own, &migrated).await > 0);
    }
    let nowhere = said(karcis("migrate", &[])).expect_err("does not guess");
    assert!(nowhere.contains("set KARCIS_SETUP_DATABASE_URL or KARCIS_USER_SETUP_DATABASE_URL"));
}

#[tokio::test]
async fn topics_are_made_once_and_checked_ever_after() {
    let test = TestEnvironment::start().await;
    let variables = test.variables();
    let own_prefix = format!("{}deployed.", test.kafka_config().topic_prefix);
    let environment = |partitions| {
        let broker = variables.iter().filter(|(name, _)| name.starts_with("KAFKA_"));
        let broker = broker.map(|(name, value)| (*name, value.as_str()));
        let own =
            [("KARCIS_TOPIC_PREFIX", own_prefix.as_str()), ("KARCIS_TOPIC_PARTITIONS", partitions)];
        broker.chain(own).collect::<Vec<_>>()
    };
    let check = |partitions| {
        let mut command = command("topics", &environment(partitions));
        said(command.arg("--check").spawn().expect("starts"))
    };
    let missing = check("3").expect_err("makes none");
    assert!(
        missing.contains(&format!("missing: {own_prefix}karcis.event-commands.v1")),
        "{missing}"
    );

    let both = [(); 2].map(|()| karcis("topics", &environment("3")));
    for said in both.map(said) {
        let said = said.expect("makes all");
        assert_eq!(said.matches(": 3 partitions, 1 copies of each").count(), 9, "{said}");
    }
    check("3").expect("all is as it should be");
    let other = said(karcis("topics", &environment("4"))).expect_err("differs");
    assert!(other.contains("another number of partitions than 4"), "{other}");
    let own = test.kafka_config().clone();
    let config = KafkaConfig { topic_prefix: own_prefix.clone(), ..own };
    let there = Kafka::connect(&config).expect("connects").topics().await.expect("answers");
    assert!(there.iter().all(|topic| topic.partitions == 3), "left as they were: {there:?}");
}

/// A Postgres that checks passwords.
struct Server {
    url: String,
    postgres: Postgres,
    _data: TempDir,
}

impl Server {
    async fn start() -> Self {
        let data = TempDir::new().expect("a folder");
        let options = PostgresOptions {
            data: data.path().join("postgres"),
            port: 0,
            durable: true,
            outlives_parent: false,
        };
        let postgres = Postgres::start(options).await.expect("starts");
        Self { url: postgres.url(), postgres, _data: data }
    }

    fn url_of(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.postgres.port())
    }
}

fn command(subcommand: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command.arg(subcommand).env_clear().envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn karcis(subcommand: &str, environment: &[(&str, &str)]) -> std::process::Child {
    command(subcommand, environment).spawn().expect("starts")
}

/// What it said at its end; an error if it failed.
fn said(child: std::process::Child) -> Result<String, String> {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("ends");
    let said = |bytes| String::from_utf8(bytes).expect("is text");
    if status.success() { Ok(said(stdout)) } else { Err(said(stderr)) }
}

async fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    let counted = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await;
    counted.expect("can be counted")
}
