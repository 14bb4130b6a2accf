//! An instance whose machine's clock is wrong works by the database's.

use std::process::{Child, Command};

use clap::CommandFactory;
use karcis_booking_service::Config;
use karcis_kernel::UserId;
use karcis_schemas::BOOKING;
use karcis_testkit::{Answer, Person, TestEnvironment, TokenMint, WrongClock, eventually};
use reqwest::Method;
use uuid::Uuid;

use crate::harness::TestApp;

/// Longer than anybody has to pay, and than an idempotency key is kept.
const AHEAD_S: i64 = 25 * 60 * 60;

/// The service's program as a process, until this is dropped.
struct Program {
    process: Child,
    visitor: Person,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(environment: &TestEnvironment, mint: &TokenMint, clock: &WrongClock) -> Program {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = free.local_addr().expect("it is bound").to_string();
    drop(free);
    let process = Command::new(env!("CARGO_BIN_EXE_booking-service"))
        .args(environment.flags_of(&BOOKING, &Config::command(), mint.jwks_url()))
        .args(["--listen", &address])
        .envs(clock.variables())
        .spawn()
        .expect("the program starts");
    Program { process, visitor: Person::visitor(&format!("http://{address}")) }
}

async fn count(environment: &TestEnvironment, query: &'static str, id: Uuid) -> i64 {
    let counted = sqlx::query_scalar(query).bind(id).fetch_one(environment.superuser()).await;
    counted.expect("rows can be counted")
}

#[tokio::test]
async fn an_instance_whose_clock_is_a_day_ahead_expires_nothing_and_is_not_ready() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let mut bookings = vec![];
    for _ in 0..21 {
        bookings.push(buyer.books().await);
    }
    for booking in &bookings {
        app.makes_payable(*booking).await;
    }
    for booking in &bookings {
        buyer.waits_for(*booking, "awaiting_payment").await;
    }
    let (user, late) = (buyer.user_id, bookings[0]);
    insert_keys(&app.environment, user).await;

    // From here on only the instance with the wrong clock works.
    let (environment, others) = app.without_service().await;
    let (mint, clock) = (TokenMint::start().await, WrongClock::ahead_by(AHEAD_S));
    let program = start(&environment, &mint, &clock);
    eventually(async || {
        let answer = Answer::try_to(program.visitor.request(Method::GET, "/readyz"));
        let answer = answer.await.map_err(|error| format!("{error:?}"))?;
        let told = answer.body.to_string();
        let knows = answer.status == 503 && told.contains("ahead of the database's");
        if knows { Ok(()) } else { Err(told) }
    })
    .await;
    // The gauge is set by the first reading after the start.
    eventually(async || {
        let metrics = program.visitor.get("/metrics").await.body;
        let offset = metrics.as_str().and_then(|page| {
            let line =
                page.lines().find(|line| line.starts_with("karcis_clock_offset_seconds "))?;
            line.rsplit(' ').next()?.parse::<f64>().ok()
        });
        let right = offset.is_some_and(|offset| (offset - AHEAD_S as f64).abs() < 5.0);
        if right { Ok(()) } else { Err(format!("{offset:?}")) }
    })
    .await;

    // It purges what is expired and fires what is due, and nothing else.
    let keys = "SELECT count(*) FROM bookings.idempotency_key WHERE user_id = $1";
    eventually(|| count(&environment, keys, user.0)).is(1).await;
    sqlx::query("UPDATE bookings.booking SET pay_by = now(), due_at = now() WHERE id = $1")
        .bind(late.id.0)
        .execute(environment.superuser())
        .await
        .expect("the deadline can be moved");
    let undone = "SELECT count(*) FROM bookings.booking WHERE stage = 'cancelling' AND id = $1";
    eventually(|| count(&environment, undone, late.id.0)).is(1).await;
    let unpaid = "SELECT count(*) FROM bookings.booking WHERE stage = 'awaiting' AND user_id = $1";
    assert_eq!(count(&environment, unpaid, user.0).await, 20);
    assert_eq!(count(&environment, keys, user.0).await, 1);
    drop(program);
    others.stop().await;
}

/// A key that was used an hour ago, and one that is expired.
async fn insert_keys(environment: &TestEnvironment, user: UserId) {
    let insert =
        "INSERT INTO bookings.idempotency_key (user_id, key, fingerprint, booking_id, created_at)
        SELECT $1, 'key ' || hours, '', gen_random_uuid(), now() - hours * interval '1 hour'
        FROM UNNEST(ARRAY[1, 26]) AS used (hours)";
    let inserted = sqlx::query(insert).bind(user.0).execute(environment.superuser()).await;
    inserted.expect("keys can be stored");
}
