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
        let mut own = connect(&url, schema).await;
        run(&mut own, "CREATE TABLE secret (it text); INSERT INTO secret VALUES ('mine')")
            .await
            .expect("may work in its schema");
        assert_eq!(setting(&mut own, "search_path").await, schema.name);
        assert_eq!(setting(&mut own, "lock_timeout").await, "5s");
        assert_eq!(setting(&mut own, "idle_in_transaction_session_timeout").await, "10s");
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
    let wrong = schemas::role_url(&url, USERS).replace(":karcis_user@", ":guess@");
    assert!(PgConnection::connect(&wrong).await.is_err(), "the password is checked");
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
