//! Connections whose statements end, on a real Postgres.

use karcis_database::{Pool, connect_patiently, connect_to};
use karcis_schemas::BOOKINGS;
use karcis_testkit::{SilentProxy, TestEnvironment, eventually};
use tokio::time::{Duration, Instant};

async fn one(pool: &Pool) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(pool).await
}

async fn pool(url: &str, connections: u32) -> Pool {
    connect_to("DATABASE_URL", url, connections).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_goes_silent_is_given_up_and_closed() {
    let environment = TestEnvironment::start().await;
    let proxy = SilentProxy::start(environment.database_url()).await;
    let pool = pool(&proxy.url(&environment.role_url(BOOKINGS)), 2).await;
    let mut transaction = pool.begin().await.unwrap();
    let idle = pool.acquire().await.unwrap();
    assert_eq!(one_on(&mut transaction).await.unwrap(), 1);

    proxy.silence();
    let since = Instant::now();
    drop(idle);
    let error = one_on(&mut transaction).await.unwrap_err().to_string();
    assert!(error.contains("did not answer in time"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(20), "it took {:?}", since.elapsed());
    drop(transaction);
    // Both are replaced, also the one that was returned in silence.
    let both = async || {
        let (first, second) = (pool.acquire().await?, pool.acquire().await?);
        drop((first, second));
        one(&pool).await
    };
    eventually(both).within(Duration::from_secs(30)).await;
    assert!(proxy.swallowed() >= 2, "{} connections were silent", proxy.swallowed());
}

async fn one_on(connection: &mut karcis_database::Connection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(connection).await
}

#[tokio::test]
async fn the_server_gives_up_a_statement_that_nobody_waits_for() {
    let environment = TestEnvironment::start().await;
    let pool = pool(&environment.role_url(BOOKINGS), 1).await;
    let given_up = sqlx::query("SELECT pg_sleep(60)").execute(&pool).await.unwrap_err();
    assert!(given_up.to_string().contains("did not answer in time"), "{given_up}");
    let working = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(60)'";
    let superuser = environment.superuser();
    let working =
        async || -> i64 { sqlx::query_scalar(working).fetch_one(superuser).await.unwrap() };
    // Less than the statement may take where the server does not notice that the client is gone.
    eventually(working).within(Duration::from_secs(6)).is(0).await;
}

#[tokio::test]
async fn a_session_works_on_a_statement_for_a_second_longer_than_its_client_waits() {
    let environment = TestEnvironment::start().await;
    let url = environment.role_url(BOOKINGS);
    let usual = pool(&url, 1).await;
    let patient = connect_patiently("DATABASE_URL", &url, 1, Duration::from_millis(20_500)).await;
    for (pool, limit) in [(usual, "9s"), (patient.unwrap(), "21500ms")] {
        let set: String =
            sqlx::query_scalar("SHOW statement_timeout").fetch_one(&pool).await.unwrap();
        assert_eq!(set, limit);
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_and_its_connection_is_used_again() {
    let environment = TestEnvironment::start().await;
    let pool = pool(&environment.role_url(BOOKINGS), 1).await;
    let server_process = async || -> Result<i32, sqlx::Error> {
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await
    };
    let before = server_process().await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO cancelled_event (event_id, announced_at, open)
                 VALUES (gen_random_uuid(), now(), true)",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    // Its answer is still under way.
    let asked = tokio::time::timeout(
        Duration::from_millis(200),
        sqlx::query("SELECT pg_sleep(0.5)").execute(&mut *transaction),
    );
    assert!(asked.await.is_err());
    drop(transaction);
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM cancelled_event").fetch_one(&pool).await.unwrap();
    assert_eq!(stored, 0);
    assert_eq!(server_process().await.unwrap(), before);
}
