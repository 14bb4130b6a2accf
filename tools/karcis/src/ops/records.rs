//! Who did what, when and why.

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

pub(super) async fn audit(client: &Client, of: &Of) -> Result<Shown, OpsError> {
    let mut acts = of_each(client, of, "audit", "").await?;
    acts.sort_by_key(|act| std::cmp::Reverse(act["at"].as_str().map(str::to_owned)));
    acts.truncate(of.limit.limit);
    Ok(Shown::list(acts, &COLUMNS, "nobody did anything"))
}

/// The items of a list of each service, which each names.
pub(super) async fn of_each(
    client: &Client,
    of: &Of,
    list: &str,
    query: &str,
) -> Result<Vec<Value>, OpsError> {
    let mut all = Vec::new();
    for service in of.services() {
        let path = format!("/ops/{}/{list}", service.name);
        for mut item in client.list(service, &path, query, of.limit.limit).await? {
            item["service"] = service.name.into();
            all.push(item);
        }
    }
    Ok(all)
}
