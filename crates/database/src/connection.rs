//! Connections whose every statement ends: answered, failed, or given up after 8 s.
//!
//! Guarantees: a connection that does not answer in time is closed and never used again; one whose
//! statement or transaction was dropped before its end is rolled back before others get it, or closed
//! if that takes longer than 5 s; one whose server says that it is read-only is closed.

use std::{
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use karcis_process::crash_point;
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{Sleep, sleep, timeout};

use crate::primary::{AtPrimary, check};

/// How long the answer to a statement is waited for: longer than the server waits for a lock, 5 s, and
/// shorter than a stopping service has.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_secs(8);
/// How long a connection has to become usable again after its caller has dropped it.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);

/// A pool of [`Connection`]s, for one kind of work.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Arc<AtPrimary>,
    limit: Duration,
}

impl Pool {
    /// `limit`: how long the answer to a statement is waited for.
    pub(crate) fn new(inner: AtPrimary, limit: Duration) -> Self {
        Self { inner: Arc::new(inner), limit }
    }

    /// A connection; an error after 5 s in which none was free.
    pub async fn acquire(&self) -> Result<Connection, Error> {
        let inner = Some(self.inner.acquire().await?);
        Ok(Connection { inner, limit: self.limit, is_lost: false, in_transaction: false })
    }

    /// A transaction, whose statements wait for a lock for 5 s.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        self.begin_by("BEGIN").await
    }

    /// A transaction of many who shall not wait for each other's locks: a statement waits for one for
    /// 250 ms.
    pub async fn begin_batch(&self) -> Result<Transaction, Error> {
        self.begin_by("BEGIN; SET LOCAL lock_timeout = '250ms'").await
    }

    async fn begin_by(&self, statements: &'static str) -> Result<Transaction, Error> {
        let mut connection = self.acquire().await?;
        connection.in_transaction = true;
        sqlx::raw_sql(statements).execute(&mut connection).await?;
        Ok(Transaction(connection))
    }

    /// Which of the database's servers it is at. Who holds a connection for long has to leave it once this is
    /// another one: a server that was replaced may answer for ever.
    pub fn server(&self) -> usize {
        self.inner.server()
    }

    /// A connection of its own, beside the pool, to the same server; opened with these settings in place of
    /// the pool's.
    pub async fn connect_alone(
        &self,
        settings: impl FnOnce(PgConnectOptions) -> PgConnectOptions,
    ) -> Result<PgConnection, Error> {
        let options = settings((*self.inner.connect_options()).clone());
        let mut connection = PgConnection::connect_with(&options).await?;
        check(&mut connection).await?;
        Ok(connection)
    }

    /// How many connections it has: those that are idle, those that are used, and the most it may have.
    pub fn count(&self) -> (u32, u32, u32) {
        let idle = u32::try_from(self.inner.num_idle()).unwrap_or(u32::MAX);
        let used = self.inner.size().saturating_sub(idle);
        (idle, used, self.inner.options().get_max_connections())
    }
}

/// A connection of a [`Pool`], to which it returns when it is dropped.
#[derive(Debug)]
pub struct Connection {
    /// Until it is dropped.
    inner: Option<PoolConnection<Postgres>>,
    /// How long the answer to a statement is waited for.
    limit: Duration,
    /// Whether a statement was given up, or the server takes no writes any more.
    is_lost: bool,
    in_transaction: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.is_lost => {
                runtime.spawn(return_in_time(inner, self.in_transaction));
            }
            _ => drop(inner.detach()),
        }
    }
}

/// Returns the connection to its pool; closes it if it does not answer in time. The pool itself would
/// wait for ever.
async fn return_in_time(mut inner: PoolConnection<Postgres>, in_transaction: bool) {
    if in_transaction {
        let rolling_back = sqlx::raw_sql("ROLLBACK").execute(&mut *inner);
        if !matches!(timeout(RECOVERY_LIMIT, rolling_back).await, Ok(Ok(_))) {
            drop(inner.detach());
            return;
        }
    }
    if timeout(RECOVERY_LIMIT, inner.return_to_pool()).await.is_err() {
        tracing::warn!("a database connection was closed: it did not answer");
    }
}

/// The answer's limit is over.
fn silence() -> Error {
    tracing::warn!("a database connection is closed: it did not answer a statement in time");
    Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database did not answer in time",
    ))
}

/// A transaction. It is rolled back when it is dropped before [`Self::commit`].
#[derive(Debug)]
pub struct Transaction(Connection);

impl Transaction {
    /// Commits it. After an error it may have landed: load again and compare.
    pub async fn commit(mut self) -> Result<(), Error> {
        crash_point("database.commit");
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        crash_point("database.committed");
        self.0.in_transaction = false;
        Ok(())
    }

    /// Ends it without a change, and waits for that.
    pub async fn rollback(mut self) -> Result<(), Error> {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await?;
        self.0.in_transaction = false;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Connection {
    /// The connection itself, the mark that it is lost, and the time that a statement has.
    fn parts(&mut self) -> (&mut PoolConnection<Postgres>, &mut bool, Pin<Box<Sleep>>) {
        let inner = self.inner.as_mut().expect("only `drop` takes it");
        (inner, &mut self.is_lost, Box::pin(sleep(self.limit)))
    }
}

/// Whether a server refuses to write at all, as a primary does that is being replaced: the next connection may be
/// to the one that replaces it.
fn is_read_only(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("25006"))
}

/// The answer, unless it comes too late.
async fn limited<T>(
    answer: impl Future<Output = Result<T, Error>>,
    is_lost: &mut bool,
    limit: Pin<Box<Sleep>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        answer = answer => {
            *is_lost |= answer.as_ref().err().is_some_and(is_read_only);
            answer
        }
        () = limit => {
            *is_lost = true;
            Err(silence())
        }
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (inner, is_lost, mut limit) = self.parts();
        let mut rows = inner.fetch_many(query);
        stream::poll_fn(move |context| {
            let polled = rows.poll_next_unpin(context);
            if polled.is_pending() && limit.poll_unpin(context).is_ready() {
                *is_lost = true;
                return Some(Err(silence())).into();
            }
            if let Poll::Ready(Some(Err(error))) = &polled {
                *is_lost |= is_read_only(error);
            }
            polled
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (inner, is_lost, limit) = self.parts();
        limited(inner.fetch_optional(query), is_lost, limit).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        let (inner, is_lost, limit) = self.parts();
        limited(inner.prepare_with(sql, parameters), is_lost, limit).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        let (inner, is_lost, limit) = self.parts();
        limited(inner.describe(sql), is_lost, limit).boxed()
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let answer = async move {
            let mut connection = self.acquire().await?;
            let rows: Vec<_> = connection.fetch_many(query).try_collect().await?;
            Ok::<_, Error>(stream::iter(rows.into_iter().map(Ok)))
        };
        stream::once(answer).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move { self.acquire().await?.fetch_optional(query).await }.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        async move { self.acquire().await?.prepare_with(sql, parameters).await }.boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        async move { self.acquire().await?.describe(sql).await }.boxed()
    }
}
