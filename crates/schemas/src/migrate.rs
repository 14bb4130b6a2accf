//! The migration runner.
//!
//! Guarantees: a migration that waits for a table's lock lets others use the table in between, so that
//! a long reader holds up the migration alone; another one who migrates the same database waits until
//! it ends; an index whose building was broken off is built again.

use std::{borrow::Cow, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator, postgres::PgConnectOptions,
};
use tokio::time::sleep;

use crate::locked_out::{SetupError, Tries};

/// How long somebody else who migrates is waited for before he is looked for again.
const TURN_PAUSE: Duration = Duration::from_millis(500);

/// Brings the schema up to date, once nobody else migrates this database. An older release starts on a
/// newer schema, since changes are additive: that is how releases are rolled out, and taken back. A lock
/// that is not got within a minute is an error.
pub async fn migrate(
    options: &PgConnectOptions,
    migrator: &'static Migrator,
) -> Result<(), SetupError> {
    // Holds the lock against others until it is dropped, also if this fails.
    let mut turn = PgConnection::connect_with(options).await?;
    await_turn(&mut turn).await?;
    let mut tries = Tries::begin();
    loop {
        // Of its own, since one that failed still has sqlx's lock.
        let mut connection = PgConnection::connect_with(options).await?;
        let migrated = try_migrate(&mut connection, migrator).await;
        // What the migration says counts, not whether the server hears the goodbye.
        let _ = connection.close().await;
        let Err(error) = migrated else { break };
        tries.again_after(error).await?;
    }
    let _ = turn.close().await;
    Ok(())
}

/// Waits until nobody else migrates this database. It asks again and again: an index that another one
/// builds waits for every statement that is older, so a statement that waits for him would be a
/// deadlock.
async fn await_turn(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let ask = "SELECT pg_try_advisory_lock(hashtextextended('karcis migrations', 0))";
    for times in 0_u64.. {
        if sqlx::query_scalar(ask).fetch_one(&mut *connection).await? {
            break;
        }
        if times.is_multiple_of(60) {
            tracing::info!("another one migrates this database: waiting for its end");
        }
        sleep(TURN_PAUSE).await;
    }
    Ok(())
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
        // Others queue behind a migration that waits, but not behind an index that is built
        // concurrently, which waits for all who write.
        let lock_timeout = if no_tx { "1h" } else { "2s" };
        let set = AssertSqlSafe(format!("SET lock_timeout = '{lock_timeout}'"));
        sqlx::query(set).execute(&mut *connection).await?;
        if no_tx {
            drop_half_built_indexes(connection, &migrator).await?;
        }
        // `run` would make this future impossible to spawn: its borrow is not general enough for Send.
        migrator.run_direct(Some(version), &mut *connection, false).await?;
    }
    Ok(())
}

/// Drops what is left of the indexes of these migrations whose building was broken off: it would be in
/// the way of building them again.
async fn drop_half_built_indexes(
    connection: &mut PgConnection,
    migrator: &Migrator,
) -> Result<(), sqlx::Error> {
    let half_built = "SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace
            AND $1 ~ ('\\m' || relname || '\\M')";
    let concurrent = migrator.iter().filter(|migration| migration.no_tx);
    let sql: String = concurrent.map(|migration| migration.sql.as_str()).collect();
    let drops: Vec<String> =
        sqlx::query_scalar(half_built).bind(sql).fetch_all(&mut *connection).await?;
    for drop in drops {
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
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
