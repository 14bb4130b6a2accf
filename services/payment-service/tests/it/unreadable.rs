//! Rows that cannot be read, or answers that cannot be stored: they are left alone, and nothing waits
//! for them.

use std::time::Duration;

use karcis_kernel::{BookingId, UserId};
use karcis_process::now;
use karcis_schemas::PAYMENTS;
use karcis_testkit::{Ledger, eventually};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{Buyer, PRICE, PaymentAnswer, TestApp};

/// Ways in which a payment is unreadable: damage, and words of a newer release.
const SPOILED: [(&str, &str); 6] = [
    ("payment", "currency = 'XTS'"),
    ("payment", "status = 'disputed', cancel_wanted = false"),
    ("payment", "amount = 200000000000000000"),
    ("attempt", "action = 'hologram', action_value = 'x', action_expires_at = now()"),
    ("attempt", "outcome = 'contested'"),
    ("attempt", "outcome = 'declined', decline_kind = 'medium', decline_code = 'x'"),
];

/// A buyer whose payment comes before or behind those of all others.
fn buyer(place: u128) -> Buyer {
    Buyer { user: UserId(Uuid::now_v7()), booking: BookingId(Uuid::from_u128(place)) }
}

/// What a crashed service leaves: an attempt without an outcome.
async fn leave_unresolved(app: &TestApp, buyer: Buyer, cancel_wanted: bool) {
    let leave = "WITH payment AS (
            INSERT INTO payments.payment (booking_id, payment_id, user_id, amount, currency, pay_by,
                status, cancel_wanted, version)
            VALUES ($1, gen_random_uuid(), $2, $3, 'IDR', now() + interval '15 min', 'processing', $4, 2)
            RETURNING booking_id)
        INSERT INTO payments.attempt (booking_id, id, at, method)
        SELECT booking_id, gen_random_uuid(), $5, 'tok_approved' FROM payment";
    sqlx::query(leave)
        .bind(buyer.booking.0)
        .bind(buyer.user.0)
        .bind(PRICE)
        .bind(cancel_wanted)
        .bind(now() - Duration::from_secs(3_600))
        .execute(app.environment.superuser())
        .await
        .unwrap();
}

async fn run(app: &TestApp, sql: &'static str) {
    sqlx::raw_sql(sql).execute(app.environment.superuser()).await.unwrap();
}

/// So many of each kind, unreadable, before all others.
async fn spoiled(app: &TestApp, cancel_wanted: bool) -> Vec<Buyer> {
    // A newer release has newer constraints.
    run(
        app,
        "ALTER TABLE payments.payment DROP CONSTRAINT IF EXISTS payment_status;
        ALTER TABLE payments.payment DROP CONSTRAINT IF EXISTS payment_cancel_wanted;
        ALTER TABLE payments.attempt DROP CONSTRAINT IF EXISTS attempt_outcome;
        ALTER TABLE payments.attempt DROP CONSTRAINT IF EXISTS attempt_decline;
        ALTER TABLE payments.attempt DROP CONSTRAINT IF EXISTS attempt_action;",
    )
    .await;
    let mut bad = vec![];
    for (place, (table, spoil)) in (1..).zip(SPOILED) {
        let buyer = buyer(place);
        leave_unresolved(app, buyer, cancel_wanted).await;
        let spoil = format!("UPDATE payments.{table} SET {spoil} WHERE booking_id = $1");
        let spoil = sqlx::query(AssertSqlSafe(spoil)).bind(buyer.booking.0);
        spoil.execute(app.environment.superuser()).await.unwrap();
        bad.push(buyer);
    }
    bad
}

async fn rows(app: &TestApp, buyers: &[Buyer]) -> Vec<Value> {
    // When the provider is asked next is no part of what is stored of them.
    let read = "SELECT jsonb_build_array(
            to_jsonb(payment) - 'next_try' - 'tries' - 'asking_until', to_jsonb(attempt))
        FROM payments.payment JOIN payments.attempt USING (booking_id)
        WHERE booking_id = ANY($1) ORDER BY booking_id";
    let ids: Vec<Uuid> = buyers.iter().map(|buyer| buyer.booking.0).collect();
    sqlx::query_scalar(read).bind(ids).fetch_all(app.environment.superuser()).await.unwrap()
}

fn twenty() -> Vec<Buyer> {
    (0..20).map(|_| Buyer::new()).collect()
}

#[tokio::test]
async fn unreadable_payments_stop_no_outcome_and_no_void() {
    for (cancel_wanted, status) in [(false, "succeeded"), (true, "cancelled")] {
        let mut app = TestApp::without_instance().await;
        let (bad, good) = (spoiled(&app, cancel_wanted).await, twenty());
        for buyer in &good {
            leave_unresolved(&app, *buyer, cancel_wanted).await;
        }
        let stored = rows(&app, &bad).await;
        app.start_instance().await;
        for buyer in &good {
            app.becomes(*buyer, status).await;
        }
        for buyer in &bad {
            app.see(*buyer, buyer.user).await.is_problem(500, "internal-error");
            app.pay(*buyer, "tok_approved").await.is_problem(500, "internal-error");
            assert_eq!(app.ledger(*buyer).await, Ledger::default());
        }
        // Commands about them are dead-lettered, and those of others are answered.
        let commands = bad.iter().zip(&good).flat_map(|(bad, good)| [*bad, *good]);
        app.send_all(commands.map(|buyer| buyer.cancel().into()).collect()).await;
        let dead = async || app.environment.dead_letters(PAYMENTS).await.len();
        eventually(dead).is(bad.len()).await;
        assert_eq!(rows(&app, &bad).await, stored);
        assert!(app.counter("karcis_unreadable_rows_total").await > 0);
        run(&app, "DELETE FROM payments.dead_letter").await;
        app.stop().await;
    }
}

#[tokio::test]
async fn unreadable_payments_stop_no_refund() {
    let mut app = TestApp::start().await;
    let mut good = vec![];
    for _ in 0..20 {
        let buyer = app.buyer().await;
        app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
        good.push(buyer);
    }
    app.stop_instance().await;
    let bad = spoiled(&app, false).await;
    run(&app, "UPDATE payments.payment SET status = 'refunding' WHERE currency = 'XTS' OR status = 'succeeded';
        UPDATE payments.attempt SET outcome = 'returning' WHERE action = 'hologram' OR outcome IS NULL;")
    .await;
    let stored = rows(&app, &bad).await;
    app.start_instance().await;
    for buyer in &good {
        app.becomes(*buyer, "refunded").await;
        assert_eq!(app.ledger(*buyer).await, Ledger::refunded_once(PRICE));
    }
    assert_eq!(rows(&app, &bad).await, stored);
    app.stop().await;
}

/// The database rejects each change of the payment that the function names.
const REJECT: &str = "
    CREATE FUNCTION payments.reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.booking_id = '00000000-0000-0000-0000-000000000001' THEN
            RAISE EXCEPTION 'this one is rejected' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END $$;
    CREATE TRIGGER reject BEFORE UPDATE ON payments.payment
        FOR EACH ROW EXECUTE FUNCTION payments.reject();";

#[tokio::test]
async fn an_answer_that_the_database_rejects_stops_no_other_of_its_page() {
    let mut app = TestApp::without_instance().await;
    let (bad, mut good) = (buyer(1), twenty());
    good.push(buyer(2));
    leave_unresolved(&app, bad, false).await;
    for buyer in &good {
        leave_unresolved(&app, *buyer, false).await;
    }
    run(&app, REJECT).await;
    let stored = rows(&app, &[bad]).await;
    app.start_instance().await;
    for buyer in &good {
        app.becomes(*buyer, "succeeded").await;
    }
    assert_eq!(rows(&app, &[bad]).await, stored);

    // As for outcomes, so for refunds.
    app.stop_instance().await;
    run(
        &app,
        "ALTER TABLE payments.payment DISABLE TRIGGER reject;
        UPDATE payments.attempt SET outcome = 'approved';
        UPDATE payments.payment SET status = 'refunding', captured = amount;
        ALTER TABLE payments.payment ENABLE TRIGGER reject;",
    )
    .await;
    let stored = rows(&app, &[bad]).await;
    app.start_instance().await;
    for buyer in &good {
        app.becomes(*buyer, "refunded").await;
    }
    assert_eq!(rows(&app, &[bad]).await, stored);
    app.stop().await;
}
