//! The signing keys are changed while people go on, and nobody is refused.

use std::{collections::BTreeMap, process::Command, sync::Mutex, time::Duration};

use futures_util::future::join_all;
use karcis_fleet::{Fleet, Person, TIMEOUT, program};
use karcis_schemas::{BOOKING, Service, USER, USERS};
use karcis_testkit::{Answer, eventually, tokens};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A key signs so many seconds after it is published, where everybody looks for new keys five times
/// a second: as ten minutes are to one.
const LEAD_SECONDS: &str = "10";
const PACE: [(&str, &str); 2] =
    [("KARCIS_SIGNING_KEYS_REREAD_MS", "200"), ("KARCIS_JWKS_POLL_MS", "200")];

/// How many requests booking-service has answered, by the key of their token.
type ByKey = Mutex<BTreeMap<String, usize>>;

#[tokio::test]
async fn a_rotation_under_load_refuses_nobody() {
    let fleet = Fleet::of_instances(2, &PACE).await;
    let people = join_all(
        ["Sari One", "Sari Two", "Sari Three", "Sari Four"].map(|name| fleet.registers(name)),
    )
    .await;
    let (answered, done) = (ByKey::default(), CancellationToken::new());
    let load = join_all(people.iter().map(|person| {
        let everywhere: Vec<_> =
            fleet.instances().iter().map(|instance| person.through(instance.urls())).collect();
        goes_on(everywhere, &answered, &done)
    }));
    let rotating = async {
        let of = |key: &str| answered.lock().unwrap().get(key).copied().unwrap_or_default();
        let at_least = |key: String, count| async move {
            let enough = async || if of(&key) >= count { Ok(()) } else { Err(of(&key)) };
            eventually(enough).within(TIMEOUT).await;
        };
        at_least(tokens::KEY_ID.to_owned(), 50).await;
        let said = keys(&fleet, &["rotate", "--lead-seconds", LEAD_SECONDS]).expect("makes a key");
        let new = said.lines().find(|line| line.contains("signs from")).expect("it waits");
        let new = new.split_whitespace().next().expect("it has an id").to_owned();
        assert_eq!(of(&new), 0, "it is published and does not sign yet");
        at_least(new, 200).await;
        done.cancel();
    };
    let (sessions, ()) = tokio::join!(load, rotating);
    let answered = answered.into_inner().unwrap();
    assert_eq!(answered.len(), 2, "both keys, and no other: {answered:?}");

    let refused = keys(&fleet, &["retire", tokens::KEY_ID]).expect_err("its tokens are valid");
    assert!(refused.contains("valid until"), "{refused}");
    keys(&fleet, &["retire", tokens::KEY_ID, "--force"]).expect("whatever comes of it");
    for Session { everywhere, old_token, token } in sessions {
        for person in everywhere {
            for service in [&USER, &BOOKING] {
                let old = asks(&person, service, &old_token);
                eventually(async || old().await.status).is(StatusCode::UNAUTHORIZED).await;
                asks(&person, service, &token)().await.is(200);
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_signs_at_once_refuses_nobody_during_a_rolling_restart() {
    let fleet = Fleet::of_instances(2, &[]).await;
    let sari = fleet.registers("Sari").await;
    let everywhere: Vec<_> =
        fleet.instances().iter().map(|instance| sari.through(instance.urls())).collect();
    let said = keys(&fleet, &["rotate", "--lead-seconds", "0"]).expect("makes a key");
    let new = said.lines().find(|line| line.ends_with("signs")).expect("it signs");
    let new = new.split_whitespace().next().expect("it has an id");
    let login = json!({"email": sari.email(), "password": sari.password()});
    for (instance, restarted) in fleet.instances().iter().zip(&everywhere) {
        let stopped = instance.terminate(&USER);
        eventually(async || instance.pid(&USER) != stopped).within(TIMEOUT).is(true).await;
        let session = eventually(async || {
            let login = restarted.request(Method::POST, &USER, "/login").json(&login);
            Answer::try_to(login).await.map_err(|error| format!("{error:?}"))
        });
        let session = session.within(TIMEOUT).await.is(200).body;
        let token = session["access_token"].as_str().unwrap();
        let key = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        assert_eq!(key, new, "who starts signs with it");
        for person in &everywhere {
            for service in [&USER, &BOOKING] {
                // Each of these asks its own instance of user-service, which may not have the key yet.
                let asked = asks(person, service, token);
                let status = async || {
                    let status = asked().await.status;
                    assert_ne!(status, 401, "to log in again does not help");
                    status
                };
                eventually(status).within(Duration::from_secs(10)).is(StatusCode::OK).await;
            }
        }
    }
}

/// A person at each instance, with the first and the last token of a session.
struct Session {
    everywhere: Vec<Person>,
    old_token: String,
    token: String,
}

/// Refreshes the session at each instance in turn, and uses its first and its newest token at all of
/// them, until `done`.
async fn goes_on(everywhere: Vec<Person>, answered: &ByKey, done: &CancellationToken) -> Session {
    let login = json!({"email": everywhere[0].email(), "password": everywhere[0].password()});
    let mut session = everywhere[0].post(&USER, "/login", &login).await.is(200).body;
    let access_token = |session: &Value| session["access_token"].as_str().unwrap().to_owned();
    let old_token = access_token(&session);
    for round in 0.. {
        let token = access_token(&session);
        for person in &everywhere {
            for token in [&old_token, &token] {
                asks(person, &USER, token)().await.is(200);
                asks(person, &BOOKING, token)().await.is(200);
                let key = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
                *answered.lock().unwrap().entry(key).or_default() += 1;
            }
        }
        if done.is_cancelled() {
            return Session { everywhere, old_token, token };
        }
        let refresh = json!({"refresh_token": session["refresh_token"]});
        let person = &everywhere[round % everywhere.len()];
        session = person.post(&USER, "/token/refresh", &refresh).await.is(200).body;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("it has returned")
}

/// Asks the service for what is this token's owner's.
fn asks(person: &Person, service: &'static Service, token: &str) -> impl AsyncFn() -> Answer {
    let mut person = person.clone();
    token.clone_into(&mut person.token);
    let path = if service.name == USER.name { "/profile" } else { "/bookings" };
    async move || person.get(service, path).await
}

/// What `karcis keys` prints, or its complaint.
fn keys(fleet: &Fleet, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program("karcis"));
    command.arg("keys").args(arguments);
    let output = command.env("DATABASE_URL", fleet.environment().role_url(USERS)).output();
    let output = output.expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it says text");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
