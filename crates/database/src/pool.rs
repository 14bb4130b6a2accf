//! A service's connections to its own schema.
//!
//! Guarantees: no caller waits longer than 5 s for a free connection; an idle connection is tried
//! before it is used, so that a restart of the server costs no request.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// How long a caller waits for a connection when all are in use.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a starting service waits for the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a service's schema is.
#[derive(Clone, clap::Args)]
pub struct DatabaseConfig {
    /// The service's own database, as its own role: postgres://role:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Connections to it that are kept at most.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 16, value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub database_connections: u32,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig").finish_non_exhaustive()
    }
}

/// Why a database cannot be used, with the environment variable that names it. The URL holds a
/// password, so it is never shown.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("{variable} is no database: give postgres://role:password@host:port/database")]
    InvalidUrl { variable: &'static str, source: sqlx::Error },
    #[error("no database answers at {address} within 10 s: start it, or correct {variable}")]
    NoAnswer { address: String, variable: &'static str },
    #[error("the database at {address} refuses {role}: correct {variable}, or make the role")]
    AccessDenied { address: String, role: String, variable: &'static str, source: sqlx::Error },
    #[error("migration {version} has not been applied: run karcis migrate")]
    NotMigrated { version: i64 },
    #[error("migration {version} was applied in another form: this program is of another source")]
    OtherMigration { version: i64 },
    #[error("database: {0}")]
    Failed(#[from] sqlx::Error),
}

/// A pool of connections to the service's schema. An error if the server does not answer within
/// 10 s.
pub async fn connect(config: &DatabaseConfig) -> Result<PgPool, DatabaseError> {
    connect_to("DATABASE_URL", &config.database_url, config.database_connections).await
}

/// The same for a URL that the environment variable `variable` sets.
pub async fn connect_to(
    variable: &'static str,
    url: &str,
    connections: u32,
) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|source| DatabaseError::InvalidUrl { variable, source })?;
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let role = options.get_username().to_owned();
    let name = format!("karcis {}", options.get_username());
    // A cached plan, made when the tables were small, would go on scanning them when they are large.
    let options =
        options.application_name(&name).options([("plan_cache_mode", "force_custom_plan")]);
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping before every use would double the round trips of small statements.
        .test_before_acquire(false)
        .before_acquire(|connection, connection_state| {
            Box::pin(async move {
                if connection_state.idle_for > Duration::from_secs(1) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    let start = Instant::now();
    loop {
        match pool.acquire().await {
            Ok(_) => return Ok(pool),
            Err(sqlx::Error::PoolTimedOut) if start.elapsed() < CONNECT_TIMEOUT => {}
            Err(sqlx::Error::PoolTimedOut) => {
                return Err(DatabaseError::NoAnswer { address, variable });
            }
            Err(source @ sqlx::Error::Database(_)) => {
                return Err(DatabaseError::AccessDenied { address, role, variable, source });
            }
            Err(error) => return Err(error.into()),
        }
    }
}
