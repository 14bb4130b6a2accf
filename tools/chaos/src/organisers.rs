//! Organisers: they publish, rename, enlarge, move and cancel events.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use karcis_fleet::{Concert, ConcertPlan};
use karcis_kernel::Role;
use karcis_schemas::EVENT;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Client, Question},
    plan::{Act, ActKind},
    seen::Broken,
    world::{World, plan_of},
};

/// Does what the plan says.
pub(crate) async fn act(world: &World<'_>, act: &Act) -> Result<(), Broken> {
    if act.kind == ActKind::CancelEvent {
        return replace(world, act).await;
    }
    let concert = world.concert(act.event);
    let client = Client::new(world.fleet, &world.seen, concert.organiser.user_id, Role::Organiser);
    let in_days = Duration::days(31 + act.number.cast_signed() % 300);
    let mut body = match act.kind {
        ActKind::Rename => json!({"title": format!("Dewa {}", act.number)}),
        ActKind::MovePlace => json!({"venue": format!("Hall {}, Jakarta", act.number)}),
        ActKind::MoveTime => json!({"starts_at": time(Utc::now() + in_days)}),
        ActKind::Enlarge | ActKind::CancelEvent => more_seats(&client, &concert).await?,
    };
    body["event_id"] = json!(concert.id);
    let update = question(Method::PUT, "/event/update", &body, &[200, 409]);
    client.asks(update).await.map(drop)
}

/// Another event takes the place of one that is called off.
async fn replace(world: &World<'_>, act: &Act) -> Result<(), Broken> {
    let organiser = world.fleet.person("organiser", Role::Organiser);
    let client = Client::new(world.fleet, &world.seen, organiser.user_id, Role::Organiser);
    let plan = plan_of(ConcertPlan::new(organiser.clone()), act.event);
    let key = format!("event-{}", act.number);
    let create = question(Method::POST, "/event/create", plan.body(), &[201]);
    let created = client.asks(Question { key: Some(&key), ..create }).await?.answer;
    let old = world.replace(act.event, Concert::of(organiser, &created.body));
    let client = Client::new(world.fleet, &world.seen, old.organiser.user_id, Role::Organiser);
    let body = json!({"event_id": old.id, "reason": "the singer is ill"});
    client.asks(question(Method::POST, "/event/cancel", &body, &[202])).await.map(drop)
}

/// Ten seats more of the first ticket type.
async fn more_seats(client: &Client<'_>, concert: &Concert) -> Result<Value, Broken> {
    let path = format!("/events/{}", concert.id);
    let seen = client.asks(Question::get(&EVENT, path)).await?.answer.body;
    let of_first = &seen["ticket_types"][0];
    let capacity = of_first["capacity"].as_u64().unwrap_or_default() + 10;
    let ticket_type = json!({"ticket_type_id": of_first["ticket_type_id"], "capacity": capacity});
    Ok(json!({"ticket_types": [ticket_type]}))
}

fn question<'q>(method: Method, path: &str, body: &'q Value, statuses: &'q [u16]) -> Question<'q> {
    let question = Question::get(&EVENT, path.to_owned());
    Question { method, body: Some(body), statuses, ..question }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
