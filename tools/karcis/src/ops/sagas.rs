//! Bookings that wait, and what an operator does to one.

use futures_util::future::join_all;
use karcis_schemas::{BOOKING, EVENT, PAYMENT};
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
    let mut sagas = client.list(&BOOKING, "/ops/booking/sagas", &query.join("&"), limit).await?;
    let nothing = if all { "no booking waits" } else { "no booking needs an operator" };
    let mut failures = Failures::default();
    if !sagas.is_empty() {
        for error in errors_of_others(client, &mut failures).await {
            let about = |saga: &&mut Value| saga["booking_id"] == error["booking_id"];
            let saga = sagas.iter_mut().find(about);
            if let Some(saga) = saga.filter(|saga| saga["last_error"].is_null()) {
                saga["last_error"] = error["error"].clone();
            }
        }
    }
    Ok(Shown::list(sagas, &COLUMNS, nothing, failures))
}

/// What event-service and payment-service could not handle or send, the newest of each first: booking-service
/// knows its own errors alone.
async fn errors_of_others(client: &Client, failures: &mut Failures) -> Vec<Value> {
    let lists = [
        (&EVENT, "dead-letters"),
        (&PAYMENT, "dead-letters"),
        (&EVENT, "parked"),
        (&PAYMENT, "parked"),
    ];
    let found = join_all(lists.map(async |(service, list)| {
        let path = format!("/ops/{}/{list}?limit=100", service.name);
        let mut page = client.get(service, &path, "items").await?;
        let items = page["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok::<_, OpsError>(items.into_iter().map(move |mut one| {
            one["error"] = format!("{}: {}", service.full_name(), cell(&one, "error")).into();
            one
        }))
    }));
    let found = found.await.into_iter().filter_map(|page| failures.note(page));
    found.flatten().collect()
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
