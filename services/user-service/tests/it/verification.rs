//! People verify their e-mail addresses; strangers' addresses are hardly ever written to.

use karcis_testkit::{TestEnvironment, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    booking_mails::mails,
    harness::{PASSWORD, Session, TestApp, email},
    logs,
    mail::{FROM, booked},
    mail_server::MailServer,
    notifications::publish,
};

/// The subject of the e-mail that asks for it.
pub(crate) const VERIFY: &str = "Is this your address?";
const MOVED: &str = "Your account has another address";
pub(crate) const WELCOME: &str = "Welcome to Karcis";

async fn start(environment: &TestEnvironment, server: &MailServer) -> TestApp {
    TestApp::start(environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await
}

async fn asks_again(users: &TestApp, session: &Session) {
    let path = "/email/verification";
    users.send(Method::POST, path, &session.access_token, &Value::Null).await.is(202);
}

/// Whether the access token says that the address is verified.
fn says_verified(session: &Session) -> bool {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = session.access_token.split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["email_verified"].as_bool().unwrap()
}

#[tokio::test]
async fn an_address_is_verified_with_the_token_of_the_mail_that_came_to_it() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let sari = users.registers("Sari").await;
    assert_eq!((&sari.user["email_verified"], says_verified(&sari)), (&json!(false), false));
    let token = server.token(&email("Sari"), VERIFY).await;
    users.verifies("nonsense").await.is_about("token");
    users.verifies(&format!("{token}x")).await.is_about("token");
    assert_eq!(users.profile(&sari).await["email_verified"], false);
    users.verifies(&token).await.is(204);
    let profile = users.profile(&sari).await;
    assert_eq!((&profile["email_verified"], &profile["version"]), (&json!(true), &json!(2)));
    // Mail programs follow links before people do.
    users.verifies(&token).await.is(204);
    assert_eq!(users.profile(&sari).await, profile);
    let refreshed = Session::of(users.refreshes(&sari).await.is(200));
    assert!(says_verified(&refreshed));
    asks_again(&users, &refreshed).await;
    eventually(async || server.mails(&email("Sari"), WELCOME).len()).is(1).await;
    users.stop().await;
    assert_eq!(server.mail_to(&email("Sari")).len(), 2, "a verified address is not asked again");
    assert_eq!(logs::lines_with(&[&token]), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_is_good_for_a_day_and_is_stored_as_a_hash() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let sari = users.registers("Sari").await;
    let token = server.token(&email("Sari"), VERIFY).await;
    let kept = "SELECT octet_length(token_hash), expires_at BETWEEN now() + interval '23 hours' \
                AND now() + interval '24 hours' FROM users.mailed_token";
    let kept: Vec<(i32, bool)> =
        sqlx::query_as(kept).fetch_all(environment.superuser()).await.unwrap();
    assert_eq!(kept, [(32, true)]);
    let expire = "UPDATE users.mailed_token SET expires_at = now()";
    sqlx::query(expire).execute(environment.superuser()).await.unwrap();
    users.verifies(&token).await.is_about("token");
    // Each e-mail brings another token, and all are good.
    asks_again(&users, &sari).await;
    eventually(async || server.mails(&email("Sari"), VERIFY).len()).is(2).await;
    let second = server.token(&email("Sari"), VERIFY).await;
    asks_again(&users, &sari).await;
    eventually(async || server.mails(&email("Sari"), VERIFY).len()).is(3).await;
    assert_ne!(server.token(&email("Sari"), VERIFY).await, second);
    users.verifies(&second).await.is(204);
    users.stop().await;
}

#[tokio::test]
async fn somebody_elses_address_gets_three_mails_a_day_without_anything_that_a_stranger_wrote() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let victim = email("Victim");
    let body =
        json!({"email": &victim, "password": PASSWORD, "name": "Pay at https://evil.example"});
    let attacker = Session::of(users.post("/register", &body).await.is(201));
    for _ in 0..5 {
        publish(&environment, &booked(&attacker).1).await;
        asks_again(&users, &attacker).await;
    }
    // Another account of the attacker's gets the address next.
    let moved = json!({"email": "other@mail.example", "current_password": PASSWORD});
    users.updates(&attacker, &moved).await.is(200);
    let second = users.registers("Second").await;
    users.updates(&second, &json!({"email": &victim, "current_password": PASSWORD})).await.is(200);
    publish(&environment, &booked(&second).1).await;
    // A third names the same mailbox in another spelling.
    let tagged = "victim+shop@mail.example";
    let body = json!({"email": tagged, "password": PASSWORD, "name": "Third"});
    users.post("/register", &body).await.is(201);
    // Its bookings' e-mails come after all of those.
    let ratna = users.registers("Ratna").await;
    publish(&environment, &booked(&ratna).1).await;
    eventually(async || server.mail_to(&email("Ratna")).len()).is(3).await;

    assert_eq!(server.mail_to(tagged), Vec::<String>::new());
    let mails = server.mail_to(&victim);
    assert_eq!(mails.len(), 3, "{mails:#?}");
    for mail in mails {
        assert!(mail.contains("\r\nTo: victim@mail.example\r\n"), "{mail}");
        assert!(!mail.contains("evil") && !mail.contains("Pay at"), "{mail}");
    }
    let day_over = "UPDATE users.mail_count SET ends_at = now()";
    sqlx::query(day_over).execute(environment.superuser()).await.unwrap();
    let due = "UPDATE users.notice SET try_at = now() WHERE told_at IS NULL";
    sqlx::query(due).execute(environment.superuser()).await.unwrap();
    let all = || server.mail_to(&victim).len() + server.mail_to(tagged).len();
    eventually(async || all()).is(6).await;
    users.stop().await;
    assert_eq!(all(), 6, "three more on the next day");
}

#[tokio::test]
async fn mails_that_wait_for_the_address_to_be_verified_are_sent_then() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let (address, sari) = (email("Sari"), users.registers("Sari").await);
    let token = server.token(&address, VERIFY).await;
    for _ in 0..2 {
        publish(&environment, &booked(&sari).1).await;
    }
    let unsent = async || {
        let unsent = "SELECT count(*) FROM users.notice WHERE told_at IS NULL AND try_at > now()";
        sqlx::query_scalar::<_, i64>(unsent).fetch_one(environment.superuser()).await.unwrap()
    };
    eventually(unsent).is(2).await;
    assert_eq!(server.mail_to(&address).len(), 3);
    users.verifies(&token).await.is(204);
    let told = mails(&server, "Sari", 4).await;
    assert!(told[3].contains("Hello Sari,"), "she is greeted by name");
    users.stop().await;
}

#[tokio::test]
async fn an_outage_of_the_mail_server_uses_up_no_mails() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let server = server.stops().await;
    let sari = users.registers("Sari").await;
    let tried = async || {
        let tried = "SELECT try_at > noted_at + interval '4 s' FROM users.account_mail";
        sqlx::query_scalar::<_, bool>(tried).fetch_optional(environment.superuser()).await.unwrap()
    };
    eventually(tried).is(Some(true)).await;
    let server = server.starts_again();
    server.token(&email("Sari"), VERIFY).await;
    publish(&environment, &booked(&sari).1).await;
    eventually(async || server.mail_to(&email("Sari")).len()).is(3).await;
    users.stop().await;
}

#[tokio::test]
async fn a_changed_address_ends_other_sessions_and_tells_the_old_one() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let sari = users.registers("Sari").await;
    let thief = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let old_token = server.token(&email("Sari"), VERIFY).await;
    users.verifies(&old_token).await.is(204);
    let change = json!({"email": email("Dewi"), "current_password": PASSWORD});
    let profile = users.updates(&sari, &change).await.is(200).body;
    assert_eq!(profile["email_verified"], false, "nobody has proven to read the new one");
    users.refreshes(&thief).await.is_problem(401, "not-logged-in");
    let sari = Session::of(users.refreshes(&sari).await.is(200));
    eventually(async || server.mails(&email("Sari"), MOVED).len()).is(1).await;
    assert!(!server.mails(&email("Sari"), MOVED)[0].contains("dewi"), "the new one is not told");
    users.verifies(&old_token).await.is_about("token");
    users.verifies(&server.token(&email("Dewi"), VERIFY).await).await.is(204);
    // The same address again is no change.
    users.updates(&sari, &change).await.is(200);
    users.refreshes(&sari).await.is(200);
    users.stop().await;
    assert_eq!(server.mails(&email("Sari"), MOVED).len(), 1);
    assert_eq!(server.mails(&email("Dewi"), WELCOME), [""; 0], "nobody is welcomed twice");
}

#[tokio::test]
async fn an_older_release_that_changes_an_address_leaves_it_unverified() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let sari = users.registers("Sari").await;
    users.verifies(&server.token(&email("Sari"), VERIFY).await).await.is(204);
    // It knows neither tokens nor that addresses are verified.
    let change = "UPDATE users.account SET email = 'dewi@mail.example', version = version + 1";
    sqlx::query(change).execute(environment.superuser()).await.unwrap();
    assert_eq!(users.profile(&sari).await["email_verified"], false);
    users.stop().await;
}

#[tokio::test]
async fn development_finds_mails_in_a_folder() {
    let environment = TestEnvironment::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mails = folder.path().join("mails");
    let users = TestApp::start(&environment, &["--mail-dir", mails.to_str().unwrap()]).await;
    users.registers("Sari").await;
    let files = async || {
        let files = std::fs::read_dir(&mails).unwrap();
        let read = |file: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(file.unwrap().path()).unwrap()
        };
        files.map(read).collect::<Vec<String>>()
    };
    eventually(async || files().await.len()).is(1).await;
    eventually(async || files().await[0].contains("To: sari@mail.example")).is(true).await;
    users.stop().await;
}
