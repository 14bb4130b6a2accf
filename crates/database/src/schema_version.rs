//! Whether a schema has all the migrations that a program was compiled with.

use std::collections::HashMap;

use sqlx::migrate::Migrator;

use crate::{DatabaseError, Pool};

/// An error that says what to do unless each of these migrations has been applied, as it is here.
/// Later ones, of a newer release, are fine: they only add.
pub async fn check_migrations(
    pool: &Pool,
    migrator: &'static Migrator,
) -> Result<(), DatabaseError> {
    let read = "SELECT version, checksum FROM _sqlx_migrations WHERE success";
    let applied: Vec<(i64, Vec<u8>)> = match sqlx::query_as(read).fetch_all(pool).await {
        Ok(applied) => applied,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => {
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let applied: HashMap<_, _> = applied.into_iter().collect();
    for migration in migrator.iter() {
        match applied.get(&migration.version) {
            Some(checksum) if checksum[..] == migration.checksum[..] => {}
            Some(_) => return Err(DatabaseError::OtherMigration { version: migration.version }),
            None => return Err(DatabaseError::NotMigrated { version: migration.version }),
        }
    }
    Ok(())
}

const NO_SUCH_TABLE: &str = "42P01";
