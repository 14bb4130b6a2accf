//! One trace leads from a request through every service it reaches.

use std::collections::HashMap;

use karcis_fleet::{Fleet, FleetAnswer};
use karcis_schemas::{BOOKING, PAYMENT};
use karcis_testkit::{Answer, eventually};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::json;

use super::collector::{Collector, Span};

/// The browser's span, in two traces.
const BROWSER: &str = "00f067aa0ba902b7";
const BOOKS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PAYS: &str = "5bf92f3577b34da6a3ce929d0e0e4737";

#[tokio::test]
async fn a_booking_is_one_trace_and_its_payment_another() {
    let collector = Collector::start().await;
    let fleet = Fleet::of_processes(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        // What is sent again begins a trace of its own.
        ("KARCIS_RESEND_AFTER", "10m"),
    ])
    .await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;

    let order = sari.request(Method::POST, &BOOKING, "/booking/create");
    let order = order.header("traceparent", format!("00-{BOOKS}-{BROWSER}-01"));
    let order = order.header("prefer", "wait=10").json(&concert.order(&[("VIP", 1)]));
    let answer = Answer::to(order).await.is(202);
    assert!(answer.headers["traceparent"].to_str().unwrap().contains(BOOKS));
    let booking = answer.booking();
    eventually(|| sari.sees(&booking)).is("awaiting_payment").await;
    let payment = sari.request(Method::POST, &PAYMENT, "/payment/process");
    let payment = payment.header("traceparent", format!("00-{PAYS}-{BROWSER}-01"));
    let payment = payment.json(&json!({"booking_id": booking.id, "method": "tok_approved"}));
    assert!(Answer::to(payment).await.status.is_success());
    eventually(|| sari.sees(&booking)).is("confirmed").await;

    let booked =
        eventually(|| async { way_to(&collector, BOOKS, "process PaymentRequested") }).await;
    assert_eq!(
        booked,
        [
            "booking-service POST /booking/create",
            "booking-service create_booking",
            "booking-service send ReserveTickets",
            "event-service process ReserveTickets",
            "event-service send TicketsReserved",
            "booking-service process TicketsReserved",
            "booking-service send RequestPayment",
            "payment-service process RequestPayment",
            "payment-service send PaymentRequested",
            "booking-service process PaymentRequested",
        ]
    );
    let paid = eventually(|| async { way_to(&collector, PAYS, "send_mail") }).await;
    let fact = mailed_for(&paid);
    assert_eq!(
        paid,
        [
            "payment-service POST /payment/process",
            "payment-service charge_attempt",
            "payment-service send PaymentSucceeded",
            "booking-service process PaymentSucceeded",
            "booking-service send ConfirmTickets",
            "event-service process ConfirmTickets",
            "event-service send TicketsIssued",
            "booking-service process TicketsIssued",
            &format!("booking-service send {fact}"),
            &format!("user-service process {fact}"),
            "user-service send_mail",
        ]
    );
    let charge = eventually(|| async { way_to(&collector, PAYS, "charge") }).await;
    assert_eq!(charge.last().unwrap(), "payment-service charge");

    // A batch's span ends after the messages it holds, and is exported later.
    eventually(|| async { each_message_is_linked_with_its_batch(&collector.spans()) }).await;
    // A message is handled, and that exported, before the ack that ends its sender's span.
    eventually(|| async { each_span_has_its_parent(&collector.spans()) }).await;
    let spans = collector.spans();
    each_span_says_what_the_conventions_ask(&spans, &booking.id.to_string());
}

#[tokio::test]
async fn what_is_not_sampled_is_passed_on_and_not_exported() {
    let collector = Collector::start().await;
    let fleet = Fleet::of_processes(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/v1/traces", collector.url)),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ])
    .await;
    let sari = fleet.buyer("Sari").await;
    for (trace, flags) in [(BOOKS, "00"), (PAYS, "01")] {
        let seen = sari.request(Method::GET, &BOOKING, "/bookings");
        let seen = seen.header("traceparent", format!("00-{trace}-{BROWSER}-{flags}"));
        let answer = Answer::to(seen).await.is(200);
        let own = answer.headers["traceparent"].to_str().unwrap().to_owned();
        assert!(own.starts_with(&format!("00-{trace}-")) && own.ends_with(flags), "{own}");
    }
    let seen = |trace: &str| collector.spans().iter().any(|span| span.trace_id == trace);
    eventually(|| async { seen(PAYS) }).is(true).await;
    assert!(!seen(BOOKS));
}

#[tokio::test]
async fn a_strangers_trace_is_linked_and_not_continued() {
    let collector = Collector::start().await;
    let fleet = Fleet::of_processes(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("KARCIS_TRUSTED_TRACE_PEERS", "192.0.2.0/24"),
    ])
    .await;
    let sari = fleet.buyer("Sari").await;
    let seen = sari.request(Method::GET, &BOOKING, "/bookings");
    let seen = seen.header("traceparent", format!("00-{BOOKS}-{BROWSER}-01"));
    let answer = Answer::to(seen).await.is(200);
    let own = answer.headers["traceparent"].to_str().unwrap().to_owned();
    let span = eventually(|| async {
        let spans = collector.spans();
        spans.into_iter().find(|span| own.contains(&span.id)).ok_or("it is not exported yet")
    })
    .await;
    assert_eq!(span.links, [(BOOKS.to_owned(), BROWSER.to_owned())]);
    assert_eq!(span.parent, "");
    assert!(collector.spans().iter().all(|span| span.trace_id != BOOKS));
}

/// The message that the mail counts as sent for. Both come of one commit: where user-service reads them in one batch,
/// one stands for both.
fn mailed_for(way: &[String]) -> &'static str {
    let is_fact = |span: &String| span.ends_with("process BookingConfirmed");
    if way.iter().any(is_fact) { "BookingConfirmed" } else { "TicketMailRequested" }
}

/// The spans from the browser's to the first of this name in this trace.
fn way_to(collector: &Collector, trace: &str, name: &str) -> Result<Vec<String>, String> {
    let spans = collector.spans();
    let spans: Vec<&Span> = spans.iter().filter(|span| span.trace_id == trace).collect();
    let all = || format!("{:#?}", spans.iter().map(|span| called(span)).collect::<Vec<_>>());
    let by_id: HashMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), *span)).collect();
    let last = spans.iter().find(|span| called(span).ends_with(&format!("-service {name}")));
    let mut span = *last.ok_or_else(all)?;
    let mut way = vec![called(span)];
    while span.parent != BROWSER {
        span = by_id.get(span.parent.as_str()).ok_or_else(all)?;
        way.push(called(span));
    }
    way.reverse();
    Ok(way)
}

/// The span's service and name; a message's by its type, as topics have a prefix here.
fn called(span: &Span) -> String {
    let Span { service, name, attributes, .. } = span;
    match attributes.get("cloudevents.event_type") {
        Some(kind) => {
            let operation = &attributes["messaging.operation.name"];
            let kind = kind.trim_start_matches("karcis.").trim_end_matches(".v1");
            format!("{service} {operation} {kind}")
        }
        None => format!("{service} {name}"),
    }
}

fn each_span_has_its_parent(spans: &[Span]) -> Result<(), String> {
    let known: Vec<_> = spans.iter().map(|span| (&span.trace_id, &span.id)).collect();
    let begins = |span: &Span| span.parent.is_empty() || span.parent == BROWSER;
    let orphan =
        spans.iter().find(|span| !begins(span) && !known.contains(&(&span.trace_id, &span.parent)));
    orphan.map_or(Ok(()), |span| Err(format!("nobody's child: {span:?}")))
}

/// The batch's span links to what sent the message, and the message's to the batch's.
fn each_message_is_linked_with_its_batch(spans: &[Span]) -> Result<(), String> {
    let messages = spans.iter().filter(|it| called(it).contains("-service process "));
    let messages: Vec<_> = messages.filter(|it| it.name != "process batch").collect();
    if messages.len() < 10 {
        return Err(format!("only {} messages", messages.len()));
    }
    for message in messages {
        let [(trace, id)] = message.links.as_slice() else {
            return Err(format!("not of one batch: {message:?}"));
        };
        let batch = spans.iter().find(|span| (&span.trace_id, &span.id) == (trace, id));
        let batch = batch.ok_or_else(|| format!("its batch is missing: {message:?}"))?;
        let sender = (message.trace_id.clone(), message.parent.clone());
        assert!(
            message.parent.is_empty() || batch.links.contains(&sender),
            "{message:?} {batch:?}"
        );
        assert_eq!((&batch.service, batch.name.as_str()), (&message.service, "process batch"));
        assert_ne!(batch.trace_id, message.trace_id);
    }
    Ok(())
}

fn each_span_says_what_the_conventions_ask(spans: &[Span], booking: &str) {
    let said = |span: &Span, name: &str| span.attributes.get(name).cloned().unwrap_or_default();
    let find = |name: &str| spans.iter().find(|span| called(span) == name).unwrap();
    let request = find("booking-service POST /booking/create");
    assert_eq!(request.kind, SpanKind::Server);
    assert_eq!(said(request, "http.request.method"), "POST");
    assert_eq!(said(request, "http.route"), "/booking/create");
    assert_eq!(said(request, "http.response.status_code"), "202");
    assert_eq!(said(request, "karcis.booking_id"), booking);
    let sent = find("booking-service send ReserveTickets");
    let processed = find("event-service process ReserveTickets");
    for (message, kind) in [(sent, SpanKind::Producer), (processed, SpanKind::Consumer)] {
        assert_eq!(message.kind, kind);
        assert_eq!(said(message, "messaging.system"), "kafka");
        let topic = said(message, "messaging.destination.name");
        assert!(topic.ends_with("karcis.event-commands.v1"), "{topic}");
        assert!(message.name.ends_with(&topic), "{}", message.name);
        assert_eq!(said(message, "karcis.booking_id"), booking);
        assert!(message.took_ns > 0);
    }
    assert_eq!(said(processed, "messaging.consumer.group.name"), "event-service");
    assert_eq!(said(sent, "messaging.message.id"), said(processed, "messaging.message.id"));
    assert_eq!(find("payment-service charge").kind, SpanKind::Client);
    let batch = find("event-service process batch");
    assert_eq!(
        (batch.kind, said(batch, "messaging.batch.message_count").as_str()),
        (SpanKind::Consumer, "1")
    );
}
