//! Who did what, when and why; and what the reconcilers found.

use karcis_schemas::{Service, USER};
use serde_json::Value;

use super::{
    Of, OpsError,
    client::Client,
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
pub(super) async fn differences(
    client: &Client,
    with_gone: bool,
    of: &Of,
) -> Result<Shown, OpsError> {
    let query = format!("with_gone={with_gone}");
    let mut services = of.services();
    services.retain(|service| of.service.is_some() || service.name != USER.name);
    let found = of_each(client, &services, "differences", &query, of.limit.limit).await?;
    Ok(Shown::list(found, &DIFFERENCES, "no differences"))
}

pub(super) async fn audit(client: &Client, of: &Of) -> Result<Shown, OpsError> {
    let mut acts = of_each(client, &of.services(), "audit", "", of.limit.limit).await?;
    acts.sort_by_key(|act| std::cmp::Reverse(act["at"].as_str().map(str::to_owned)));
    acts.truncate(of.limit.limit);
    Ok(Shown::list(acts, &COLUMNS, "nobody did anything"))
}

/// The items of a list of each service, which each names.
pub(super) async fn of_each(
    client: &Client,
    services: &[&'static Service],
    list: &str,
    query: &str,
    limit: usize,
) -> Result<Vec<Value>, OpsError> {
    let mut all = Vec::new();
    for service in services {
        let path = format!("/ops/{}/{list}", service.name);
        for mut item in client.list(service, &path, query, limit).await? {
            item["service"] = service.name.into();
            all.push(item);
        }
    }
    Ok(all)
}
