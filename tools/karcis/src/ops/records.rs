//! Who did what, when and why; and what the reconcilers found.

use futures_util::future::join_all;
use karcis_schemas::{Service, USER};
use serde_json::Value;

use super::{
    Of,
    client::{Client, Failures},
    table::{Column, Shown, cell, time},
};

const COLUMNS: [Column; 7] = [
    ("AT", |act| time(act, "at")),
    ("SERVICE", |act| cell(act, "service")),
    ("ACTION", |act| cell(act, "action")),
    ("SUBJECT", |act| cell(act, "subject_id")),
    ("DETAIL", |act| cell(act, "detail")),
    ("REASON", |act| cell(act, "reason")),
    ("ACTOR", |act| cell(act, "actor_id")),
];

const DIFFERENCES: [Column; 6] = [
    ("SERVICE", |one| cell(one, "service")),
    ("KIND", |one| cell(one, "kind")),
    ("SUBJECT", |one| cell(one, "subject_id")),
    ("FIRST SEEN", |one| time(one, "first_seen_at")),
    ("LAST SEEN", |one| time(one, "last_seen_at")),
    ("WHAT", |one| cell(one, "detail")),
];

/// user-service compares nothing.
pub(super) async fn differences(client: &Client, with_gone: bool, of: &Of) -> Shown {
    let query = format!("with_gone={with_gone}");
    let mut services = of.services();
    services.retain(|service| service.name != USER.name);
    let nothing =
        if services.is_empty() { "user-service compares nothing" } else { "no differences" };
    let (found, failures) = of_each(client, &services, "differences", &query, of.limit.get()).await;
    Shown::list(found, &DIFFERENCES, nothing, failures)
}

pub(super) async fn audit(client: &Client, of: &Of) -> Shown {
    let (mut acts, failures) = of_each(client, &of.services(), "audit", "", of.limit.get()).await;
    acts.sort_by_key(|act| std::cmp::Reverse(act["at"].as_str().map(str::to_owned)));
    acts.truncate(of.limit.get());
    Shown::list(acts, &COLUMNS, "nobody did anything", failures)
}

/// The items of a list of each service, which each names; and which services do not say.
pub(super) async fn of_each(
    client: &Client,
    services: &[&'static Service],
    list: &str,
    query: &str,
    limit: usize,
) -> (Vec<Value>, Failures) {
    let (mut all, mut failures) = (Vec::new(), Failures::default());
    // At the same time, as one that hangs takes long not to answer.
    let found = join_all(services.iter().map(async |service| {
        let path = format!("/ops/{}/{list}", service.name);
        (service, client.list(service, &path, query, limit).await)
    }));
    for (service, found) in found.await {
        for mut item in failures.note(found).unwrap_or_default() {
            item["service"] = service.name.into();
            all.push(item);
        }
    }
    (all, failures)
}
