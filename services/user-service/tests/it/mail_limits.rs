//! An address gets no more e-mails than it may, whatever goes wrong.

use karcis_testkit::{TestEnvironment, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{PASSWORD, Session, TestApp, email},
    mail::FROM,
    mail_server::MailServer,
    verification::VERIFY,
};

async fn start(environment: &TestEnvironment, server: &MailServer) -> TestApp {
    TestApp::start(environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await
}

async fn executes(environment: &TestEnvironment, statements: &'static str) {
    sqlx::raw_sql(statements).execute(environment.superuser()).await.unwrap();
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_counts_and_the_fourth_waits_for_an_hour() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    users.registers("lost").await;
    eventually(async || {
        executes(&environment, "UPDATE users.account_mail SET try_at = now()").await;
        server.mail_to(&email("lost")).len() >= 3
    })
    .is(true)
    .await;
    // One that was tried waits for ten minutes at most.
    let held = async || {
        let look_again =
            "UPDATE users.account_mail SET noted_at = now() - interval '12 h', try_at = now()
             WHERE try_at < now() + interval '50 min'";
        executes(&environment, look_again).await;
        let held = "SELECT try_at > now() + interval '50 min' FROM users.account_mail";
        sqlx::query_scalar::<_, bool>(held).fetch_all(environment.superuser()).await.unwrap()
    };
    eventually(held).is(vec![true]).await;
    users.stop().await;
    assert_eq!(server.mail_to(&email("lost")).len(), 3);
}

#[tokio::test]
async fn a_sent_mail_is_not_sent_again_when_counts_cannot_be_taken_back() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    for name in ["Sari", "full"] {
        users.registers(name).await;
    }
    server.token(&email("Sari"), VERIFY).await;
    // Both are in one batch, and one of them is not sent.
    executes(
        &environment,
        "CREATE FUNCTION users.fails() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE EXCEPTION 'counts cannot be taken back'; END$$;
         CREATE TRIGGER fails BEFORE UPDATE ON users.mail_count FOR EACH ROW
             WHEN (NEW.mails < OLD.mails) EXECUTE FUNCTION users.fails();
         DELETE FROM users.account_mail;
         INSERT INTO users.account_mail (email, kind, noted_at, try_at)
             SELECT email, 'reset_password', now(), now() FROM users.account",
    )
    .await;
    let waiting = async || {
        let waiting = "SELECT email FROM users.account_mail ORDER BY email";
        sqlx::query_scalar::<_, String>(waiting).fetch_all(environment.superuser()).await.unwrap()
    };
    eventually(waiting).is(vec![email("full")]).await;
    users.stop().await;
}

#[tokio::test]
async fn new_addresses_are_written_to_no_faster_than_a_client_may_ask_for_mails() {
    let environment = TestEnvironment::start().await;
    let flags = ["--rate-limits", "on", "--rate-limit-logins", "2/24h"];
    let users = TestApp::start(&environment, &flags).await;
    let sari: Session = users.registers("Sari").await;
    for address in ["victim-1@mail.example", "victim-2@mail.example"] {
        let change = json!({"email": address, "current_password": PASSWORD});
        users.updates(&sari, &change).await.is(200);
    }
    let third = json!({"email": "victim-3@mail.example", "current_password": PASSWORD});
    users.updates(&sari, &third).await.is_problem(429, "too-many-requests");
    let again = users.send(Method::POST, "/email/verification", &sari.access_token, &Value::Null);
    again.await.is_problem(429, "too-many-requests");
    users.updates(&sari, &json!({"name": "Dewi"})).await.is(200);
    users.stop().await;
}
