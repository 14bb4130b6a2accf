//! Migrations beside sessions that use the same tables.

use std::{borrow::Cow, time::Duration};

use karcis_database::{connect_to, migrate};
use karcis_schemas::{BOOKINGS, as_owner};
use karcis_testkit::{TestEnvironment, eventually};
use sqlx::{
    PgPool,
    migrate::{Migration, MigrationType, Migrator},
};
use tokio::time::Instant;

/// The released migrations and one more, which alters a table.
fn with_one_more() -> &'static Migrator {
    let alter = Migration::new(
        9_999,
        "alter".into(),
        MigrationType::Simple,
        sqlx::SqlStr::from_static("ALTER TABLE saga_log ADD COLUMN note text"),
        false,
    );
    let migrations: Vec<_> = BOOKINGS.migrations.iter().cloned().chain([alter]).collect();
    Box::leak(Box::new(Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT }))
}

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
    let pool = connect_to("DATABASE_URL", &database_url, 4).await.unwrap();
    let mut reader = environment.superuser().begin().await.unwrap();
    let read = "SELECT count(*) FROM bookings.saga_log";
    let _: i64 = sqlx::query_scalar(read).fetch_one(&mut *reader).await.unwrap();

    let owner = as_owner(environment.database_url(), &BOOKINGS).unwrap();
    let migrating = tokio::spawn(async move { migrate(&owner, with_one_more()).await });
    let mut met = 0;
    let began = Instant::now();
    // Longer than the 5 s after which a waiting statement of a service fails.
    while met < 3 || began.elapsed() < Duration::from_secs(8) {
        eventually(
            async || if is_waited_for(environment.superuser()).await { Ok(()) } else { Err(()) },
        )
        .await;
        met += 1;
        let insert = "INSERT INTO saga_log (booking_id, seq, at, input, to_stage, sent)
            VALUES (gen_random_uuid(), 1, now(), 'create', 'reserving', '')";
        sqlx::query(insert).execute(&pool).await.expect("others can write");
        assert!(!migrating.is_finished(), "the migration waits for the reader");
    }
    reader.rollback().await.unwrap();
    migrating.await.unwrap().expect("the migration ends");
    sqlx::query("SELECT note FROM saga_log").execute(&pool).await.expect("the column is there");
}
