//! What the provider was asked and is made to do, and webhooks as it sends them.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use karcis_kernel::Timestamp;
use karcis_process::now;
use karcis_testkit::{Answer, Ledger, eventually};
use serde_json::json;
use sha2::Sha256;
use sqlx::{Postgres, Transaction};

use crate::harness::{Buyer, PaymentAnswer, TestApp};

/// Waits for the bank on a slow machine too, and soon asks again about what it was asked before a crash.
pub(crate) const ASKS_AGAIN: [&str; 4] =
    ["--provider-wait-ms", "60000", "--provider-timeout-ms", "20000"];

/// The same, with two secrets for webhooks.
pub(crate) const WITH_SECRETS: [&str; 6] = [
    "--provider-wait-ms",
    "60000",
    "--provider-timeout-ms",
    "20000",
    "--webhook-secrets",
    "the first of two secrets,the second of two secrets",
];
pub(crate) const FIRST_SECRET: &str = "the first of two secrets";
pub(crate) const SECOND_SECRET: &str = "the second of two secrets";

/// A claim that is not ended ends by itself after 7 s.
pub(crate) const SHORT_CLAIMS: [&str; 4] =
    ["--provider-wait-ms", "60000", "--provider-timeout-ms", "6000"];

/// The provider captures what it was asked for.
pub(crate) const CAPTURE: &str =
    "UPDATE simulated_gateway.charge SET answer = 'captured' WHERE intent = $1";

/// What is told of a payment whose money came too late.
pub(crate) const RETURNED: [&str; 3] = ["Requested", "Cancelled", "Returned"];

/// A buyer whose money comes only after the payment was cancelled.
pub(crate) async fn pays_too_late(app: &TestApp) -> Buyer {
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_executes_late").await.shows_payment(202, "processing");
    app.is_carried_out_in(buyer, 3_600).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::default());
    buyer
}

/// Has the provider asked about these two at once. Before it answers it does this about the first, whose payment
/// is locked until after the answers were stored as far as they could.
pub(crate) async fn locked_while_asked(
    app: &TestApp,
    locked: Buyer,
    other: Buyer,
    provider_does: Option<&'static str>,
) -> Transaction<'static, Postgres> {
    let mut provider = app.environment.superuser().begin().await.unwrap();
    let no_answers = "LOCK TABLE simulated_gateway.charge IN ACCESS EXCLUSIVE MODE";
    sqlx::query(no_answers).execute(&mut *provider).await.unwrap();
    let both = "UPDATE payments.payment SET look_up = true, next_try = now(), asking_until = now()";
    sqlx::query(both).execute(app.environment.superuser()).await.unwrap();
    let asked = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT key FROM charge WHERE intent%'";
    eventually(|| app.number(asked)).is(2).await;
    let claimed_until = async || {
        let until = "SELECT asking_until FROM payments.payment WHERE booking_id = $1";
        let until = sqlx::query_scalar::<_, Timestamp>(until).bind(other.booking.0);
        until.fetch_one(app.environment.superuser()).await.unwrap()
    };
    let until = claimed_until().await;
    let mut locking = app.environment.superuser().begin().await.unwrap();
    let lock = "SELECT FROM payments.payment WHERE booking_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(locked.booking.0).execute(&mut *locking).await.unwrap();
    if let Some(what) = provider_does {
        sqlx::query(what).bind(locked.booking.0).execute(&mut *provider).await.unwrap();
    }
    provider.commit().await.unwrap();
    eventually(async || claimed_until().await != until).is(true).await;
    assert!(claimed_until().await < until, "the other's claim was ended, not given up");
    locking
}

/// A webhook about this buyer.
pub(crate) fn about(buyer: Buyer) -> String {
    json!({"intent": buyer.booking, "type": "charge.changed"}).to_string()
}

/// The signature of a webhook, made so many seconds from now.
pub(crate) fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let time = now().timestamp() + seconds;
    let mut mac: Hmac<Sha256> = KeyInit::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
    format!("t={time},v1={hex}")
}

impl TestApp {
    /// What the service answers to a webhook with this signature.
    pub(crate) async fn webhook(&self, signature: &str, body: impl Into<String>) -> Answer {
        let request = self.post("/payment/status").header("Karcis-Signature", signature);
        Answer::to(request.body(body.into())).await
    }

    /// Sends a webhook about this buyer, which is taken.
    pub(crate) async fn sends_webhook(&self, buyer: Buyer) {
        let body = about(buyer);
        self.webhook(&signature(FIRST_SECRET, 0, &body), body).await.is(204);
    }

    /// The provider's ledger notes each time that it is asked to charge or to refund.
    pub(crate) async fn records_calls(&self) {
        let record = "
            CREATE TABLE call (at timestamptz NOT NULL DEFAULT clock_timestamp(), what text NOT NULL);
            CREATE FUNCTION record_call() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                SET search_path = public
                AS 'BEGIN INSERT INTO public.call (what) VALUES (TG_TABLE_NAME); RETURN NULL; END';
            CREATE TRIGGER recorded AFTER INSERT ON simulated_gateway.charge
                FOR EACH STATEMENT EXECUTE FUNCTION record_call();
            CREATE TRIGGER recorded AFTER INSERT ON simulated_gateway.refund
                FOR EACH STATEMENT EXECUTE FUNCTION record_call()";
        let record = sqlx::raw_sql(record).execute(self.environment.superuser());
        record.await.unwrap();
    }

    /// How long after the one before each call of this kind (`charge`, `refund`) came.
    pub(crate) async fn gaps(&self, what: &str) -> Vec<Duration> {
        let gaps = "SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY at))::float8
                    FROM public.call WHERE what = $1 ORDER BY at OFFSET 1";
        let gaps = sqlx::query_scalar(gaps).bind(what).fetch_all(self.environment.superuser());
        let gaps: Vec<f64> = gaps.await.unwrap();
        gaps.into_iter().map(Duration::from_secs_f64).collect()
    }

    /// How many calls of this kind (`charge`, `refund`) there were.
    pub(crate) async fn calls(&self, what: &str) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM public.call WHERE what = $1");
        count.bind(what).fetch_one(self.environment.superuser()).await.unwrap()
    }

    /// The number that this query finds.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.environment.superuser()).await.unwrap()
    }

    /// The number that this query finds for this buyer's booking, its `$1`.
    pub(crate) async fn number_of(&self, buyer: Buyer, query: &'static str) -> i64 {
        let query = sqlx::query_scalar(query).bind(buyer.booking.0);
        query.fetch_one(self.environment.superuser()).await.unwrap()
    }

    /// Waits until the provider has no webhook left to send.
    pub(crate) async fn all_webhooks_taken(&self) {
        let left = async || self.number("SELECT count(*) FROM simulated_gateway.webhook").await;
        eventually(left).is(0).await;
    }

    /// The provider sends a webhook about this buyer.
    pub(crate) async fn provider_calls(&self, buyer: Buyer) {
        let send = "INSERT INTO simulated_gateway.webhook (intent) VALUES ($1)";
        let send = sqlx::query(send).bind(buyer.booking.0);
        send.execute(self.environment.superuser()).await.unwrap();
    }

    /// The provider carries out this buyer's charge so many seconds from now.
    pub(crate) async fn is_carried_out_in(&self, buyer: Buyer, seconds: i32) {
        let due = "UPDATE simulated_gateway.charge SET due_at = now() + make_interval(secs => $2)
                   WHERE intent = $1";
        let due = sqlx::query(due).bind(buyer.booking.0).bind(f64::from(seconds));
        due.execute(self.environment.superuser()).await.unwrap();
    }

    /// The provider captures the buyer's first charge after all, whatever it had said.
    pub(crate) async fn captures_late(&self, buyer: Buyer) {
        let capture = "
            UPDATE simulated_gateway.charge SET answer = 'captured', decline_code = NULL
            WHERE key = (SELECT key FROM simulated_gateway.charge WHERE intent = $1
                         ORDER BY asked_at LIMIT 1)";
        let capture = sqlx::query(capture).bind(buyer.booking.0);
        let captured = capture.execute(self.environment.superuser()).await.unwrap();
        assert_eq!(captured.rows_affected(), 1);
    }
}
