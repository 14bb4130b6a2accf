//! People who forgot their password choose a new one.

use karcis_testkit::{TestEnvironment, eventually};
use serde_json::{Value, json};

use crate::{
    erasure::while_sari_is_erased,
    harness::{ADMIN, PASSWORD, Session, TestApp, email},
    mail::FROM,
    mail_server::MailServer,
    verification::VERIFY,
};

const RESET: &str = "A new password";
const NEW: &str = "ten pears on a raft";

async fn start(environment: &TestEnvironment, server: &MailServer) -> TestApp {
    let url = server.url();
    TestApp::start(environment, &[&["--smtp-url", &url], &FROM[..], &ADMIN[..]].concat()).await
}

impl TestApp {
    async fn forgets(&self, name: &str) {
        let answer = self.post("/password/forgot", &json!({"email": email(name)})).await.is(202);
        assert_eq!(answer.body, Value::Null);
    }

    async fn resets(&self, token: &str, password: &str) -> karcis_testkit::Answer {
        self.post("/password/reset", &json!({"token": token, "password": password})).await
    }
}

async fn waiting(environment: &TestEnvironment) -> i64 {
    let waiting = "SELECT count(*) FROM users.account_mail";
    sqlx::query_scalar(waiting).fetch_one(environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_and_ends_all_sessions() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let (sari, address) = (users.registers("Sari").await, email("Sari"));
    users.forgets("Sari").await;
    let token = server.token(&address, RESET).await;
    users.resets("nonsense", NEW).await.is_about("token");
    users.resets(&server.token(&address, VERIFY).await, NEW).await.is_about("token");
    users.verifies(&token).await.is_about("token");
    users.resets(&token, "short").await.is_about("password");
    users.resets(&token, "sari and mangoes").await.is_about("password");
    users.refreshes(&sari).await.is(200);

    users.resets(&token, NEW).await.is(204);
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.logs_in("Sari", PASSWORD).await.is_problem(401, "wrong-credentials");
    let again = Session::of(users.logs_in("Sari", NEW).await.is(200));
    assert_eq!(again.user["email_verified"], true, "only who reads the address has the token");
    users.resets(&token, "nine pears on a raft").await.is_about("token");
    users.logs_in("Sari", NEW).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_stranger_who_asks_for_new_passwords_leaves_the_owner_a_mail_that_verifies() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let (sari, address) = (users.registers("Sari").await, email("Sari"));
    for _ in 0..3 {
        users.forgets("Sari").await;
        // It is sent, or held back for some seconds: a claim is for a minute.
        let due = "SELECT count(*) FROM users.account_mail
            WHERE try_at NOT BETWEEN now() AND now() + interval '30 s'";
        let due =
            async || sqlx::query_scalar::<_, i64>(due).fetch_one(environment.superuser()).await;
        eventually(async || due().await.unwrap()).is(0).await;
    }
    let path = "/email/verification";
    users.send(reqwest::Method::POST, path, &sari.access_token, &Value::Null).await.is(202);
    eventually(async || server.mails(&address, VERIFY).len()).is(2).await;
    users.stop().await;
    assert_eq!(server.mails(&address, RESET).len(), 1);
    assert_eq!(server.mail_to(&address).len(), 3);
}

#[tokio::test]
async fn the_answer_is_the_same_whether_or_not_there_is_an_account() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    users.registers("Sari").await;
    users.registers("Disabled").await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let disable = json!({"email": email("Disabled"), "reason": "a test"});
    let disabling =
        users.send(reqwest::Method::POST, "/user/disable", &admin.access_token, &disable);
    disabling.await.is(200);
    for name in ["Stranger", "Disabled", "Sari"] {
        users.forgets(name).await;
    }
    users.post("/password/forgot", &json!({"email": "nowhere"})).await.is_about("email");
    server.token(&email("Sari"), RESET).await;
    eventually(|| waiting(&environment)).is(0).await;
    users.stop().await;
    for name in ["Stranger", "Disabled"] {
        assert_eq!(server.mails(&email(name), RESET), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_token_ends_with_half_an_hour_another_password_another_address_and_the_account() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let forgets = async |name: &str| {
        let session = users.registers(name).await;
        users.forgets(name).await;
        (session, server.token(&email(name), RESET).await)
    };
    let kept = "SELECT expires_at BETWEEN now() + interval '29 min' AND now() + interval '30 min'
        FROM users.mailed_token WHERE kind = 'reset_password'";
    let (_, expired) = forgets("Sari").await;
    let kept: Vec<bool> =
        sqlx::query_scalar(kept).fetch_all(environment.superuser()).await.unwrap();
    assert_eq!(kept, [true]);
    let expire = "UPDATE users.mailed_token SET expires_at = now()";
    sqlx::query(expire).execute(environment.superuser()).await.unwrap();
    let (session, changed) = forgets("Dewi").await;
    let change = json!({"password": "six ripe plums", "current_password": PASSWORD});
    users.updates(&session, &change).await.is(200);
    let (session, moved) = forgets("Putri").await;
    let change = json!({"email": email("Elsewhere"), "current_password": PASSWORD});
    users.updates(&session, &change).await.is(200);
    let (session, erased) = forgets("Ratna").await;
    users.erases(&session, PASSWORD).await.is(204);
    for token in [expired, changed, moved, erased] {
        users.resets(&token, NEW).await.is_about("token");
    }
    users.stop().await;
}

#[tokio::test]
async fn an_address_gets_ten_such_mails_a_day_and_each_only_once_at_a_time() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    users.registers("Sari").await;
    let address = email("Sari");
    users.verifies(&server.token(&address, VERIFY).await).await.is(204);
    // The e-mail that asked to verify is one of them.
    for sent in 1..10 {
        users.forgets("Sari").await;
        eventually(async || server.mails(&address, RESET).len()).is(sent).await;
        eventually(|| waiting(&environment)).is(0).await;
    }
    users.forgets("Sari").await;
    users.forgets("Sari").await;
    let held = async || {
        let held = "SELECT try_at > noted_at + interval '4 s' FROM users.account_mail";
        sqlx::query_scalar::<_, bool>(held).fetch_all(environment.superuser()).await.unwrap()
    };
    eventually(held).is(vec![true]).await;
    users.stop().await;
    assert_eq!(server.mails(&address, RESET).len(), 9);
}

#[tokio::test]
async fn who_tried_wrong_passwords_before_can_log_in_with_the_new_one_while_strangers_guess() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let url = server.url();
    let flags = ["--smtp-url", &url, "--failed-logins-per-account", "3"];
    let users = TestApp::start(&environment, &flags).await;
    users.registers("Sari").await;
    for _ in 0..3 {
        users.logs_in("Sari", "is it this one?").await.is_problem(401, "wrong-credentials");
    }
    // On another device than before, and strangers take every turn.
    let forget = "DELETE FROM users.known_peer";
    sqlx::query(forget).execute(environment.superuser()).await.unwrap();
    for host in 2..8 {
        users.logs_in_from(host, "Sari", "is it this one?").await;
    }
    users.logs_in("Sari", PASSWORD).await.is_problem(429, "too-many-requests");
    users.logs_in_from(99, "Sari", PASSWORD).await.is_problem(429, "too-many-requests");
    users.forgets("Sari").await;
    users.resets(&server.token(&email("Sari"), RESET).await, NEW).await.is(204);
    users.logs_in("Sari", NEW).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn of_two_resets_with_one_token_at_the_same_time_one_counts() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    users.registers("Sari").await;
    users.forgets("Sari").await;
    let token = server.token(&email("Sari"), RESET).await;
    let other = "six plums in a canoe";
    let answers = tokio::join!(users.resets(&token, NEW), users.resets(&token, other));
    let mut seen = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [204, 422]);
    let (first, second) = (users.logs_in("Sari", NEW).await, users.logs_in("Sari", other).await);
    let mut seen = [first.status.as_u16(), second.status.as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [200, 401]);
    users.stop().await;
}

#[tokio::test]
async fn a_password_is_reset_while_its_account_is_erased() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    users.registers("Sari").await;
    users.forgets("Sari").await;
    let token = server.token(&email("Sari"), RESET).await;
    let lock = "LOCK TABLE users.known_peer IN SHARE MODE";
    let resets = users.resets(&token, NEW);
    assert_eq!(while_sari_is_erased(&environment, lock, resets).await, 204);
    users.logs_in("Sari", NEW).await.is_problem(401, "wrong-credentials");
    users.stop().await;
}
