//! Bookings that wait, and what an operator does to one.

use karcis_schemas::BOOKING;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    OpsError, Why,
    client::{Client, Failures},
    table::{Column, Shown, age, cell},
};

const COLUMNS: [Column; 6] = [
    ("BOOKING", |saga| cell(saga, "booking_id")),
    ("STAGE", |saga| cell(saga, "stage")),
    ("AGE", |saga| age(saga, "age_s")),
    ("STUCK", |saga| cell(saga, "stuck")),
    ("WAITS FOR", waits_for),
    ("LAST ERROR", |saga| cell(saga, "last_error")),
];

pub(super) async fn stuck(
    client: &Client,
    all: bool,
    stage: Option<String>,
    older_than: Option<u32>,
    limit: usize,
) -> Result<Shown, OpsError> {
    let stuck = (!all).then(|| "stuck=true".to_owned());
    let stage = stage.map(|stage| format!("stage={stage}"));
    let older_than = older_than.map(|seconds| format!("older_than_s={seconds}"));
    let query: Vec<String> = [stuck, stage, older_than].into_iter().flatten().collect();
    let sagas = client.list(&BOOKING, "/ops/booking/sagas", &query.join("&"), limit).await?;
    let nothing = if all { "no booking waits" } else { "no booking needs an operator" };
    Ok(Shown::list(sagas, &COLUMNS, nothing, Failures::default()))
}

pub(super) async fn resume(client: &Client, id: Uuid, why: &Why) -> Result<Shown, OpsError> {
    let path = format!("/ops/booking/sagas/{id}/resume");
    let saga = client.post(&BOOKING, &path, &json!({"reason": why.reason}), "waits_for").await?;
    let text = format!("sent {} again; it waits for {}", cell(&saga, "pending"), waits_for(&saga));
    Ok(Shown::new(text, saga))
}

pub(super) async fn cancel(client: &Client, id: Uuid, why: &Why) -> Result<Shown, OpsError> {
    let path = format!("/ops/booking/{id}/cancel");
    let saga = client.post(&BOOKING, &path, &json!({"reason": why.reason}), "waits_for").await?;
    let done = match saga["is_changed"].as_bool() {
        Some(true) => "it is being cancelled",
        _ => "it was being undone before: nothing was changed",
    };
    let text = format!("{done}; it waits for {}", waits_for(&saga));
    Ok(Shown::new(text, saga))
}

pub(super) fn waits_for(of: &Value) -> String {
    cell(of, "waits_for")
}
