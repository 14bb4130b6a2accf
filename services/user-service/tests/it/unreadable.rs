//! Rows that cannot be read, as after going back to an older release: they are left alone, and nothing
//! waits for them.

use karcis_testkit::{TestEnvironment, eventually};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn an_unreadable_account_fails_alone() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let (bad, good) = (users.registers("Bad").await, users.registers("Good").await);
    let spoil = "UPDATE users.account SET time_zone = 'Mars/Olympus' WHERE name = 'Bad'";
    sqlx::query(spoil).execute(environment.superuser()).await.unwrap();
    let seen = users.send(Method::GET, "/profile", &bad.access_token, &Value::Null).await;
    seen.is_problem(500, "internal-error");
    users.logs_in("Bad", PASSWORD).await.is_problem(500, "internal-error");
    users.profile(&good).await;
    users.logs_in("Good", PASSWORD).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn an_unreadable_first_admin_keeps_nobody_else_out() {
    let environment = TestEnvironment::start().await;
    let admin = ["--admin-email", "ratu@mail.example", "--admin-password", PASSWORD];
    TestApp::start(&environment, &admin).await.stop().await;
    let spoil = "UPDATE users.account SET time_zone = 'Mars/Olympus'";
    sqlx::query(spoil).execute(environment.superuser()).await.unwrap();
    let users = TestApp::start(&environment, &admin).await;
    users.registers("Good").await;
    users.stop().await;
}

/// A notification of each of these kinds for a buyer without an account, which are due.
async fn plant(environment: &TestEnvironment, kind: &str, age: &str, count: i32) -> Vec<Uuid> {
    sqlx::query_scalar(
        "INSERT INTO users.notice (booking_id, kind, user_id, event_id, noted_at, try_at)
         SELECT gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), now() - $2::interval,
             now() - $2::interval
         FROM generate_series(1, $3) RETURNING booking_id",
    )
    .bind(kind)
    .bind(age)
    .bind(count)
    .fetch_all(environment.superuser())
    .await
    .unwrap()
}

async fn count(environment: &TestEnvironment, of: &'static str) -> i64 {
    sqlx::query_scalar(of).fetch_one(environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn notifications_of_a_newer_release_are_left_alone_and_hold_up_no_other() {
    let environment = TestEnvironment::start().await;
    let widen = "ALTER TABLE users.notice DROP CONSTRAINT notice_kind_known";
    sqlx::query(widen).execute(environment.superuser()).await.unwrap();
    plant(&environment, "moved_to_another_hall", "2 min", 1_500).await;
    plant(&environment, "confirmed", "1 min", 20).await;
    let users = TestApp::start(&environment, &[]).await;
    let told = "SELECT count(*) FROM users.notice WHERE told_at IS NOT NULL AND kind = 'confirmed'";
    eventually(async || count(&environment, told).await).is(20).await;
    let newer = "SELECT count(*) FROM users.notice WHERE told_at IS NULL";
    assert_eq!(count(&environment, newer).await, 1_500);
    users.stop().await;
}

#[tokio::test]
async fn notifications_that_are_given_up_are_not_looked_at_again() {
    let environment = TestEnvironment::start().await;
    plant(&environment, "confirmed", "4 days", 12_000).await;
    plant(&environment, "confirmed", "1 min", 20).await;
    let users = TestApp::start(&environment, &[]).await;
    let told = "SELECT count(*) FROM users.notice WHERE told_at IS NOT NULL";
    eventually(async || count(&environment, told).await).is(20).await;
    let looked_at = "SELECT count(*) FROM users.notice WHERE told_at IS NULL AND try_at <= now()";
    eventually(async || count(&environment, looked_at).await).is(0).await;
    // They stay, so that their messages, read again, notify nobody.
    assert_eq!(count(&environment, "SELECT count(*) FROM users.notice").await, 12_020);
    users.stop().await;
}
