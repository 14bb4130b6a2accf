//! Messages that were set aside: dead letters and parked ones.

use karcis_schemas::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Of, OpsError, Why,
    client::{Client, Failures},
    records::of_each,
    service,
    table::{Column, Shown, cell, table, time},
};

#[derive(clap::Subcommand)]
pub(super) enum DeadLetterCommand {
    /// One with its headers and its body
    Show(One),
    /// Send them to their topic again, once what was wrong is mended
    Redrive(Several),
    /// Throw them away
    Discard(Several),
}

#[derive(clap::Subcommand)]
pub(super) enum ParkedCommand {
    /// One with its body
    Show(One),
    /// Put them back into the outbox, once the broker takes them
    Resend(Several),
    /// Throw them away
    Discard(Several),
}

/// A message.
#[derive(clap::Args)]
pub(super) struct One {
    #[arg(value_parser = service)]
    service: &'static Service,
    id: Uuid,
}

/// Several messages.
#[derive(clap::Args)]
pub(super) struct Several {
    /// Whose: user, event, booking or payment
    #[arg(value_parser = service)]
    service: &'static Service,
    /// Their ids
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All of the service
    #[arg(long)]
    all: bool,
    /// With --all: those of this topic only
    #[arg(long, conflicts_with = "ids", value_name = "TOPIC")]
    topic: Option<String>,
    /// With --all: those of this type only
    #[arg(long = "type", conflicts_with = "ids", value_name = "TYPE")]
    kind: Option<String>,
    #[command(flatten)]
    why: Why,
}

/// A kind of message, as the services call its list, id and time.
struct Kind {
    list: &'static str,
    id: &'static str,
    columns: &'static [Column<'static>],
    nothing: &'static str,
}

const DEAD_LETTERS: Kind = Kind {
    list: "dead-letters",
    id: "dead_letter_id",
    columns: &[
        ("SERVICE", |one| cell(one, "service")),
        ("ID", |one| cell(one, "dead_letter_id")),
        ("FIRST SEEN", |one| time(one, "first_seen_at")),
        ("LAST SEEN", |one| time(one, "last_seen_at")),
        ("TYPE", |one| cell(one, "type")),
        ("BOOKING", |one| cell(one, "booking_id")),
        ("ERROR", |one| cell(one, "error")),
    ],
    nothing: "no dead letters",
};

const PARKED: Kind = Kind {
    list: "parked",
    id: "message_id",
    columns: &[
        ("SERVICE", |one| cell(one, "service")),
        ("ID", |one| cell(one, "message_id")),
        ("PARKED", |one| time(one, "parked_at")),
        ("TOPIC", |one| cell(one, "topic")),
        ("TYPE", |one| cell(one, "type")),
        ("BOOKING", |one| cell(one, "booking_id")),
        ("ERROR", |one| cell(one, "error")),
    ],
    nothing: "no parked messages",
};

pub(super) async fn dead_letters(
    client: &Client,
    command: Option<DeadLetterCommand>,
    of: &Of,
) -> Result<Shown, OpsError> {
    match command {
        None => Ok(DEAD_LETTERS.listed(client, of).await),
        Some(DeadLetterCommand::Show(one)) => DEAD_LETTERS.show(client, one).await,
        Some(DeadLetterCommand::Redrive(some)) => DEAD_LETTERS.act(client, "redrive", some).await,
        Some(DeadLetterCommand::Discard(some)) => DEAD_LETTERS.act(client, "discard", some).await,
    }
}

pub(super) async fn parked(
    client: &Client,
    command: Option<ParkedCommand>,
    of: &Of,
) -> Result<Shown, OpsError> {
    match command {
        None => Ok(PARKED.listed(client, of).await),
        Some(ParkedCommand::Show(one)) => PARKED.show(client, one).await,
        Some(ParkedCommand::Resend(some)) => PARKED.act(client, "resend", some).await,
        Some(ParkedCommand::Discard(some)) => PARKED.act(client, "discard", some).await,
    }
}

impl Kind {
    async fn listed(&self, client: &Client, of: &Of) -> Shown {
        let (all, failures) = of_each(client, &of.services(), self.list, "", of.limit.get()).await;
        Shown::list(all, self.columns, self.nothing, failures)
    }

    async fn show(&self, client: &Client, One { service, id }: One) -> Result<Shown, OpsError> {
        let path = format!("/ops/{}/{}/{id}", service.name, self.list);
        let message = client.get(service, &path, self.id).await?;
        let fields = message.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| !["body", "headers"].contains(&name.as_str()));
        let mut lines: Vec<Value> = fields.map(|(name, value)| json!([name, value])).collect();
        let headers = message["headers"].as_object().into_iter().flatten();
        lines.extend(headers.map(|(name, value)| json!([format!("header {name}"), value])));
        let columns: [Column; 2] = [("FIELD", |it| nth(it, 0)), ("VALUE", |it| nth(it, 1))];
        let body = message["body"].as_str().unwrap_or("(nobody may see it)");
        let body: String =
            body.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        let text = format!("{}\n{body}", table(&columns, lines.iter()));
        Ok(Shown::new(text, message))
    }

    /// Does it to each, also if one fails.
    async fn act(&self, client: &Client, act: &str, some: Several) -> Result<Shown, OpsError> {
        let name = some.service.name;
        let ids = if some.all { self.ids(client, &some).await? } else { some.ids.clone() };
        let (mut done, mut failures) = (Vec::new(), Failures::default());
        for id in &ids {
            let path = format!("/ops/{name}/{}/{id}/{act}", self.list);
            let reason = json!({"reason": some.why.reason});
            let acted = client.post(some.service, &path, &reason, "is_repeated").await;
            done.extend(failures.note(acted.map_err(|error| format!("{id}: {error}"))));
        }
        let is_repeated = |one: &&Value| one["is_repeated"].as_bool() == Some(true);
        let repeated = done.iter().filter(is_repeated).count();
        let mut text = format!("{act}: {}", done.len() - repeated);
        if repeated > 0 {
            text += &format!(" ({repeated} more were done before)");
        }
        Ok(Shown::new(text, json!({"items": done})).after(failures))
    }

    /// The ids of all, or of those of a topic or type.
    async fn ids(&self, client: &Client, some: &Several) -> Result<Vec<Uuid>, OpsError> {
        let path = format!("/ops/{}/{}", some.service.name, self.list);
        let all = client.list(some.service, &path, "", usize::MAX).await?;
        let is = |one: &Value, field: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| one[field].as_str() == Some(wanted))
        };
        let wanted =
            all.iter().filter(|one| is(one, "topic", &some.topic) && is(one, "type", &some.kind));
        Ok(wanted.filter_map(|one| one[self.id].as_str()?.parse().ok()).collect())
    }
}

fn nth(pair: &Value, index: usize) -> String {
    cell(&json!({"it": pair[index]}), "it")
}
