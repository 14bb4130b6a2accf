//! A service starts on a schema that `karcis migrate` has brought up to date, and on no other.

use karcis_schemas::USERS;
use karcis_testkit::TestEnvironment;
use sqlx::AssertSqlSafe;

use crate::harness::TestApp;

/// Runs this on the table of applied migrations.
async fn change(environment: &TestEnvironment, sql: &str) {
    let changed = sqlx::raw_sql(AssertSqlSafe(sql)).execute(environment.superuser()).await;
    changed.expect("the table is there");
}

#[tokio::test]
async fn without_its_migrations_a_service_says_what_to_run() {
    let environment = TestEnvironment::start().await;
    let newest = USERS.migrations.iter().map(|migration| migration.version).max();
    let newest = newest.expect("there are some");
    let newer = "INSERT INTO users._sqlx_migrations VALUES (9999, 'newer', now(), true, '', 0)";
    change(&environment, newer).await;
    TestApp::start(&environment, &[]).await.stop().await;

    for (lost, expected) in [
        (
            format!("UPDATE users._sqlx_migrations SET checksum = '' WHERE version = {newest}"),
            format!("migration {newest} was applied in another form"),
        ),
        (
            format!("DELETE FROM users._sqlx_migrations WHERE version = {newest}"),
            format!("migration {newest} has not been applied: run karcis migrate"),
        ),
        (
            "DROP TABLE users._sqlx_migrations".to_owned(),
            "migration 1 has not been applied: run karcis migrate".to_owned(),
        ),
    ] {
        change(&environment, &lost).await;
        let said = TestApp::start_error(&environment, &[]).await;
        assert!(said.contains(&expected), "{lost}: {said}");
    }
}
