//! What the provider was asked and is made to do, and webhooks as it sends them.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use karcis_process::now;
use karcis_testkit::{Answer, eventually};
use serde_json::json;
use sha2::Sha256;

use crate::harness::{Buyer, TestApp};

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
