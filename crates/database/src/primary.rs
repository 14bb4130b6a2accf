//! The servers of a database, of which one at a time takes writes: the primary, and those that can take its
//! place.
//!
//! Guarantees: a connection is used only if its server takes writes and has confirmed one since it started. Where
//! a commit waits for a synchronous standby, all that this connection shows is therefore at the standby, too, also
//! after a crash of a primary that is cut off from it. Of each role one session at a time waits for such a
//! confirmation, however many want one and give up. Where a URL names several servers, the one is used that takes
//! writes: another one within 5 s, once the last one no longer does.

use std::{
    ops::Deref,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    Connection as _, Error, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// How often each of several servers is asked whether it takes writes.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long it has to answer: then it is asked on another connection, as this one may be dead.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long the last one must have been silent before another one counts.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long [`primary`] looks for one.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

/// Whether the server takes writes, and has confirmed this one: it is no standby and not read-only, and its
/// synchronous standby, if it has one, has all that was committed before. Nothing ends a commit's wait for the
/// standby, not even that the client is gone; so the lock, which is held until then, lets one wait alone.
const CONFIRMS: &str = "SET LOCAL lock_timeout = '4s';
    SELECT CASE current_setting('transaction_read_only') WHEN 'off' THEN pg_logical_emit_message(
        pg_advisory_xact_lock(hashtextextended('karcis confirms ' || current_user, 0)) IS NOT NULL,
        'karcis', '') IS NOT NULL ELSE false END";
/// Whether it takes writes and has confirmed one since it started: then a session lives there that is named so.
const HAS_CONFIRMED: &str = "SELECT current_setting('transaction_read_only') = 'off' AND EXISTS (
    SELECT FROM pg_stat_activity
    WHERE usename = current_user AND application_name = 'karcis-confirmed')";
const NAME_IT_SO: &str = "SET application_name = 'karcis-confirmed'";

async fn says(connection: &mut PgConnection, question: &'static str) -> Result<bool, Error> {
    // To the end, as the commit is behind the row.
    let rows = sqlx::raw_sql(question).fetch_all(connection).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

/// An error unless this server takes writes and confirms one now.
pub(crate) async fn check(connection: &mut PgConnection) -> Result<(), Error> {
    let refused = "the server takes no writes: it is a standby, or read-only";
    if says(connection, CONFIRMS).await? { Ok(()) } else { Err(Error::Io(other(refused))) }
}

/// The same for a pool's connection. One that only reads is used, too, while the server waits for a standby:
/// one that also writes would wait there itself, and the next in its place.
pub(crate) async fn admit(connection: &mut PgConnection, only_reads: bool) -> Result<(), Error> {
    if !(only_reads && says(connection, HAS_CONFIRMED).await?) {
        check(connection).await?;
    }
    sqlx::raw_sql(NAME_IT_SO).execute(connection).await.map(drop)
}

fn other(what: &'static str) -> std::io::Error {
    std::io::Error::other(what)
}

/// A URL for each of the hosts that one URL may name, as libpq has them:
/// `postgres://role:password@one:5432,other:5432/database`. Karcis always wants the server that takes writes, so
/// `target_session_attrs` may only say so.
fn urls(url: &str) -> Result<Vec<String>, Error> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(vec![url.to_owned()]) };
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let (database, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parameters = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("target_session_attrs", "read-write" | "primary")) => {}
            Some(("target_session_attrs", _)) => {
                let refused = "target_session_attrs can only be read-write or primary";
                return Err(Error::Configuration(refused.into()));
            }
            _ => parameters.push(parameter),
        }
    }
    if hosts.contains(',') && hosts.split(',').any(str::is_empty) {
        return Err(Error::Configuration("a host of the list is empty".into()));
    }
    let query = if parameters.is_empty() { "" } else { "?" }.to_owned() + &parameters.join("&");
    let url = |host| format!("{scheme}://{login}{host}{database}{query}");
    Ok(hosts.split(',').map(url).collect())
}

/// The URL of the server that takes writes, of a URL that may name several; of one server, as it is. An error
/// if none does within 10 s.
pub async fn primary(url: &str) -> Result<String, Error> {
    let urls = urls(url)?;
    if let [only] = &urls[..] {
        return Ok(only.clone());
    }
    let began = Instant::now();
    loop {
        for url in &urls {
            let ask = async {
                let mut connection = PgConnection::connect(url).await?;
                says(&mut connection, CONFIRMS).await
            };
            match timeout(ANSWERS_WITHIN, ask).await {
                Ok(Ok(true)) => return Ok(url.clone()),
                Ok(Err(error)) if began.elapsed() > FOUND_WITHIN => return Err(error),
                _ => {}
            }
        }
        if began.elapsed() > FOUND_WITHIN {
            return Err(other("no server of the list takes writes").into());
        }
        sleep(ASK_EVERY).await;
    }
}

/// The servers of a URL, and which one is used. They are asked until this is dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    all: Vec<PgConnectOptions>,
    used: Arc<Mutex<Used>>,
    _asking: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Used {
    /// Its place in the list.
    server: usize,
    /// When it last took a write, where it was asked.
    wrote: Option<Instant>,
}

impl Servers {
    /// Those of this URL, each with these settings. One server alone is not asked.
    pub(crate) fn of(
        url: &str,
        settings: impl Fn(PgConnectOptions) -> PgConnectOptions,
    ) -> Result<Arc<Self>, Error> {
        let all = urls(url)?.into_iter().map(|url| PgConnectOptions::from_str(&url).map(&settings));
        let all = all.collect::<Result<Vec<_>, Error>>()?;
        let (used, mut asking) = (Arc::default(), JoinSet::new());
        if all.len() > 1 {
            for (server, options) in all.iter().cloned().enumerate() {
                asking.spawn(ask_all_along(server, options, Arc::clone(&used)));
            }
        }
        Ok(Arc::new(Self { all, used, _asking: asking }))
    }

    /// The role, the same at all.
    pub(crate) fn role(&self) -> &str {
        self.all[0].get_username()
    }

    /// Where they are, such as `one:5432, other:5432`.
    pub(crate) fn addresses(&self) -> String {
        let all = self.all.iter().map(|it| format!("{}:{}", it.get_host(), it.get_port()));
        all.collect::<Vec<_>>().join(", ")
    }

    /// Waits until it is known which of several takes writes.
    pub(crate) async fn found(&self) {
        while self.all.len() > 1 && lock(&self.used).wrote.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn lock(used: &Mutex<Used>) -> MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn ask_all_along(server: usize, options: PgConnectOptions, used: Arc<Mutex<Used>>) {
    loop {
        let connect = PgConnection::connect_with(&options);
        if let Ok(Ok(mut connection)) = timeout(ANSWERS_WITHIN, connect).await {
            let mut ask = async || timeout(ANSWERS_WITHIN, says(&mut connection, CONFIRMS)).await;
            while let Ok(Ok(takes_writes)) = ask().await {
                if takes_writes {
                    took_a_write(&mut lock(&used), server, &options);
                }
                sleep(ASK_EVERY).await;
            }
        }
        sleep(ASK_EVERY).await;
    }
}

/// This server is used from now on, unless the one that is used takes writes, too.
fn took_a_write(used: &mut Used, server: usize, options: &PgConnectOptions) {
    if used.server != server {
        if used.wrote.is_some_and(|at| at.elapsed() < SILENT_FOR) {
            return;
        }
        let (host, port) = (options.get_host(), options.get_port());
        tracing::warn!(host, port, "another database server takes the writes now");
    }
    *used = Used { server, wrote: Some(Instant::now()) };
}

/// A pool at each of the servers of a database. What is used is the one at the server that takes writes, so no
/// connection to another one.
#[derive(Debug)]
pub struct AtPrimary {
    servers: Arc<Servers>,
    pools: Vec<PgPool>,
}

impl AtPrimary {
    pub(crate) fn new(servers: &Arc<Servers>, options: &PgPoolOptions) -> Self {
        let pool = |server: &PgConnectOptions| options.clone().connect_lazy_with(server.clone());
        Self { servers: Arc::clone(servers), pools: servers.all.iter().map(pool).collect() }
    }

    /// The place in the list of the server that is used.
    pub(crate) fn server(&self) -> usize {
        lock(&self.servers.used).server
    }
}

impl Deref for AtPrimary {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pools[self.server()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_several_hosts_as_libpq_has_them() {
        for (url, expected) in [
            ("postgres://r:p@db:5433/shop", vec!["postgres://r:p@db:5433/shop"]),
            (
                "postgres://r@a:1,b:2,c/shop",
                vec!["postgres://r@a:1/shop", "postgres://r@b:2/shop", "postgres://r@c/shop"],
            ),
            (
                "postgresql://r:a,b%40c@[::1]:1,[::2]:2?target_session_attrs=read-write",
                vec!["postgresql://r:a,b%40c@[::1]:1", "postgresql://r:a,b%40c@[::2]:2"],
            ),
            (
                "postgres://a,b/shop?sslmode=require&target_session_attrs=primary&options=-c",
                vec![
                    "postgres://a/shop?sslmode=require&options=-c",
                    "postgres://b/shop?sslmode=require&options=-c",
                ],
            ),
        ] {
            assert_eq!(urls(url).expect(url), expected, "{url}");
        }
        for refused in [
            "postgres://a,/shop",
            "postgres://r@a,,b/shop",
            "postgres://a/s?target_session_attrs=any",
        ] {
            urls(refused).expect_err(refused);
        }
    }
}
