//! What the payment provider left open, and settling it.

use karcis_schemas::PAYMENT;
use serde_json::json;
use uuid::Uuid;

use super::{
    OpsError, Why,
    client::{Client, Failures},
    sagas::waits_for,
    table::{Column, Shown, age, cell, money},
};

const COLUMNS: [Column; 6] = [
    ("BOOKING", |open| cell(open, "booking_id")),
    ("WHAT", |open| cell(open, "what")),
    ("AGE", |open| age(open, "age_s")),
    ("AMOUNT", |open| money(open, "amount")),
    ("ATTEMPT", |open| cell(open, "attempt_id")),
    ("REFUSED, AS", |open| cell(open, "refusal")),
];

/// What is recorded.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Settlement {
    /// The attempt's money is captured
    Approved,
    /// The attempt was declined
    Declined,
    /// The attempt's intent is voided and will never capture
    Voided,
    /// What the provider refused to give back was given back by hand
    Refunded,
    /// The provider refused by mistake: ask it for the money again
    AskAgain,
}

impl Settlement {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
            Self::AskAgain => "ask_again",
        }
    }
}

pub(super) async fn unknown(
    client: &Client,
    older_than: Option<u32>,
    limit: usize,
) -> Result<Shown, OpsError> {
    let query = older_than.map(|seconds| format!("older_than_s={seconds}")).unwrap_or_default();
    let open = client.list(&PAYMENT, "/ops/payment/unknown", &query, limit).await?;
    Ok(Shown::list(open, &COLUMNS, "the provider left nothing open", Failures::default()))
}

pub(super) async fn settle(
    client: &Client,
    id: Uuid,
    outcome: Settlement,
    reference: &str,
    why: &Why,
) -> Result<Shown, OpsError> {
    let outcome = outcome.as_str();
    let body = json!({"outcome": outcome, "reference": reference, "reason": why.reason});
    let payment =
        client.post(&PAYMENT, &format!("/ops/payment/{id}/settle"), &body, "waits_for").await?;
    let status = cell(&payment, "status");
    let text = format!("recorded; the payment is {status} and waits for {}", waits_for(&payment));
    Ok(Shown::new(text, payment))
}
