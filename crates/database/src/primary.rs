//! The servers of a database, of which one at a time takes writes: the primary, and those that can take its
//! place.
//!
//! Guarantees: a connection is used only if its server takes writes and has just confirmed one. Where a commit
//! waits for a synchronous standby, all that this connection shows is therefore at the standby, too, also after
//! a crash of a primary that is cut off from it. Where a URL names several servers, pools move within 5 s to
//! the one that takes writes once the last one no longer does, and use no connection to that one again.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Error, PgConnection, PgPool, Row, postgres::PgConnectOptions};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// How often each of several servers is asked whether it takes writes.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long it has to answer at first.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long the last one must have been silent before another one counts.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long [`primary`] looks for one.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

/// Whether this server takes writes, and has confirmed one: it is no standby and not read-only, and its
/// synchronous standby, if it has one, has all that was committed before.
async fn takes_writes(connection: &mut PgConnection) -> Result<bool, Error> {
    const ASK: &str = "SELECT CASE current_setting('transaction_read_only') WHEN 'off'
        THEN pg_logical_emit_message(true, 'karcis', '') IS NOT NULL ELSE false END";
    // To the end, as the commit is behind the row.
    let rows = sqlx::raw_sql(ASK).fetch_all(connection).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

/// An error unless this server takes writes.
pub(crate) async fn check(connection: &mut PgConnection) -> Result<(), Error> {
    let refused = "the server takes no writes: it is a standby, or read-only";
    if takes_writes(connection).await? {
        Ok(())
    } else {
        Err(std::io::Error::other(refused).into())
    }
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
                takes_writes(&mut connection).await
            };
            match timeout(ANSWERS_WITHIN, ask).await {
                Ok(Ok(true)) => return Ok(url.clone()),
                Ok(Err(error)) if began.elapsed() > FOUND_WITHIN => return Err(error),
                _ => {}
            }
        }
        if began.elapsed() > FOUND_WITHIN {
            return Err(std::io::Error::other("no server of the list takes writes").into());
        }
        sleep(ASK_EVERY).await;
    }
}

/// The servers of a URL, and which one is used.
#[derive(Clone)]
pub(crate) struct Servers {
    all: Arc<[PgConnectOptions]>,
    used: Arc<Mutex<Used>>,
}

#[derive(Default)]
struct Used {
    /// Its place in the list.
    server: usize,
    /// When it last took a write, where it was asked.
    wrote: Option<Instant>,
    since: Option<Instant>,
}

impl Servers {
    /// Those of this URL, each with these settings.
    pub(crate) fn of(
        url: &str,
        settings: impl Fn(PgConnectOptions) -> PgConnectOptions,
    ) -> Result<Self, Error> {
        let servers =
            urls(url)?.into_iter().map(|url| Ok(settings(PgConnectOptions::from_str(&url)?)));
        Ok(Self { all: servers.collect::<Result<_, Error>>()?, used: Arc::default() })
    }

    /// The first of the list: role and database are the same at all.
    pub(crate) fn first(&self) -> &PgConnectOptions {
        &self.all[0]
    }

    /// Where they are, such as `one:5432, other:5432`.
    pub(crate) fn addresses(&self) -> String {
        let all = self.all.iter().map(|it| format!("{}:{}", it.get_host(), it.get_port()));
        all.collect::<Vec<_>>().join(", ")
    }

    /// Waits until it is known which of several takes writes, for this long at most.
    pub(crate) async fn found(&self, within: Duration) {
        let is_unknown =
            || self.used.lock().unwrap_or_else(PoisonError::into_inner).wrote.is_none();
        let look = async {
            while self.all.len() > 1 && is_unknown() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(within, look).await;
    }

    /// Whether a connection of this age is to a server that was left.
    pub(crate) fn has_left(&self, age: Duration) -> bool {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.since.is_some_and(|since| since.elapsed() < age)
    }

    /// Keeps the pools at the server that takes writes, until what this returns is dropped. One server alone
    /// needs no keeping.
    pub(crate) fn keep(&self, pools: &[PgPool]) -> AtPrimary {
        let mut tasks = JoinSet::new();
        if self.all.len() > 1 {
            for server in 0..self.all.len() {
                tasks.spawn(self.clone().ask_all_along(server, pools.to_vec()));
            }
        }
        AtPrimary { _tasks: tasks }
    }

    async fn ask_all_along(self, server: usize, pools: Vec<PgPool>) {
        loop {
            let connect = PgConnection::connect_with(&self.all[server]);
            if let Ok(Ok(mut connection)) = timeout(ANSWERS_WITHIN, connect).await {
                // Without a limit, as one that gives up leaves a session behind that waits for the standby.
                while let Ok(true) = takes_writes(&mut connection).await {
                    self.took_a_write(server, &pools);
                    sleep(ASK_EVERY).await;
                }
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Moves the pools to this server, unless the one that is used takes writes, too.
    fn took_a_write(&self, server: usize, pools: &[PgPool]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.server != server {
            if used.wrote.is_some_and(|at| at.elapsed() < SILENT_FOR) {
                return;
            }
            let options = &self.all[server];
            for pool in pools {
                pool.set_connect_options(options.clone());
            }
            (used.server, used.since) = (server, Some(Instant::now()));
            let (host, port) = (options.get_host(), options.get_port());
            tracing::warn!(host, port, "another database server takes the writes now");
        }
        used.wrote = Some(Instant::now());
    }
}

/// Keeps pools at the server that takes writes, until it is dropped.
#[derive(Debug)]
pub struct AtPrimary {
    _tasks: JoinSet<()>,
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
