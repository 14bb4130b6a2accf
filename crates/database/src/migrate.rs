//! The migration runner.
//!
//! Guarantees: a migration that waits for a table's lock lets others use the table in between, so that
//! a long reader holds up the migration alone.

use std::{borrow::Cow, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, migrate::Migrator};
use tokio::time::{Instant, sleep};

use crate::DatabaseError;

/// For how long locks are tried for, and the first pause between two tries, which doubles.
const TRY_TIME: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(4);

/// Brings the schema up to date. Instances that start together wait for each other. An older
/// release starts on a newer schema, since changes are additive: that is how releases are rolled
/// out, and taken back. A lock that is not got within a minute is an error.
pub async fn migrate(pool: &PgPool, migrator: &'static Migrator) -> Result<(), DatabaseError> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        // Of its own, since one that failed still has the lock against other instances.
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let migrated = try_migrate(&mut connection, migrator).await;
        connection.close().await?;
        match migrated {
            Err(error) if is_lock_timeout(&error) && began.elapsed() < TRY_TIME => {
                tracing::warn!("a migration waits: another session has its table locked");
            }
            migrated => return Ok(migrated?),
        }
        sleep(pause).await;
        pause = (2 * pause).min(LAST_PAUSE);
    }
}

async fn try_migrate(
    connection: &mut PgConnection,
    migrator: &'static Migrator,
) -> Result<(), sqlx::Error> {
    let migrator = Migrator {
        migrations: Cow::Borrowed(&migrator.migrations),
        ignore_missing: true,
        ..Migrator::DEFAULT
    };
    for (no_tx, version) in steps(&migrator) {
        // Others queue behind a migration that waits. An index that is built concurrently holds up
        // nobody, and would stay behind half-built.
        let lock_timeout = if no_tx { "60s" } else { "2s" };
        let set = AssertSqlSafe(format!("SET lock_timeout = '{lock_timeout}'"));
        sqlx::query(set).execute(&mut *connection).await?;
        // `run` would make this future impossible to spawn: its borrow is not general enough for Send.
        migrator.run_direct(Some(version), &mut *connection, false).await?;
    }
    Ok(())
}

/// The migrations in order, as few steps as possible: whether a step runs outside a transaction, and
/// its last version.
fn steps(migrator: &Migrator) -> Vec<(bool, i64)> {
    let mut steps: Vec<(bool, i64)> = Vec::new();
    for migration in migrator.iter() {
        match steps.last_mut() {
            Some((no_tx, version)) if *no_tx == migration.no_tx => *version = migration.version,
            _ => steps.push((migration.no_tx, migration.version)),
        }
    }
    steps
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let error = match error {
        sqlx::Error::Migrate(cause) => match &**cause {
            Execute(error) | ExecuteMigration(error, _) => error,
            _ => return false,
        },
        error => error,
    };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
