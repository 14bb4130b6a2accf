//! A service's connections to its own schema: a pool for each kind of work, so that none takes the
//! connections of another.
//!
//! Guarantees: no caller waits longer than 5 s for a free connection; an idle connection is tried
//! before it is used, for 1 s, so that a restart of the server costs no request; the server ends what a
//! client has given up, within some 2 s. [`crate::primary`] says which server that is.

use std::time::Duration;

use sqlx::{
    Connection as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{
    Pool,
    connection::STATEMENT_LIMIT,
    primary::{AtPrimary, Servers, admit},
};

/// How long a caller waits for a connection when all are in use.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection has to answer before it is used.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// How much longer the server works on a statement than it is waited for: what it ends, nobody waits for. It
/// counts the statement alone, not a commit's wait for a standby, which only the standby ends.
const SERVER_MARGIN: Duration = Duration::from_secs(1);
/// How long a starting service waits for the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a service's schema is.
#[derive(Clone, clap::Args)]
pub struct DatabaseConfig {
    /// The service's own database, as its own role: postgres://role:password@host:port/database; several
    /// servers, of which one at a time takes writes, as host:port,host:port.
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
    #[error(
        "no database answers at {address} within 10 s that takes writes: start it, or correct {variable}"
    )]
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
    let (variable, url) = ("DATABASE_URL", &config.database_url);
    let pools = [(third, Use::Reads), (third, Use::Writes), (rest, Use::Writes)];
    let [reads, writes, saga] = open(variable, url, pools, STATEMENT_LIMIT).await?;
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
    let pools = [(connections, Use::Writes)];
    let [pool] = open(variable, url, pools, limit.max(STATEMENT_LIMIT)).await?;
    Ok(pool)
}

/// Pools of so many connections, all at the same server.
async fn open<const POOLS: usize>(
    variable: &'static str,
    url: &str,
    pools: [(u32, Use); POOLS],
    limit: Duration,
) -> Result<[Pool; POOLS], DatabaseError> {
    let servers = Servers::of(url, |options| with_settings(options, limit))
        .map_err(|source| DatabaseError::InvalidUrl { variable, source })?;
    let pools = pools.map(|(most, uses)| {
        // A ping before every use would double the round trips of small statements.
        let options = careful(uses, Duration::from_secs(1)).max_connections(most);
        AtPrimary::new(&servers, &options)
    });
    let answer = async {
        servers.found().await;
        for pool in &pools {
            while let Err(error) = pool.acquire().await {
                match error {
                    sqlx::Error::PoolTimedOut => {}
                    error => return Err(error),
                }
            }
        }
        Ok(())
    };
    match timeout(CONNECT_TIMEOUT, answer).await {
        Ok(Ok(())) => Ok(pools.map(|pool| Pool::new(pool, limit))),
        Ok(Err(source @ sqlx::Error::Database(_))) => {
            let (address, role) = (servers.addresses(), servers.role().to_owned());
            Err(DatabaseError::AccessDenied { address, role, variable, source })
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(DatabaseError::NoAnswer { address: servers.addresses(), variable }),
    }
}

/// Tries again, once, what got no connection in time: a server that has answered may stand still for a moment.
pub async fn once_more<T, F>(work: impl Fn() -> F) -> Result<T, DatabaseError>
where
    F: Future<Output = Result<T, DatabaseError>>,
{
    match work().await {
        Err(DatabaseError::Failed(sqlx::Error::PoolTimedOut)) => work().await,
        done => done,
    }
}

fn with_settings(options: PgConnectOptions, limit: Duration) -> PgConnectOptions {
    let name = format!("karcis {}", options.get_username());
    let server_limit = format!("{}ms", (limit + SERVER_MARGIN).as_millis());
    options.application_name(&name).options([
        // By index whatever the statistics say, so a plan that was made while the tables were small stays good.
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        // It reads what a queue's index names of long ago again and again: it never marks that as dead.
        ("enable_bitmapscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
        ("statement_timeout", &server_limit),
        // A statement whose client has given it up would keep its locks until its end.
        ("client_connection_check_interval", "2s"),
    ])
}

/// What a pool's connections are used for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Reads,
    Writes,
}

/// Lists and searches are planned for what they look for, each time.
const PLAN_EACH: &str = "SET plan_cache_mode = force_custom_plan; SET enable_seqscan = on;
    SET enable_bitmapscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on";

/// A connection that was idle for so long is tried before it is used.
fn careful(uses: Use, trusted_for: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if uses == Use::Reads {
                    sqlx::raw_sql(PLAN_EACH).execute(&mut *connection).await?;
                }
                admit(connection, uses == Use::Reads).await
            })
        })
        .before_acquire(move |connection, state| {
            Box::pin(async move {
                if state.idle_for > trusted_for {
                    let silent = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
                    timeout(PING_LIMIT, connection.ping()).await.map_err(silent)??;
                }
                Ok(true)
            })
        })
}

/// A bare pool to the database of a URL that may name several servers, for who looks at it from outside: its
/// statements have no limit.
pub async fn bare_pool(url: &str, connections: u32) -> Result<AtPrimary, sqlx::Error> {
    let servers = Servers::of(url, |options| options)?;
    let options = careful(Use::Writes, Duration::ZERO).max_connections(connections);
    let pool = AtPrimary::new(&servers, &options.acquire_timeout(2 * ACQUIRE_TIMEOUT));
    // If it is not, to use the pool fails.
    let _ = timeout(CONNECT_TIMEOUT, servers.found()).await;
    pool.acquire().await?;
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::ready};

    use super::*;

    #[tokio::test]
    async fn what_got_no_connection_is_tried_again_once() {
        let with = async |outcomes: &[fn() -> sqlx::Error]| {
            let tries = Cell::new(0);
            let work = || {
                let error = outcomes.get(tries.replace(tries.get() + 1));
                ready(error.map_or(Ok(()), |error| Err(error().into())))
            };
            (once_more(work).await.is_ok(), tries.get())
        };
        let none = || sqlx::Error::PoolTimedOut;
        assert_eq!(with(&[]).await, (true, 1));
        assert_eq!(with(&[none]).await, (true, 2));
        assert_eq!(with(&[none, none]).await, (false, 2));
        assert_eq!(with(&[|| sqlx::Error::PoolClosed]).await, (false, 1));
    }
}
