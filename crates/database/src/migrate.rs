//! The migration runner.

use std::borrow::Cow;

use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::{DatabaseError, Pool};

/// Brings the schema up to date. Instances that start together wait for each other. An older
/// release starts on a newer schema, since changes are additive: that is how releases are rolled
/// out, and taken back.
pub async fn migrate(pool: &Pool, migrator: &'static Migrator) -> Result<(), DatabaseError> {
    let migrator = Migrator {
        migrations: Cow::Borrowed(&migrator.migrations),
        ignore_missing: true,
        ..Migrator::DEFAULT
    };
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    // The role's 5 s would also bound the wait for the instance that migrates first.
    sqlx::query("SET lock_timeout = '60s'").execute(&mut connection).await?;
    // `run` would make this future impossible to spawn: its borrow is not general enough for Send.
    let migrated = migrator.run_direct(None, &mut connection, false).await;
    migrated.map_err(sqlx::Error::from)?;
    Ok(connection.close().await?)
}
