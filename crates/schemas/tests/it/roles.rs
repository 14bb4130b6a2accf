//! What the roles may do.

use karcis_dev_servers::{
    TempDir,
    postgres::{Postgres, PostgresOptions},
};
use karcis_schemas::{
    self as schemas, BOOKINGS, EVENTS, PAYMENTS, SIMULATED_GATEWAY, Schema, USERS,
};
use sqlx::{Connection, PgConnection};

const ALL: [Schema; 5] = [USERS, EVENTS, BOOKINGS, PAYMENTS, SIMULATED_GATEWAY];

#[tokio::test]
async fn each_role_has_its_schema_to_itself() {
    let data = TempDir::new().expect("a folder");
    let options = PostgresOptions {
        data: data.path().join("postgres"),
        port: 0,
        durable: true,
        outlives_parent: false,
    };
    let postgres = Postgres::start(options).await.expect("starts");
    let url = postgres.url();
    // At once, and in two databases: roles are the server's, schemas the database's.
    let mut superuser = PgConnection::connect(&url).await.expect("answers");
    sqlx::raw_sql("CREATE DATABASE other").execute(&mut superuser).await.expect("makes one");
    let other = url.replace("/postgres", "/other").replace("//other", "//postgres");
    let (a, b, c, d) = tokio::join!(
        schemas::prepare(&url),
        schemas::prepare(&other),
        schemas::prepare(&url),
        schemas::prepare(&other)
    );
    for prepared in [a, b, c, d] {
        prepared.expect("prepares");
    }
    schemas::prepare(&url).await.expect("is repeatable");

    for schema in ALL {
        let mut owner = owner(&url, schema).await;
        let make =
            "CREATE TABLE secret (id bigint GENERATED ALWAYS AS IDENTITY, serial serial, it text)";
        run(&mut owner, make).await.expect("its owner may make tables");
        let mut own = connect(&url, schema).await;
        run(&mut own, WRITE_ROWS).await.expect("its service may read and write rows");
        for change in CHANGES {
            assert_eq!(run(&mut own, change).await, Err("42501".into()), "{schema:?}: {change}");
        }
        assert_eq!(setting(&mut own, "search_path").await, schema.name);
        assert_eq!(setting(&mut own, "lock_timeout").await, "5s");
        assert_eq!(setting(&mut own, "statement_timeout").await, "30s");
        assert_eq!(setting(&mut own, "idle_in_transaction_session_timeout").await, "10s");
        assert_eq!(limit(&mut own).await, 100);
        assert_eq!(
            setting(&mut owner, "statement_timeout").await,
            "0",
            "a migration may take long"
        );
    }
    for reader in ALL {
        let mut reading = connect(&url, reader).await;
        for owner in ALL.iter().filter(|owner| owner.name != reader.name) {
            let read = format!("SELECT * FROM {}.secret", owner.name);
            assert_eq!(run(&mut reading, &read).await, Err("42501".into()), "{reader:?}: {read}");
        }
        let write = "CREATE TABLE public.note (it text)";
        assert_eq!(run(&mut reading, write).await, Err("42501".into()), "{reader:?}: {write}");
    }
    for schema in ALL {
        refuses_known_passwords(&url, schema).await;
    }
}

const WRITE_ROWS: &str = "INSERT INTO secret (it) VALUES ('mine'), ('yours');
    UPDATE secret SET it = 'ours' WHERE it = 'yours'; DELETE FROM secret WHERE it = 'ours'";

/// What only the owner may do.
const CHANGES: [&str; 5] = [
    "CREATE TABLE more (it text)",
    "ALTER TABLE secret ADD COLUMN more text",
    "DROP TABLE secret",
    "TRUNCATE secret",
    "CREATE INDEX ON secret (it)",
];

#[tokio::test]
async fn what_an_older_release_made_is_given_to_owners_and_gets_other_passwords() {
    let data = TempDir::new().expect("a folder");
    let options = PostgresOptions {
        data: data.path().join("postgres"),
        port: 0,
        durable: false,
        outlives_parent: false,
    };
    let postgres = Postgres::start(options).await.expect("starts");
    let url = postgres.url();
    let mut superuser = PgConnection::connect(&url).await.expect("answers");
    as_an_older_release_made_it(&mut superuser).await;
    for _ in 0..2 {
        schemas::prepare(&url).await.expect("takes over what is there");
        for schema in ALL {
            refuses_known_passwords(&url, schema).await;
            let mut own = connect(&url, schema).await;
            run(&mut own, WRITE_ROWS).await.expect("the service goes on");
            for change in CHANGES {
                assert_eq!(
                    run(&mut own, change).await,
                    Err("42501".into()),
                    "{schema:?}: {change}"
                );
            }
            assert_eq!(limit(&mut own).await, 100);
            let mut owner = owner(&url, schema).await;
            let change = "ALTER TABLE secret ADD COLUMN IF NOT EXISTS more text;
                CREATE TABLE IF NOT EXISTS later (it text)";
            run(&mut owner, change).await.expect("the owner goes on");
            run(&mut own, "INSERT INTO later VALUES ('new')").await.expect("and its service");
        }
    }
    // What an operator has chosen stays.
    run(&mut superuser, "ALTER ROLE karcis_user CONNECTION LIMIT 7").await.expect("may");
    schemas::prepare(&url).await.expect("is repeatable");
    assert_eq!(limit(&mut connect(&url, USERS).await).await, 7);
}

/// Roles that own their schemas, with passwords that everybody knows, and a table in each.
pub(crate) async fn as_an_older_release_made_it(superuser: &mut PgConnection) {
    for Schema { name, role, .. } in ALL {
        let older = format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{role}'; ALTER ROLE {role} SET search_path = {name};
             CREATE SCHEMA {name} AUTHORIZATION {role};
             SET ROLE {role};
             CREATE TABLE {name}.secret
                 (id bigint GENERATED ALWAYS AS IDENTITY, serial serial, it text);
             CREATE INDEX ON {name}.secret (it);
             RESET ROLE"
        );
        run(superuser, &older).await.expect("as it was");
    }
}

async fn refuses_known_passwords(url: &str, schema: Schema) {
    let own = schemas::role_url(url, schema);
    let (_, at) = own.rsplit_once('@').expect("names a host");
    let role = schema.role;
    for known in [role, "guess", "postgres", ""] {
        let known = format!("postgres://{role}:{known}@{at}");
        assert!(PgConnection::connect(&known).await.is_err(), "{known} logs in");
    }
    let owner = format!("postgres://{role}_owner:{role}_owner@{at}");
    assert!(PgConnection::connect(&owner).await.is_err(), "{owner} logs in");
}

/// As the owner, which a superuser becomes.
async fn owner(url: &str, schema: Schema) -> PgConnection {
    let options = schemas::as_owner(url, &schema).expect("is a URL");
    PgConnection::connect_with(&options).await.expect("may become the owner")
}

/// How many connections the role may have.
async fn limit(connection: &mut PgConnection) -> i32 {
    let read = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user";
    sqlx::query_scalar(read).fetch_one(connection).await.expect("can be read")
}

async fn connect(url: &str, schema: Schema) -> PgConnection {
    PgConnection::connect(&schemas::role_url(url, schema)).await.expect("may log in")
}

/// The SQLSTATE of a failure.
async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), String> {
    let ran = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await;
    ran.map(drop).map_err(|error| {
        let code = error.as_database_error().and_then(|error| error.code());
        code.map_or_else(|| error.to_string(), |code| code.into_owned())
    })
}

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    let (value,): (String,) = sqlx::query_as("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(connection)
        .await
        .expect("is a setting");
    value
}
