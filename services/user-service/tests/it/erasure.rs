//! People have themselves erased.

use karcis_testkit::{Answer, TestEnvironment, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

/// The tables of the schema with a row that contains this text.
async fn tables_with(environment: &TestEnvironment, text: &str) -> Vec<String> {
    let tables = "SELECT table_name::text FROM information_schema.tables
        WHERE table_schema = 'users' ORDER BY 1";
    let tables: Vec<String> =
        sqlx::query_scalar(tables).fetch_all(environment.superuser()).await.unwrap();
    let mut found = Vec::new();
    for table in tables {
        let rows = format!("SELECT count(*) FROM users.{table} AS kept WHERE kept::text ILIKE $1");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .bind(format!("%{text}%"))
            .fetch_one(environment.superuser())
            .await
            .unwrap();
        found.extend((rows > 0).then_some(table));
    }
    found
}

#[tokio::test]
async fn nothing_is_kept_of_an_erased_person() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let canary = users.registers("Canary").await;
    users.erases(&canary, "not the password").await.is_about("current_password");
    users
        .send(Method::DELETE, "/profile", &canary.access_token, &json!({}))
        .await
        .is_about("current_password");
    assert_ne!(tables_with(&environment, "canary").await, Vec::<String>::new());
    let elsewhere = Session::of(users.logs_in("Canary", PASSWORD).await.is(200));

    users.erases(&canary, PASSWORD).await.is(204);
    assert_eq!(tables_with(&environment, "canary").await, Vec::<String>::new());
    users.refreshes(&elsewhere).await.is_problem(401, "not-logged-in");
    users.logs_in("Canary", PASSWORD).await.is_problem(401, "wrong-credentials");
    let profile = users.send(Method::GET, "/profile", &canary.access_token, &Value::Null).await;
    profile.is_problem(404, "not-found");
    users.erases(&canary, PASSWORD).await.is_problem(404, "not-found");
    // The address is free again, for another person.
    let again = users.registers("Canary").await;
    assert_ne!(again.user["user_id"], canary.user["user_id"]);
    users.stop().await;
}

#[tokio::test]
async fn an_erasure_whose_commit_has_no_answer_is_done() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.losing_commits().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    proxy.lose("DELETE FROM account");
    users.erases(&sari, PASSWORD).await.is(204);
    assert_eq!(proxy.lost(), 1);
    users.logs_in("Sari", PASSWORD).await.is_problem(401, "wrong-credentials");
    users.stop().await;
}

#[tokio::test]
async fn the_last_admin_stays() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    users.erases(&admin, PASSWORD).await.is_problem(403, "wrong-role");
    users.registers("Sari").await;
    let role = json!({"email": email("Sari"), "role": "admin"});
    users.send(Method::POST, "/user/role", &admin.access_token, &role).await.is(200);
    let sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    // Of two that leave at the same time, one stays.
    let answers = tokio::join!(users.erases(&admin, PASSWORD), users.erases(&sari, PASSWORD));
    let mut seen = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [204, 403]);
    users.stop().await;
}

#[tokio::test]
async fn nothing_is_kept_of_a_former_address() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let canary = users.registers("Canary").await;
    let waiting = async || {
        let waiting = "SELECT count(*) FROM users.account_mail";
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(environment.superuser()).await.unwrap()
    };
    for _ in 0..2 {
        eventually(waiting).is(0).await;
        let path = "/email/verification";
        users.send(Method::POST, path, &canary.access_token, &Value::Null).await.is(202);
    }
    eventually(waiting).is(0).await;
    let change = json!({"email": "other@mail.example", "current_password": PASSWORD});
    users.updates(&canary, &change).await.is(200);
    let held = async || {
        let held = "SELECT try_at > noted_at + interval '4 s' FROM users.account_mail";
        sqlx::query_scalar::<_, bool>(held).fetch_all(environment.superuser()).await.unwrap()
    };
    eventually(held).is(vec![true]).await;
    users.erases(&canary, PASSWORD).await.is(204);
    assert_eq!(tables_with(&environment, "canary").await, Vec::<String>::new());
    users.stop().await;
}

/// Sends what stores something of Sari in the moment in which she is erased: it waits for a lock that
/// `lock` takes, and goes on when she is gone. Returns its answer's status.
pub(crate) async fn while_sari_is_erased(
    environment: &TestEnvironment,
    lock: &'static str,
    request: impl Future<Output = Answer>,
) -> u16 {
    let mut erasure = environment.superuser().begin().await.unwrap();
    sqlx::query(lock).execute(&mut *erasure).await.unwrap();
    let erased = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting = async || {
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(environment.superuser()).await.unwrap()
        };
        eventually(async || waiting().await > 0).is(true).await;
        let erase = "DELETE FROM users.account WHERE email LIKE 'sari@%'";
        sqlx::query(erase).execute(&mut *erasure).await.unwrap();
        erasure.commit().await.unwrap();
    };
    tokio::join!(request, erased).0.status.as_u16()
}

#[tokio::test]
async fn who_is_erased_in_the_same_moment_gets_no_email() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let sent = async || {
        let waiting = "SELECT count(*) FROM users.account_mail";
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(environment.superuser()).await.unwrap()
    };
    eventually(sent).is(0).await;
    let asks = users.send(Method::POST, "/email/verification", &sari.access_token, &Value::Null);
    let lock = "SELECT FROM users.account WHERE email LIKE 'sari@%' FOR UPDATE";
    assert_eq!(while_sari_is_erased(&environment, lock, asks).await, 202);
    assert_eq!(tables_with(&environment, "sari").await, Vec::<String>::new());
    users.stop().await;
}
