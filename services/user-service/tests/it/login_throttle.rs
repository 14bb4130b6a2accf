//! Guessing passwords is slowed down and reveals nothing.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use karcis_kernel::Timestamp;
use karcis_testkit::{Answer, TestEnvironment, eventually, together};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer_after_the_same_time() {
    let environment = TestEnvironment::start().await;
    let limits = ["--failed-logins-per-account", "100000", "--failed-logins-per-peer", "100000"];
    let users = TestApp::start(&environment, &limits).await;
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
    let environment = TestEnvironment::start().await;
    let limit = ["--failed-logins-per-account", "3"];
    let users = TestApp::start(&environment, &limit).await;
    let other =
        TestApp::start(&environment, &["--failed-logins-per-account", "3", "--instance", "1"])
            .await;
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
    sqlx::query(end).execute(environment.superuser()).await.unwrap();
    users.logs_in("Sari", PASSWORD).await.is(200);
    users.logs_in("Sari", "wrong").await.is_problem(401, "wrong-credentials");
    users.stop().await;
    other.stop().await;
}

/// Asserts that this guess was not looked at, and returns after how many seconds to try again.
fn must_wait(answer: &Answer) -> u32 {
    assert_eq!(answer.body["type"], "/problems/too-many-requests", "{:#}", answer.body);
    assert_eq!(answer.status, 429);
    let seconds: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=901).contains(&seconds), "{seconds}");
    seconds
}

#[tokio::test]
async fn after_too_many_wrong_passwords_a_client_waits_for_accounts_it_never_logged_in_to() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-peer", "3"]).await;
    users.registers("Sari").await;
    for name in ["A", "B", "C"] {
        users.logs_in_from(2, name, "wrong").await.is_problem(401, "wrong-credentials");
    }
    must_wait(&users.logs_in_from(2, "D", "wrong").await);
    must_wait(&users.logs_in_from(2, "Sari", PASSWORD).await);
    for name in ["A", "B", "C"] {
        users.logs_in(name, "wrong").await.is_problem(401, "wrong-credentials");
    }
    must_wait(&users.logs_in("D", "wrong").await);
    users.logs_in("Sari", PASSWORD).await.is(200);
    users.registers("Dewi").await;
    users.stop().await;
}

#[tokio::test]
async fn strangers_do_not_stop_where_and_how_the_owner_was_logged_in_before() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "3"]).await;
    let sari = users.registers("Sari").await;
    let name = "Sari";
    for host in 2..6 {
        for _ in 0..3 {
            users.logs_in_from(host, name, "wrong").await.is_problem(401, "wrong-credentials");
            allow_strangers(&environment).await;
        }
        must_wait(&users.logs_in_from(host, name, "wrong").await);
    }
    users.logs_in(name, PASSWORD).await.is(200);
    let new = "ten mangoes in a boat";
    let change = json!({"password": new, "current_password": PASSWORD});
    users.updates(&sari, &change).await.is(200);
    users.logs_in(name, new).await.is(200);

    // Somebody who sits at the owner's address stops it there, but not the session.
    for _ in 0..3 {
        users.logs_in(name, "wrong").await.is_problem(401, "wrong-credentials");
    }
    must_wait(&users.logs_in(name, new).await);
    let change = json!({"password": PASSWORD, "current_password": new});
    users.updates(&sari, &change).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn guesses_from_everywhere_wait_longer_each_time_and_who_is_stopped_delays_nobody() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "2"]).await;
    users.registers("Sari").await;
    users.logs_in_from(2, "Sari", "wrong").await.is_problem(401, "wrong-credentials");
    for (host, wait_s) in (3..).zip([1, 2, 4, 8, 16, 30, 30]) {
        let before = database_time(&environment).await;
        users.logs_in_from(host, "Sari", "wrong").await.is_problem(401, "wrong-credentials");
        let (wait, until) =
            (TimeDelta::seconds(wait_s.into()), strangers_wait_until(&environment).await);
        let after = database_time(&environment).await;
        assert!((before + wait..=after + wait).contains(&until), "{wait_s}: {until}");
        // A test that is slow sees the shorter ones end.
        if wait_s == 30 {
            let answer = users.logs_in_from(100, "Sari", PASSWORD).await;
            let seconds = must_wait(&answer);
            assert!((1..=wait_s).contains(&seconds), "{seconds} of {wait_s}");
        }
        allow_strangers(&environment).await;
    }
    // This address is at its own limit.
    users.logs_in_from(3, "Sari", "wrong").await.is_problem(401, "wrong-credentials");
    allow_strangers(&environment).await;
    for _ in 0..5 {
        must_wait(&users.logs_in_from(3, "Sari", "wrong").await);
    }
    users.logs_in_from(100, "Sari", PASSWORD).await.is(200);
    // Strangers still wait, but that address is known now.
    must_wait(&users.logs_in_from(4, "Sari", "wrong").await);
    users.logs_in_from(100, "Sari", PASSWORD).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn strangers_who_go_on_from_several_addresses_do_not_take_the_owners_turn() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "2"]).await;
    users.registers("Sari").await;
    let wrong = |host| users.logs_in_from(host, "Sari", "wrong");
    for host in 2..9 {
        allow_strangers(&environment).await;
        wrong(host).await.is_problem(401, "wrong-credentials");
    }
    // Each of them waits 30 s for the one before, and an address waits once however often it asks.
    let strangers = 10..14;
    for host in strangers.clone() {
        let asks = (0..20).map(|_| async { must_wait(&wrong(host).await) });
        together(20, asks).await;
    }
    let owners_wait = must_wait(&users.logs_in_from(100, "Sari", PASSWORD).await);
    assert!((121..=151).contains(&owners_wait), "{owners_wait}");
    time_passes(&environment, owners_wait).await;
    for host in strangers {
        wrong(host).await.is_problem(401, "wrong-credentials");
        must_wait(&wrong(host).await);
    }
    users.logs_in_from(100, "Sari", PASSWORD).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn no_stranger_waits_longer_than_a_window_for_a_turn() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "1"]).await;
    users.registers("Sari").await;
    for host in 2..60 {
        users.logs_in_from(host, "Sari", "wrong").await;
    }
    let turns = "SELECT count(*), max(not_before) <= now() + interval '15 min'
        FROM users.failed_login WHERE subject LIKE 'turn:%'";
    let turns: (i64, bool) =
        sqlx::query_as(turns).fetch_one(environment.superuser()).await.unwrap();
    assert!((30..40).contains(&turns.0) && turns.1, "{turns:?}");
    users.stop().await;
}

/// So many seconds pass for all who wait.
async fn time_passes(environment: &TestEnvironment, seconds: u32) {
    let pass = "UPDATE users.failed_login SET not_before = not_before - make_interval(secs => $1),
        ends_at = ends_at - make_interval(secs => $1)";
    let pass = sqlx::query(pass).bind(f64::from(seconds));
    pass.execute(environment.superuser()).await.unwrap();
}

/// The waits of strangers end.
async fn allow_strangers(environment: &TestEnvironment) {
    let end = "UPDATE users.failed_login SET not_before = now() WHERE subject LIKE 'account:%'";
    sqlx::query(end).execute(environment.superuser()).await.unwrap();
}

/// What time it is for the database, which measures waits.
async fn database_time(environment: &TestEnvironment) -> Timestamp {
    let time = sqlx::query_scalar("SELECT clock_timestamp()");
    time.fetch_one(environment.superuser()).await.unwrap()
}

/// Until when strangers have to wait.
async fn strangers_wait_until(environment: &TestEnvironment) -> Timestamp {
    let until = "SELECT not_before FROM users.failed_login WHERE subject LIKE 'account:%'";
    sqlx::query_scalar(until).fetch_one(environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn of_many_guesses_at_once_only_as_many_are_looked_at_as_the_limit_leaves() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "10"]).await;
    for name in ["Sari", "Dewi"] {
        users.registers(name).await;
    }
    for (name, host) in [("Sari", 2), ("Nobody", 3), ("Dewi", 1)] {
        let guesses =
            (0..100).map(|n| {
                let users = &users;
                async move {
                    users.logs_in_from(host, name, &format!("wrong {n}")).await.status.as_u16()
                }
            });
        let owner = async { users.logs_in("Sari", PASSWORD).await.status.as_u16() };
        let (guesses, owner) = tokio::join!(together(100, guesses), owner);
        let looked_at = guesses.iter().filter(|status| **status == 401).count();
        let refused = guesses.iter().filter(|status| **status == 429).count();
        assert_eq!((looked_at, refused, owner), (10, 90, 200), "{name}");
    }
    users.stop().await;
}

#[tokio::test]
async fn the_last_twenty_addresses_of_an_account_are_remembered_as_hashes() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Sari").await;
    let hidden: (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE octet_length(peer) = 32) FROM users.known_peer",
    )
    .fetch_one(environment.superuser())
    .await
    .unwrap();
    assert_eq!(hidden, (1, 1));
    for host in 2..30 {
        users.logs_in_from(host, "Sari", PASSWORD).await.is(200);
    }
    let count = "SELECT count(*) FROM users.known_peer";
    let count: i64 = sqlx::query_scalar(count).fetch_one(environment.superuser()).await.unwrap();
    assert_eq!(count, 20);
    users.stop().await;
}

#[tokio::test]
async fn right_passwords_and_registrations_are_not_counted() {
    let environment = TestEnvironment::start().await;
    let flags = ["--failed-logins-per-account", "2", "--failed-logins-per-peer", "2"];
    let users = TestApp::start(&environment, &flags).await;
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
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &["--failed-logins-per-account", "3"]).await;
    let sari = users.registers("Sari").await;
    let change = |guess: &str| json!({"password": "mine now, all mine", "current_password": guess});
    for guess in ["a", "b", "c"] {
        users.updates(&sari, &change(guess)).await.is_about("current_password");
    }
    must_wait(&users.updates(&sari, &change(PASSWORD)).await);
    users.updates(&sari, &json!({"name": "Dewi"})).await.is(200);
    users.stop().await;
}
