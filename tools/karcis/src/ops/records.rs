//! Who did what, when and why; and what the reconcilers found.

use futures_util::future::join_all;
use karcis_schemas::{Service, USER};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Of, OpsError, Why,
    client::{Client, Failures},
    service,
    table::{Column, Shown, cell, time},
};

#[derive(clap::Subcommand)]
pub(super) enum DifferenceCommand {
    /// Close one whose cause is found, and which nothing compares any more
    Close {
        #[arg(value_parser = service)]
        service: &'static Service,
        id: Uuid,
        #[command(flatten)]
        why: Why,
    },
}

const COLUMNS: [Column; 7] = [
    ("AT", |act| time(act, "at")),
    ("SERVICE", |act| cell(act, "service")),
    ("ACTION", |act| cell(act, "action")),
    ("SUBJECT", |act| cell(act, "subject_id")),
    ("DETAIL", |act| cell(act, "detail")),
    ("REASON", |act| cell(act, "reason")),
    ("ACTOR", |act| cell(act, "actor_id")),
];

const DIFFERENCES: [Column; 8] = [
    ("SERVICE", |one| cell(one, "service")),
    ("ID", |one| cell(one, "difference_id")),
    ("KIND", |one| cell(one, "kind")),
    ("SUBJECT", |one| cell(one, "subject_id")),
    ("FIRST SEEN", |one| time(one, "first_seen_at")),
    ("LAST SEEN", |one| time(one, "last_seen_at")),
    ("WHAT", |one| cell(one, "detail")),
    ("GONE", |one| time(one, "gone_at")),
];

/// Its last column is only for those who want to see what is gone. user-service compares nothing.
pub(super) async fn differences(client: &Client, with_gone: bool, of: &Of) -> Shown {
    let query = format!("with_gone={with_gone}");
    let mut services = of.services();
    services.retain(|service| service.name != USER.name);
    let nothing =
        if services.is_empty() { "user-service compares nothing" } else { "no differences" };
    let (found, failures) = of_each(client, &services, "differences", &query, of.limit.get()).await;
    let columns = DIFFERENCES.len() - usize::from(!with_gone);
    Shown::list(found, &DIFFERENCES[..columns], nothing, failures)
}

pub(super) async fn close(client: &Client, command: DifferenceCommand) -> Result<Shown, OpsError> {
    let DifferenceCommand::Close { service, id, why } = command;
    let path = format!("/ops/{}/differences/{id}/close", service.name);
    let reason = json!({"reason": why.reason});
    let closed = client.post(service, &path, &reason, "is_repeated").await?;
    let text = match closed["is_repeated"].as_bool() {
        Some(true) => "it was gone before",
        _ => "it is closed; it is back if it is found again",
    };
    Ok(Shown::new(text.to_owned(), closed))
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
