//! Each migration is applied to tables that are not empty. `rows/` has what is in them after each step.

use std::{collections::BTreeMap, fs, path::Path};

use karcis_dev_servers::{
    TempDir,
    postgres::{Postgres, PostgresOptions},
};
use karcis_schemas::{Schema, schemas};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

async fn postgres(data: &TempDir) -> Postgres {
    let options = PostgresOptions {
        data: data.path().join("postgres"),
        port: 0,
        durable: false,
        outlives_parent: false,
    };
    Postgres::start(options).await.unwrap()
}

/// A release writes no column that a later one has added: its rows must fit the newest schema, since
/// two releases run side by side while instances are replaced, or the older one is taken back.
#[tokio::test]
async fn what_each_earlier_release_writes_fits_the_newest_schema() {
    let data = TempDir::new().unwrap();
    let postgres = postgres(&data).await;
    for schema in schemas() {
        let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
        connection.execute("CREATE SCHEMA fresh; SET search_path = fresh").await.unwrap();
        schema.migrations.run(&mut connection).await.unwrap();
        let mut written = 0;
        for migration in schema.migrations.iter() {
            if let Some(fixture) = fixture(schema, migration.version, &migration.description) {
                let (name, version) = (schema.name, migration.version);
                let writing = sqlx::raw_sql(AssertSqlSafe(fixture)).execute(&mut connection).await;
                writing.unwrap_or_else(|error| panic!("{name} {version:04}: {error}"));
                written += 1;
            }
        }
        assert!(written > 0, "{} has rows", schema.name);
        connection.execute("DROP SCHEMA fresh CASCADE").await.unwrap();
    }
}

#[tokio::test]
async fn every_migration_keeps_the_rows_that_are_there() {
    let data = TempDir::new().unwrap();
    let postgres = postgres(&data).await;
    for schema in schemas() {
        let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
        connection.execute("CREATE SCHEMA fresh; SET search_path = fresh").await.unwrap();
        for migration in schema.migrations.iter() {
            let before = rows(&mut connection).await;
            let applied = schema.migrations.run_to(migration.version, &mut connection).await;
            applied
                .unwrap_or_else(|error| panic!("{} {}: {error}", schema.name, migration.version));
            let after = rows(&mut connection).await;
            let lost = before.iter().filter(|(table, count)| after.get(*table) < Some(*count));
            let lost: Vec<_> = lost.collect();
            assert!(lost.is_empty(), "{} {}: {lost:?}", schema.name, migration.version);
            if let Some(fixture) = fixture(schema, migration.version, &migration.description) {
                sqlx::raw_sql(AssertSqlSafe(fixture)).execute(&mut connection).await.unwrap();
            }
            let filled = rows(&mut connection).await;
            let empty: Vec<_> = filled.iter().filter(|(_, count)| **count == 0).collect();
            let (name, version) = (schema.name, migration.version);
            assert!(
                empty.is_empty(),
                "add rows to tests/it/rows/{name}/{version:04}.sql: {empty:?}"
            );
        }
        connection.execute("DROP SCHEMA fresh CASCADE").await.unwrap();
    }
}

/// The rows that are inserted after this migration.
fn fixture(schema: &Schema, version: i64, description: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rows");
    let shared = folder.join(format!("{description}.sql"));
    let own = folder.join(format!("{}/{version:04}.sql", schema.name));
    fs::read_to_string(shared).or_else(|_| fs::read_to_string(own)).ok()
}

/// How many rows each table has.
async fn rows(connection: &mut PgConnection) -> BTreeMap<String, i64> {
    let tables = "SELECT tablename::text FROM pg_tables
        WHERE schemaname = 'fresh' AND tablename <> '_sqlx_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await.unwrap();
    let mut rows = BTreeMap::new();
    for table in tables {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        rows.insert(table, sqlx::query_scalar(count).fetch_one(&mut *connection).await.unwrap());
    }
    rows
}
