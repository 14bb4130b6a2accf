//! A booking's whole story: what booking-service, event-service and payment-service each know of it.

use karcis_schemas::{BOOKING, EVENT, PAYMENT, SERVICES};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    OpsError,
    client::{Client, or_complaint},
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
    let saga = client.get(&BOOKING, &format!("/ops/booking/sagas/{id}")).await?;
    let hold = or_complaint(client.find(&EVENT, &format!("/ops/event/holds/{id}")).await);
    let payment = or_complaint(client.find(&PAYMENT, &format!("/ops/payment/{id}")).await);
    let set_aside = set_aside(client, id, &saga).await;
    let waits = sentence(&saga, &payment, &set_aside);
    let text = [
        summary(&saga),
        table(&TIMELINE, saga["timeline"].as_array().into_iter().flatten()),
        format!("Hold: {}", held(&hold)),
        format!("Payment: {}", paid(&payment)),
        aside(&set_aside),
        waits.clone(),
    ];
    let text: Vec<String> = text.into_iter().filter(|part| !part.is_empty()).collect();
    let json = json!({
        "saga": saga, "hold": hold, "payment": payment, "set_aside": set_aside, "waits_for": waits,
    });
    Ok(Shown { text: text.join("\n"), json })
}

fn summary(saga: &Value) -> String {
    let of = |field: &str| cell(saga, field);
    let reason = saga["reason"].as_str().map(|reason| format!(" ({reason})"));
    let stuck = saga["stuck"].as_str().map(|stuck| format!(", stuck: {stuck}"));
    format!(
        "Booking {} of buyer {} for event {}\n{}{}, in stage {}{}; {} tickets, {}, created {}, trace {}\n",
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

/// The booking's messages that did not arrive, at any service.
async fn set_aside(client: &Client, id: Uuid, saga: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for one in saga["set_aside"].as_array().into_iter().flatten() {
        all.push(json!({"service": "booking", "place": one["place"], "id": one["id"],
            "type": one["type"], "error": one["error"], "at": one["at"]}));
    }
    for service in SERVICES.into_iter().filter(|service| service.name != BOOKING.name) {
        for (list, place, id_field, at) in [
            ("dead-letters", "dead_letter", "dead_letter_id", "last_seen_at"),
            ("parked", "parked", "message_id", "parked_at"),
        ] {
            let path = format!("/ops/{}/{list}", service.name);
            // Who does not answer is named where its hold or payment would be.
            let found = client.list(service, &path, &format!("booking_id={id}"), 20).await;
            for one in found.unwrap_or_default() {
                all.push(json!({"service": service.name, "place": place, "id": one[id_field],
                    "type": one["type"], "error": one["error"], "at": one[at]}));
            }
        }
    }
    all
}

fn aside(set_aside: &[Value]) -> String {
    if set_aside.is_empty() {
        return String::new();
    }
    format!("\nMessages that did not arrive:\n{}", table(&SET_ASIDE, set_aside.iter()))
}

/// The last line: what it waits for, down to who holds it up.
fn sentence(saga: &Value, payment: &Value, set_aside: &[Value]) -> String {
    let mut text = format!("It waits for {}.", waits_for(saga));
    let asks_payment = text.contains("payment-service to answer");
    if let Some(there) = payment["waits_for"].as_str().filter(|_| asks_payment) {
        text += &format!(" payment-service waits for {there}.");
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
        let saga = |text: &str| json!({"waits_for": text});
        let payment = json!({"waits_for": "the provider: an attempt has no outcome"});
        let confirm = saga("event-service to answer ConfirmTickets; sent once");
        let cancel = saga("payment-service to answer CancelPayment; sent 7 times");
        let dead = |place: &str| {
            vec![
                json!({"service": "booking", "place": "outbox", "type": "karcis.X.v1"}),
                json!({"service": "event", "place": place, "type": "karcis.ConfirmTickets.v1"}),
            ]
        };
        for (saga, set_aside, expected) in [
            (&confirm, vec![], "It waits for event-service to answer ConfirmTickets; sent once."),
            (
                &cancel,
                vec![],
                "It waits for payment-service to answer CancelPayment; sent 7 times. \
                 payment-service waits for the provider: an attempt has no outcome.",
            ),
            (
                &confirm,
                dead("dead_letter"),
                "It waits for event-service to answer ConfirmTickets; sent once. event-service \
                 could not handle karcis.ConfirmTickets.v1.",
            ),
            (
                &confirm,
                dead("parked"),
                "It waits for event-service to answer ConfirmTickets; sent once. The broker did \
                 not take event-service's karcis.ConfirmTickets.v1.",
            ),
        ] {
            assert_eq!(sentence(saga, &payment, &set_aside), expected);
        }
    }
}
