//! Two servers of one database, of which one takes writes.

use karcis_database::{DatabaseConfig, DatabaseError, Pool, connect, connect_to, primary};
use karcis_schemas::BOOKINGS;
use karcis_testkit::{
    Member, PostgresPair, SilentProxy, TestEnvironment, eventually, postgres_pair, together,
};
use sqlx::{Connection, PgConnection, PgPool};
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
    let pair = postgres_pair().await;
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
    // It is asked again and again on one connection.
    let standby = PgPool::connect(&pair.url_of(Member::Standby)).await.unwrap();
    let asked_for_long = async || -> i64 {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'karcis%'
            AND backend_start < now() - interval '3 s'";
        sqlx::query_scalar(count).fetch_one(&standby).await.unwrap()
    };
    eventually(asked_for_long).is(1).await;

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
    let mut pair = postgres_pair().await;
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

#[tokio::test]
async fn a_server_whose_answers_stop_coming_is_asked_on_another_connection() {
    let environment = TestEnvironment::start().await;
    let url = environment.role_url(BOOKINGS);
    // Two ways to one server, as if they were two.
    let mut ways = vec![SilentProxy::start(&url).await, SilentProxy::start(&url).await];
    let hosts = [ways[0].url(&url), ways[1].url(&url)].map(|url| host(&url).to_owned());
    let pool = pool(&url.replace(host(&url), &hosts.join(","))).await.unwrap();
    for way in &ways {
        way.silence();
    }
    eventually(async || ways.iter().all(|way| way.swallowed() > 0)).is(true).await;

    let used = pool.server();
    ways[used].silence();
    ways.remove(used);
    eventually(async || pool.server()).within(Duration::from_secs(20)).is(1 - used).await;
    port(&pool).await.unwrap();
}

fn host(url: &str) -> &str {
    url.split(['@', '/']).nth(3).unwrap()
}

/// Many insert at once; how many are told that they did.
async fn inserted(pool: &Pool) -> usize {
    let insert = async || sqlx::query("INSERT INTO kept VALUES (1)").execute(pool).await;
    let done = together(6, (0..6).map(|_| insert())).await;
    done.into_iter().filter(Result::is_ok).count()
}

#[tokio::test]
async fn a_server_without_its_standby_is_read_and_its_sessions_stay_few_until_the_standby_is_back()
{
    let pair = postgres_pair().await;
    let database_url = pair.url_of(Member::Primary);
    let mut superuser = PgConnection::connect(&database_url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (number int)").execute(&mut superuser).await.unwrap();
    let config = DatabaseConfig { database_url, database_connections: 9 };
    let pools = connect(&config).await.unwrap();

    pair.freeze(Member::Standby);
    for _ in 0..2 {
        let told = tokio::join!(inserted(&pools.writes), inserted(&pools.saga));
        assert_eq!(told, (0, 0), "nothing is acknowledged");
        // Also on connections that were not open before.
        let reads = &pools.reads;
        let opened = tokio::try_join!(reads.acquire(), reads.acquire(), reads.acquire());
        let (mut one, mut other, mut third) = opened.unwrap();
        for connection in [&mut one, &mut other, &mut third] {
            let seen = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM kept");
            assert_eq!(seen.fetch_one(connection).await.unwrap(), 0);
        }
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut superuser).await.unwrap();
    assert!(
        (1..=7).contains(&count),
        "{count} sessions wait: one of each connection, and one more"
    );

    pair.thaw(Member::Standby);
    for pool in [&pools.writes, &pools.saga] {
        eventually(|| inserted(pool)).is(6).await;
    }
    let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut superuser).await.unwrap();
    assert_eq!(count, 0);
}
