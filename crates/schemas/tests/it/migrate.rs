//! Migrations beside sessions that use the same tables, and beside each other.

use std::{borrow::Cow, time::Duration};

use karcis_schemas::{BOOKINGS, SetupError, as_owner, migrate};
use karcis_testkit::{TestEnvironment, eventually};
use sqlx::{
    PgPool,
    migrate::{Migration, MigrationType, Migrator},
};
use tokio::{task::JoinHandle, time::Instant};

/// Brings the schema of bookings up to date with the released migrations and one more.
fn migrate_with(
    environment: &TestEnvironment,
    sql: &'static str,
) -> JoinHandle<Result<(), SetupError>> {
    let (kind, no_tx) = (MigrationType::Simple, sql.contains("CONCURRENTLY"));
    let sql = sqlx::SqlStr::from_static(sql);
    let more = Migration::new(9_999, "more".into(), kind, sql, no_tx);
    let migrations: Vec<_> = BOOKINGS.migrations.iter().cloned().chain([more]).collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    let owner = as_owner(environment.database_url(), &BOOKINGS).unwrap();
    tokio::spawn(async move { migrate(&owner, Box::leak(Box::new(migrator))).await })
}

const ALTER: &str = "ALTER TABLE saga_log ADD COLUMN note text";
const BUILD: &str = "CREATE INDEX CONCURRENTLY saga_log_by_time ON saga_log (at)";
const INSERT: &str = "INSERT INTO bookings.saga_log (booking_id, seq, at, input, to_stage, sent)
    VALUES (gen_random_uuid(), 1, now(), 'create', 'reserving', '')";

async fn is_waited_for(superuser: &PgPool) -> bool {
    let waits =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
        AND relation = 'bookings.saga_log'::regclass)";
    sqlx::query_scalar(waits).fetch_one(superuser).await.expect("locks can be read")
}

#[tokio::test]
async fn a_long_reader_holds_up_a_migration_and_nobody_else() {
    let environment = TestEnvironment::start().await;
    let database_url = environment.role_url(BOOKINGS);
    let pool = PgPool::connect(&database_url).await.unwrap();
    let mut reader = environment.superuser().begin().await.unwrap();
    let read = "SELECT count(*) FROM bookings.saga_log";
    let _: i64 = sqlx::query_scalar(read).fetch_one(&mut *reader).await.unwrap();

    let migrating = migrate_with(&environment, ALTER);
    let mut met = 0;
    let began = Instant::now();
    // Longer than the 5 s after which a waiting statement of a service fails.
    while met < 3 || began.elapsed() < Duration::from_secs(8) {
        eventually(
            async || if is_waited_for(environment.superuser()).await { Ok(()) } else { Err(()) },
        )
        .await;
        met += 1;
        sqlx::query(INSERT).execute(&pool).await.expect("others can write");
        assert!(!migrating.is_finished(), "the migration waits for the reader");
    }
    reader.rollback().await.unwrap();
    migrating.await.unwrap().expect("the migration ends");
    sqlx::query("SELECT note FROM bookings.saga_log")
        .execute(&pool)
        .await
        .expect("the column is there");
}

/// The processes of the server that run this statement and wait.
async fn waiting(superuser: &PgPool, statement: &str) -> Vec<i32> {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'active' AND wait_event_type = 'Lock' AND starts_with(query, $1)";
    sqlx::query_scalar(waiting).bind(statement).fetch_all(superuser).await.unwrap()
}

/// How many sessions wait for an advisory lock, or have asked for one and do nothing since then.
async fn who_asked_for_the_lock(superuser: &PgPool) -> i64 {
    let asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND (wait_event = 'advisory' OR state = 'idle' AND query LIKE 'SELECT pg_try_advisory_lock%')";
    sqlx::query_scalar(asked).fetch_one(superuser).await.unwrap()
}

#[tokio::test]
async fn two_who_migrate_at_the_same_time_build_an_index_together() {
    let environment = TestEnvironment::start().await;
    let mut writer = environment.superuser().begin().await.unwrap();
    sqlx::query(INSERT).execute(&mut *writer).await.unwrap();
    let first = migrate_with(&environment, BUILD);
    eventually(async || waiting(environment.superuser(), BUILD).await.len()).is(1).await;
    let before = who_asked_for_the_lock(environment.superuser()).await;
    let second = migrate_with(&environment, BUILD);
    eventually(async || who_asked_for_the_lock(environment.superuser()).await).is(before + 1).await;
    // The build waits for every older statement; the second one's must not wait for the build.
    writer.commit().await.unwrap();
    first.await.unwrap().expect("the first one builds it");
    second.await.unwrap().expect("the second one waits for that");
}

#[tokio::test]
async fn an_index_that_is_half_built_is_built_again() {
    let environment = TestEnvironment::start().await;
    let superuser = environment.superuser();
    let mut writer = superuser.begin().await.unwrap();
    sqlx::query(INSERT).execute(&mut *writer).await.unwrap();
    let migrating = migrate_with(&environment, BUILD);
    eventually(async || waiting(superuser, BUILD).await.len()).is(1).await;
    let end = "SELECT pg_terminate_backend(pid) FROM unnest($1) AS pid";
    let builder = waiting(superuser, BUILD).await;
    sqlx::query(end).bind(&builder).execute(superuser).await.unwrap();
    let error = migrating.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("terminating connection"), "its own error is told: {error}");
    writer.commit().await.unwrap();

    migrate_with(&environment, BUILD).await.unwrap().expect("the second try ends");
    let valid = "SELECT indisvalid FROM pg_index
        WHERE indexrelid = 'bookings.saga_log_by_time'::regclass";
    let valid: bool = sqlx::query_scalar(valid).fetch_one(superuser).await.unwrap();
    assert!(valid);
}
