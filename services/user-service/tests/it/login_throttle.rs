//! Guessing passwords is slowed down and reveals nothing.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use karcis_testkit::{Answer, TestEnvironment, eventually};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer_after_the_same_time() {
    let bed = TestEnvironment::start().await;
    let limits = ["--failed-logins-per-account", "100000", "--failed-logins-per-peer", "100000"];
    let users = TestApp::start(&bed, &limits).await;
    users.registers("Sari").await;
    // Other work on the machine only makes times longer, so the shortest ones are compared, and more
    // are measured until they agree.
    let shortest = Cell::new([Duration::MAX; 3]);
    let compare = async || {
        for _ in 0..7 {
            let (wrong, to_wrong) = refusal(&users, "Sari").await;
            let (unknown, to_unknown) = refusal(&users, "Nobody").await;
            assert_eq!(to_wrong, to_unknown);
            let [a, b, c] = shortest.get();
            shortest.set([a.min(wrong), b.min(unknown), c.min(time_of_one_hash())]);
        }
        let [wrong, unknown, hashing] = shortest.get();
        let both_hash = wrong > hashing / 2 && unknown > hashing / 2;
        if both_hash && unknown > wrong / 2 && wrong > unknown / 2 {
            Ok(())
        } else {
            Err(format!("wrong {wrong:?}, unknown {unknown:?}, a hash {hashing:?}"))
        }
    };
    eventually(compare).within(Duration::from_secs(600)).await;
    users.stop().await;
}

/// Logs in with a wrong password: how long that takes, and the answer.
async fn refusal(users: &TestApp, name: &str) -> (Duration, Value) {
    let start = Instant::now();
    let answer = users.logs_in(name, "ten mangoes").await;
    let took = start.elapsed();
    let mut body = answer.is_problem(401, "wrong-credentials").body;
    body["trace_id"].take();
    (took, body)
}

fn time_of_one_hash() -> Duration {
    let start = Instant::now();
    let params = argon2::Params::new(19 * 1024, 2, 1, None).unwrap();
    let argon2id = argon2::Argon2::from(params);
    argon2id.hash_password_into(b"ten mangoes", b"salt of mangoes", &mut [0; 32]).unwrap();
    start.elapsed()
}

#[tokio::test]
async fn after_too_many_wrong_passwords_an_account_waits_even_for_the_right_one() {
    let bed = TestEnvironment::start().await;
    let limit = ["--failed-logins-per-account", "3"];
    let users = TestApp::start(&bed, &limit).await;
    let other =
        TestApp::start(&bed, &["--failed-logins-per-account", "3", "--instance", "1"]).await;
    for name in ["Sari", "Dewi"] {
        users.registers(name).await;
    }
    for name in ["Sari", "Nobody"] {
        for instance in [&users, &other, &users] {
            instance.logs_in(name, "wrong").await.is_problem(401, "wrong-credentials");
        }
        for (instance, password) in [(&users, "wrong"), (&users, PASSWORD), (&other, PASSWORD)] {
            must_wait(&instance.logs_in(name, password).await);
        }
    }
    users.logs_in("Dewi", PASSWORD).await.is(200);

    let end = "UPDATE users.failed_login SET ends_at = now()";
    sqlx::query(end).execute(bed.superuser()).await.unwrap();
    users.logs_in("Sari", PASSWORD).await.is(200);
    users.logs_in("Sari", "wrong").await.is_problem(401, "wrong-credentials");
    users.stop().await;
    other.stop().await;
}

fn must_wait(answer: &Answer) {
    assert_eq!(answer.body["type"], "/problems/too-many-requests", "{:#}", answer.body);
    assert_eq!(answer.status, 429);
    let seconds: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn after_too_many_wrong_passwords_a_client_waits_for_every_account() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &["--failed-logins-per-peer", "3"]).await;
    users.registers("Sari").await;
    for name in ["A", "B", "C"] {
        users.logs_in(name, "wrong").await.is_problem(401, "wrong-credentials");
    }
    must_wait(&users.logs_in("D", "wrong").await);
    must_wait(&users.logs_in("Sari", PASSWORD).await);
    users.registers("Dewi").await;
    users.stop().await;
}

#[tokio::test]
async fn right_passwords_and_registrations_are_not_counted() {
    let bed = TestEnvironment::start().await;
    let flags = ["--failed-logins-per-account", "2", "--failed-logins-per-peer", "2"];
    let users = TestApp::start(&bed, &flags).await;
    for name in ["Sari", "Dewi", "Putri"] {
        users.registers(name).await;
    }
    users.logs_in("Sari", "wrong").await.is_problem(401, "wrong-credentials");
    for _ in 0..4 {
        users.logs_in("Sari", PASSWORD).await.is(200);
    }
    users.stop().await;
}

#[tokio::test]
async fn a_stolen_access_token_does_not_help_to_guess_the_password() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &["--failed-logins-per-account", "3"]).await;
    let sari = users.registers("Sari").await;
    let change = |guess: &str| json!({"password": "mine now, all mine", "current_password": guess});
    for guess in ["a", "b", "c"] {
        users.updates(&sari, &change(guess)).await.is_about("current_password");
    }
    must_wait(&users.updates(&sari, &change(PASSWORD)).await);
    users.updates(&sari, &json!({"name": "Dewi"})).await.is(200);
    users.stop().await;
}
