//! A booking's whole story: what booking-service, event-service and payment-service each know of it.

use futures_util::future::join_all;
use karcis_schemas::{BOOKING, EVENT, PAYMENT, SERVICES};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    OpsError,
    client::{Client, Failures},
    sagas::waits_for,
    table::{Column, Shown, cell, money, table, time},
};

const TIMELINE: [Column; 6] = [
    ("AT", |step| time(step, "at")),
    ("WHAT CAME", |step| cell(step, "input")),
    ("FROM", |step| cell(step, "from")),
    ("TO", |step| cell(step, "to")),
    ("SENT", |step| cell(step, "sent")),
    ("TRACE", |step| cell(step, "trace_id")),
];

const ATTEMPTS: [Column; 5] = [
    ("  ATTEMPT", |attempt| format!("  {}", cell(attempt, "attempt_id"))),
    ("AT", |attempt| time(attempt, "at")),
    ("OUTCOME", |attempt| cell(attempt, "outcome")),
    ("DECLINED, AS", |attempt| cell(attempt, "decline_code")),
    ("NOT GIVEN BACK, AS", |attempt| cell(attempt, "refusal")),
];

const SET_ASIDE: [Column; 6] = [
    ("SERVICE", |one| cell(one, "service")),
    ("PLACE", |one| cell(one, "place")),
    ("ID", |one| cell(one, "id")),
    ("AT", |one| time(one, "at")),
    ("TYPE", |one| cell(one, "type")),
    ("ERROR", |one| cell(one, "error")),
];

/// No service reads another's data, so each is asked.
pub(super) async fn why(client: &Client, id: Uuid) -> Result<Shown, OpsError> {
    // At the same time, as one that hangs takes long not to answer.
    let [saga, hold, payment] =
        ["booking/sagas", "event/holds", "payment"].map(|of| format!("/ops/{of}/{id}"));
    let (saga, hold, payment, others) = tokio::join!(
        client.find(&BOOKING, &saga, "booking_id"),
        client.find(&EVENT, &hold, "booking_id"),
        client.find(&PAYMENT, &payment, "booking_id"),
        set_aside_by_others(client, id),
    );
    let mut failures = Failures::default();
    let [saga, hold, payment] = [saga, hold, payment].map(|found| failures.told(found));
    let nothing = [&saga, &hold, &payment].into_iter().all(|of| of.get("booking_id").is_none());
    if nothing && failures.is_empty() {
        return Err(OpsError::Failed("no service knows this booking".to_owned()));
    }
    let (mut set_aside, mut unknown) = (set_aside_by_itself(&saga), Vec::new());
    for (service, found) in others {
        match failures.note(found) {
            Some(found) => set_aside.extend(found),
            None if !unknown.contains(&service) => unknown.push(service),
            None => {}
        }
    }
    let waits = sentence(&saga, &payment, &set_aside);
    let text = [
        summary(id, &saga),
        format!("Hold: {}", held(&hold)),
        format!("Payment: {}", paid(&payment)),
        aside(&set_aside, &unknown),
        waits.clone(),
    ];
    let text: Vec<String> = text.into_iter().filter(|part| !part.is_empty()).collect();
    let json = json!({
        "saga": saga, "hold": hold, "payment": payment, "set_aside": set_aside,
        "set_aside_unknown": unknown, "waits_for": waits,
    });
    Ok(Shown::new(text.join("\n"), json).after(failures))
}

fn summary(id: Uuid, saga: &Value) -> String {
    if let Some(error) = saga["error"].as_str() {
        return format!("Booking {id}: {error}");
    }
    if saga.is_null() {
        return format!("Booking {id}: booking-service has no such booking");
    }
    let of = |field: &str| cell(saga, field);
    let reason = saga["reason"].as_str().map(|reason| format!(" ({reason})"));
    let stuck = saga["stuck"].as_str().map(|stuck| format!(", stuck: {stuck}"));
    let timeline = table(&TIMELINE, saga["timeline"].as_array().into_iter().flatten());
    format!(
        "Booking {} of buyer {} for event {}\n{}{}, in stage {}{}; {} tickets, {}, created {}, trace {}\n\n\
         {timeline}",
        of("booking_id"),
        of("user_id"),
        of("event_id"),
        of("status"),
        reason.unwrap_or_default(),
        of("stage"),
        stuck.unwrap_or_default(),
        of("tickets"),
        money(saga, "total"),
        time(saga, "created_at"),
        of("trace_id"),
    )
}

fn held(hold: &Value) -> String {
    if let Some(error) = hold["error"].as_str() {
        return error.to_owned();
    }
    if hold.is_null() {
        return "none".to_owned();
    }
    let reason = hold["reason"].as_str().map(|reason| format!(" ({reason})"));
    let items = hold["items"].as_array().into_iter().flatten();
    let items: Vec<String> =
        items.map(|item| format!("{} {}", cell(item, "quantity"), cell(item, "name"))).collect();
    let (state, since) = (cell(hold, "state"), time(hold, "changed_at"));
    let tickets =
        format!("{} tickets made, {} used", cell(hold, "tickets"), cell(hold, "used_tickets"));
    let reason = reason.unwrap_or_default();
    match items.is_empty() {
        true => format!("{state}{reason} since {since}"),
        false => format!("{state}{reason} since {since}: {}; {tickets}", items.join(", ")),
    }
}

fn paid(payment: &Value) -> String {
    if let Some(error) = payment["error"].as_str() {
        return error.to_owned();
    }
    if payment.is_null() {
        return "none".to_owned();
    }
    let [amount, captured, refunded] =
        ["amount", "captured", "refunded"].map(|field| money(payment, field));
    let status = cell(payment, "status");
    let mut text = format!("{status}, {amount}, captured {captured}, refunded {refunded}");
    let attempts = payment["attempts"].as_array().into_iter().flatten();
    if attempts.clone().next().is_some() {
        text += &format!("\n{}", table(&ATTEMPTS, attempts));
    }
    text
}

/// The booking's messages that booking-service has and that did not arrive.
fn set_aside_by_itself(saga: &Value) -> Vec<Value> {
    let own = saga["set_aside"].as_array().into_iter().flatten().cloned();
    own.map(|mut one| {
        one["service"] = BOOKING.name.into();
        one
    })
    .collect()
}

/// Those that the other services have, list by list.
async fn set_aside_by_others(
    client: &Client,
    id: Uuid,
) -> Vec<(&'static str, Result<Vec<Value>, OpsError>)> {
    let others = SERVICES.into_iter().filter(|service| service.name != BOOKING.name);
    let lists = [
        ("dead-letters", "dead_letter", "dead_letter_id", "last_seen_at"),
        ("parked", "parked", "message_id", "parked_at"),
    ];
    let all = others.flat_map(|service| lists.map(|list| (service, list)));
    join_all(all.map(async |(service, (list, place, id_field, at))| {
        let path = format!("/ops/{}/{list}", service.name);
        let found = client.list(service, &path, &format!("booking_id={id}"), 20).await;
        let item = |one: &Value| {
            json!({"service": service.name, "place": place, "id": one[id_field],
                "type": one["type"], "error": one["error"], "at": one[at]})
        };
        (service.full_name(), found.map(|found| found.iter().map(item).collect()))
    }))
    .await
}

fn aside(set_aside: &[Value], unknown: &[&str]) -> String {
    let mut text = String::new();
    if !set_aside.is_empty() {
        text += "\nMessages that did not arrive:\n";
        text += &table(&SET_ASIDE, set_aside.iter());
    }
    if !unknown.is_empty() {
        text += &format!("Messages that did not arrive are not known of {}.", unknown.join(", "));
    }
    text
}

/// The last line: what it waits for, down to who holds it up.
fn sentence(saga: &Value, payment: &Value, set_aside: &[Value]) -> String {
    let mut text = match (saga.is_null(), saga["waits_for"].is_null()) {
        (true, _) => "It waits for nothing that booking-service knows.".to_owned(),
        (false, true) => "What it waits for, only booking-service knows.".to_owned(),
        (false, false) => format!("It waits for {}.", waits_for(saga)),
    };
    let is_for = |whom: &str| text.starts_with(&format!("It waits for {whom}"));
    let is_for_person = is_for("the buyer") || is_for("an operator");
    let asks_payment = saga["waits_for"].is_null() || text.contains("payment-service to answer");
    match payment["waits_for"].as_str() {
        // The payment knows better: whether the buyer has tried, and why the provider refuses.
        Some(there) if is_for_person && !there.starts_with("nothing") => {
            text = format!("It waits for {there}.");
        }
        Some(there) if is_for_person || asks_payment => {
            text += &format!(" payment-service waits for {there}.");
        }
        _ => {}
    }
    let is_stopped = |one: &&Value| one["place"] != "outbox";
    if let Some(one) = set_aside.iter().find(is_stopped) {
        let (service, kind) = (cell(one, "service"), cell(one, "type"));
        text += &match one["place"].as_str() {
            Some("parked") => format!(" The broker did not take {service}-service's {kind}."),
            _ => format!(" {service}-service could not handle {kind}."),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_who_holds_a_booking_up() {
        let waits = |text: &str| json!({"waits_for": text});
        let unknown = waits("the provider: an attempt has no outcome");
        let confirm = waits("event-service to answer ConfirmTickets; sent once");
        let cancel = waits("payment-service to answer CancelPayment; sent 7 times");
        let pay = waits("the buyer to pay, until noon");
        let dead = |place: &str| {
            vec![
                json!({"service": "booking", "place": "outbox", "type": "karcis.X.v1"}),
                json!({"service": "event", "place": place, "type": "karcis.ConfirmTickets.v1"}),
            ]
        };
        for (saga, payment, set_aside, expected) in [
            (
                &confirm,
                &unknown,
                vec![],
                "It waits for event-service to answer ConfirmTickets; sent once.",
            ),
            (
                &cancel,
                &unknown,
                vec![],
                "It waits for payment-service to answer CancelPayment; sent 7 times. \
                 payment-service waits for the provider: an attempt has no outcome.",
            ),
            (&pay, &pay, vec![], "It waits for the buyer to pay, until noon."),
            (&pay, &Value::Null, vec![], "It waits for the buyer to pay, until noon."),
            (&pay, &unknown, vec![], "It waits for the provider: an attempt has no outcome."),
            (
                &pay,
                &waits("nothing: it is succeeded"),
                vec![],
                "It waits for the buyer to pay, until noon. payment-service waits for nothing: it \
                 is succeeded.",
            ),
            (
                &waits("an operator: the provider refuses the refund"),
                &waits("an operator: the provider refuses the refund (account_closed)"),
                vec![],
                "It waits for an operator: the provider refuses the refund (account_closed).",
            ),
            (
                &json!({"error": "booking-service does not answer"}),
                &unknown,
                vec![],
                "What it waits for, only booking-service knows. payment-service waits for the \
                 provider: an attempt has no outcome.",
            ),
            (
                &confirm,
                &unknown,
                dead("dead_letter"),
                "It waits for event-service to answer ConfirmTickets; sent once. event-service \
                 could not handle karcis.ConfirmTickets.v1.",
            ),
            (
                &confirm,
                &unknown,
                dead("parked"),
                "It waits for event-service to answer ConfirmTickets; sent once. The broker did \
                 not take event-service's karcis.ConfirmTickets.v1.",
            ),
        ] {
            assert_eq!(sentence(saga, payment, &set_aside), expected);
        }
    }
}
