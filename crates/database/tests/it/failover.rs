//! Two servers of one database, of which one takes writes.

use karcis_database::{DatabaseError, Pool, connect_to, primary};
use karcis_dev_servers::{
    TempDir,
    postgres::{Member, PostgresPair},
};
use karcis_schemas::BOOKINGS;
use karcis_testkit::{TestEnvironment, eventually};
use sqlx::{Connection, PgConnection};
use tokio::time::{Duration, timeout};

async fn pool(url: &str) -> Result<Pool, DatabaseError> {
    connect_to("DATABASE_URL", url, 2).await
}

async fn port(pool: &Pool) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT inet_server_port()").fetch_one(pool).await
}

async fn number(pair: &PostgresPair, member: Member) -> i32 {
    let mut one = PgConnection::connect(&pair.url_of(member)).await.unwrap();
    sqlx::query_scalar("SELECT inet_server_port()").fetch_one(&mut one).await.unwrap()
}

#[tokio::test]
async fn pools_are_where_writes_are_taken_and_move_when_another_server_takes_them() {
    let data = TempDir::new().unwrap();
    let pair = PostgresPair::start(data.path()).await.unwrap();
    eventually(|| pair.is_in_sync()).is(true).await;
    let [first, second] =
        [number(&pair, Member::Primary).await, number(&pair, Member::Standby).await];
    // The standby comes first.
    let url = pair.url().replace(
        &format!("127.0.0.1:{first},127.0.0.1:{second}"),
        &format!("127.0.0.1:{second},127.0.0.1:{first}"),
    );
    let pool = pool(&url).await.unwrap();
    assert_eq!(port(&pool).await.unwrap(), first);
    assert_eq!(primary(&url).await.unwrap(), pair.url_of(Member::Primary));
    let refused = self::pool(&pair.url_of(Member::Standby)).await.unwrap_err();
    assert!(refused.to_string().contains("takes writes"), "{refused}");

    // Connections to it stay open, and it shows what it had.
    pair.freeze(Member::Primary);
    pair.promote().await.unwrap();
    let moved = async || port(&pool).await.map_err(|error| error.to_string());
    eventually(moved).within(Duration::from_secs(20)).is(Ok(second)).await;
    pair.thaw(Member::Primary);
    for _ in 0..20 {
        assert_eq!(port(&pool).await.unwrap(), second, "nobody goes back");
    }
    assert_eq!(primary(&url).await.unwrap(), pair.url_of(Member::Standby));
}

#[tokio::test]
async fn what_no_standby_has_confirmed_is_seen_by_nobody_even_after_a_crash() {
    let data = TempDir::new().unwrap();
    let mut pair = PostgresPair::start(data.path()).await.unwrap();
    eventually(|| pair.is_in_sync()).is(true).await;
    let url = pair.url_of(Member::Primary);
    let mut writer = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (number int)").execute(&mut writer).await.unwrap();

    pair.freeze(Member::Standby);
    let insert = sqlx::raw_sql("INSERT INTO kept VALUES (1)").execute(&mut writer);
    timeout(Duration::from_secs(2), insert).await.expect_err("is not acknowledged");
    pair.kill(Member::Primary).await;
    pair.restart(Member::Primary).await.unwrap();
    let count = "SELECT count(*) FROM kept";
    let mut bare = PgConnection::connect(&url).await.unwrap();
    let seen: i64 = sqlx::query_scalar(count).fetch_one(&mut bare).await.unwrap();
    assert_eq!(seen, 1, "the server shows what the standby may never get");

    let refused = pool(&url).await.unwrap_err();
    assert!(refused.to_string().contains("takes writes"), "{refused}");
    pair.thaw(Member::Standby);
    let pool = eventually(|| pool(&url)).await;
    let seen: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    assert_eq!(seen, 1, "now the standby has it");
}

#[tokio::test]
async fn a_connection_whose_server_becomes_read_only_is_given_up() {
    let environment = TestEnvironment::start().await;
    let pool = pool(&environment.role_url(BOOKINGS)).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let set = "SET default_transaction_read_only = on";
    sqlx::raw_sql(set).execute(&mut connection).await.unwrap();
    drop(connection);
    let write = "UPDATE cancelled_event SET open = false";
    let refused = eventually(async || match sqlx::query(write).execute(&pool).await {
        Err(error) => Ok(error),
        Ok(_) => Err("it was another connection"),
    });
    let code = refused.await.as_database_error().and_then(|it| it.code().map(String::from));
    assert_eq!(code.as_deref(), Some("25006"));
    for _ in 0..4 {
        sqlx::query(write).execute(&pool).await.unwrap();
    }
}
