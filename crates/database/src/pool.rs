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

/// Why a service's database cannot be used. The URL holds a password, so it is not shown.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It is no URL of a database.
    #[error("{variable} is no database: give postgres://role:password@host:port/database")]
    Url {
        /// What sets it.
        variable: &'static str,
        /// What is wrong with it.
        source: sqlx::Error,
    },
    /// Nobody answers.
    #[error("no database answers at {place} within 10 s: start it, or correct {variable}")]
    Silent {
        /// Where.
        place: String,
        /// What sets it.
        variable: &'static str,
    },
    /// The server lets nobody in, or not this role.
    #[error("the database at {place} refuses {role}: correct {variable}, or make the role")]
    Refused {
        /// Where.
        place: String,
        /// Whom.
        role: String,
        /// What sets it.
        variable: &'static str,
        /// What it says.
        source: sqlx::Error,
    },
    /// A statement failed.
    #[error("database: {0}")]
    Failed(#[from] sqlx::Error),
}

/// A pool on the service's schema. Fails when the server does not answer within 10 s.
pub async fn connect(config: &DatabaseConfig) -> Result<PgPool, DatabaseError> {
    connect_to("DATABASE_URL", &config.database_url, config.database_connections).await
}

/// The same for a URL that another variable sets.
pub async fn connect_to(
    variable: &'static str,
    url: &str,
    connections: u32,
) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|source| DatabaseError::Url { variable, source })?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let role = options.get_username().to_owned();
    let name = format!("karcis {}", options.get_username());
    // A plan kept from when the tables were small would scan them long after they have grown.
    let options =
        options.application_name(&name).options([("plan_cache_mode", "force_custom_plan")]);
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping at every use would double the round trips of small statements.
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
                return Err(DatabaseError::Silent { place, variable });
            }
            Err(source @ sqlx::Error::Database(_)) => {
                return Err(DatabaseError::Refused { place, role, variable, source });
            }
            Err(error) => return Err(error.into()),
        }
    }
}
