//! A service's connections to its own schema: a pool for each kind of work, so that none takes the
//! connections of another.
//!
//! Guarantees: no caller waits longer than 5 s for a free connection; an idle connection is tried
//! before it is used, for 1 s, so that a restart of the server costs no request; the server ends what a
//! client has given up, within some 2 s.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Connection as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{Pool, connection::STATEMENT_LIMIT};

/// How long a caller waits for a connection when all are in use.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection has to answer before it is used.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// How much longer the server works on a statement than it is waited for: one that it gave up first
/// while a commit waits for a standby would be answered as committed.
const SERVER_MARGIN: Duration = Duration::from_secs(1);
/// How long a starting service waits for the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a service's schema is.
#[derive(Clone, clap::Args)]
pub struct DatabaseConfig {
    /// The service's own database, as its own role: postgres://role:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Connections to it that are kept at most: about a third each for reads, for what requests
    /// write, and for messages and deadlines.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 16, value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(3..))]
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

/// The connections to a service's schema, by who uses them.
#[derive(Clone, Debug)]
pub struct Pools {
    /// Lists, searches, and the versions of what is watched live.
    pub reads: Pool,
    /// What requests write, and what they read for that.
    pub writes: Pool,
    /// Messages, deadlines and other work that no request waits for.
    pub saga: Pool,
}

impl Pools {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, &Pool); 3] {
        [("reads", &self.reads), ("writes", &self.writes), ("saga", &self.saga)]
    }
}

/// Pools of connections to the service's schema. An error if the server does not answer within 10 s.
pub async fn connect(config: &DatabaseConfig) -> Result<Pools, DatabaseError> {
    let third = (config.database_connections / 3).max(1);
    let rest = config.database_connections.saturating_sub(2 * third).max(1);
    let pool =
        async |connections| connect_to("DATABASE_URL", &config.database_url, connections).await;
    let (reads, writes, saga) = tokio::try_join!(pool(third), pool(third), pool(rest))?;
    Ok(Pools { reads, writes, saga })
}

/// A pool of connections to the database of this URL, which the environment variable `variable` sets.
/// An error if the server does not answer within 10 s.
pub async fn connect_to(
    variable: &'static str,
    url: &str,
    connections: u32,
) -> Result<Pool, DatabaseError> {
    connect_patiently(variable, url, connections, STATEMENT_LIMIT).await
}

/// The same, whose statements have this long in place of 8 s, if it is longer.
pub async fn connect_patiently(
    variable: &'static str,
    url: &str,
    connections: u32,
    limit: Duration,
) -> Result<Pool, DatabaseError> {
    let limit = limit.max(STATEMENT_LIMIT);
    let options = PgConnectOptions::from_str(url)
        .map_err(|source| DatabaseError::InvalidUrl { variable, source })?;
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let role = options.get_username().to_owned();
    let name = format!("karcis {}", options.get_username());
    let server_limit = format!("{}ms", (limit + SERVER_MARGIN).as_millis());
    let options = options.application_name(&name).options([
        // A cached plan, made when the tables were small, would go on scanning them when they are
        // large.
        ("plan_cache_mode", "force_custom_plan"),
        ("statement_timeout", &server_limit),
        // A statement whose client has given it up would keep its locks until its end.
        ("client_connection_check_interval", "2s"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping before every use would double the round trips of small statements.
        .test_before_acquire(false)
        .before_acquire(|connection, connection_state| {
            Box::pin(async move {
                if connection_state.idle_for > Duration::from_secs(1) {
                    let silent = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
                    timeout(PING_LIMIT, connection.ping()).await.map_err(silent)??;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    let start = Instant::now();
    loop {
        match pool.acquire().await {
            Ok(_) => return Ok(Pool::new(pool, limit)),
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
