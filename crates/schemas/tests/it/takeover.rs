//! Tables of an older release get another owner while sessions use them.

use karcis_dev_servers::{
    TempDir,
    postgres::{Postgres, PostgresOptions},
};
use karcis_schemas as schemas;
use karcis_testkit::eventually;
use sqlx::{Connection, PgConnection};

use crate::roles::as_an_older_release_made_it;

#[tokio::test]
async fn a_long_reader_holds_up_the_new_owner_and_nobody_else() {
    let data = TempDir::new().unwrap();
    let options = PostgresOptions {
        data: data.path().join("postgres"),
        port: 0,
        durable: false,
        outlives_parent: false,
    };
    let postgres = Postgres::start(options).await.unwrap();
    let mut superuser = PgConnection::connect(&postgres.url()).await.unwrap();
    as_an_older_release_made_it(&mut superuser).await;
    let mut reader = PgConnection::connect(&postgres.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM users.secret").execute(&mut reader).await.unwrap();

    let url = postgres.url();
    let preparing = tokio::spawn(async move { schemas::prepare(&url).await });
    sqlx::raw_sql("SET lock_timeout = '5s'").execute(&mut superuser).await.unwrap();
    for _ in 0..3 {
        eventually(async || is_waited_for(&postgres.url()).await).is(true).await;
        let insert = "INSERT INTO users.secret (it) VALUES ('new')";
        sqlx::raw_sql(insert).execute(&mut superuser).await.expect("others can write");
        assert!(!preparing.is_finished(), "it waits for the reader");
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.unwrap();
    preparing.await.unwrap().expect("it ends");
    let owner = "SELECT tableowner::text FROM pg_tables WHERE schemaname = 'users'";
    let owner: String = sqlx::query_scalar(owner).fetch_one(&mut superuser).await.unwrap();
    assert_eq!(owner, "karcis_user_owner");
}

async fn is_waited_for(url: &str) -> bool {
    let mut superuser = PgConnection::connect(url).await.unwrap();
    let waits =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
        AND relation = 'users.secret'::regclass)";
    sqlx::query_scalar(waits).fetch_one(&mut superuser).await.unwrap()
}
