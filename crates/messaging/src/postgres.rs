//! A service's connection to its own schema.

use sqlx::{PgPool, migrate::Migrator};

/// Where a service's schema is.
#[derive(Clone, clap::Args)]
pub struct DatabaseConfig {
    /// The service's own database, as its own role: `postgres://role:password@host:port/database`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Connections kept at most.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig").finish_non_exhaustive()
    }
}

/// A pool on the service's schema. Fails when the server does not answer within 10 s.
pub async fn connect(_config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    todo!()
}

/// Brings the schema up to date. Instances that start together wait for each other.
pub async fn migrate(_pool: &PgPool, _migrator: &Migrator) -> Result<(), sqlx::Error> {
    todo!()
}

/// Whether the same statement may succeed later: connection lost (08), resources (53), shutdown
/// (57), serialization and deadlock (40), lock timeout (55P03), pool timed out, and anything else
/// that is not the data's fault (22, 23).
pub fn is_transient(_error: &sqlx::Error) -> bool {
    todo!()
}
