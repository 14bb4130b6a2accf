//! Log lines as a collector of logs reads them: JSON, with trace and booking, about nobody.

use karcis_fleet::{Fleet, FleetAnswer};
use karcis_schemas::{BOOKING, PAYMENT, SERVICES};
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::collector::Collector;

const BOOKS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PAYS: &str = "5bf92f3577b34da6a3ce929d0e0e4737";

/// The way of a booking that is paid, sorted.
const TRANSITIONS: [&str; 5] = [
    "awaiting awaiting",
    "awaiting confirming",
    "confirming confirmed",
    "none reserving",
    "reserving awaiting",
];

type Line = Map<String, Value>;

#[tokio::test]
async fn a_line_names_its_trace_and_booking_and_no_person() {
    let collector = Collector::start().await;
    let fleet = Fleet::of_processes(&[
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "info,karcis_booking_service=debug,karcis_http=debug"),
        // What is sent again begins a trace of its own.
        ("KARCIS_RESEND_AFTER", "10m"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
    ])
    .await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.registers("Sari Dewi").await;
    let order = sari.request(Method::POST, &BOOKING, "/booking/create");
    let order = order.header("traceparent", format!("00-{BOOKS}-00f067aa0ba902b7-01"));
    let order = order.header("prefer", "wait=10").json(&concert.order(&[("VIP", 1)]));
    let booking = Answer::to(order).await.is(202).booking();
    eventually(|| sari.sees(&booking)).is("awaiting_payment").await;
    let payment = sari.request(Method::POST, &PAYMENT, "/payment/process");
    let payment = payment.header("traceparent", format!("00-{PAYS}-00f067aa0ba902b7-01"));
    let payment = payment.json(&json!({"booking_id": booking.id, "method": "tok_approved"}));
    assert!(Answer::to(payment).await.status.is_success());
    eventually(|| sari.sees(&booking)).is("confirmed").await;

    let id = booking.id.to_string();
    let expected = [
        ("karcis_http", "answered", BOOKS),
        ("karcis_booking_service", "transition", BOOKS),
        ("karcis_http", "answered", PAYS),
        ("karcis_booking_service", "transition", PAYS),
    ];
    // The notification goes out later, from a worker.
    let told = |line: &Line| {
        line["message"] == "wrote an e-mail into the folder"
            && line.get("booking_id") == Some(&id.as_str().into())
    };
    let lines = eventually(async || {
        let lines: Vec<Line> = log(&fleet).lines().map(line).collect();
        let about = |(target, message, trace): (&str, &str, &str)| {
            lines.iter().any(|line| {
                line["target"].as_str().is_some_and(|it| it.starts_with(target))
                    && line["message"] == message
                    && line.get("trace_id") == Some(&trace.into())
                    && line.get("booking_id") == Some(&id.as_str().into())
                    && line["span_id"].as_str().is_some_and(|span| span.len() == 16)
            })
        };
        match expected.into_iter().find(|line| !about(*line)) {
            Some(missing) => Err(missing),
            None if !lines.iter().any(told) => Err(("karcis_user_service", "wrote an e-mail", "")),
            None => Ok(lines),
        }
    })
    .await;

    // A line is written after the commit, so that of the next transition may overtake it.
    eventually(async || transitions(&fleet, &id)).is(TRANSITIONS).await;
    for line in &lines {
        assert!(line.values().all(|value| !value.is_object() && !value.is_array()), "{line:?}");
        assert!(
            ["timestamp", "level", "target", "message"].iter().all(|it| line.contains_key(*it))
        );
    }
    let all = log(&fleet);
    for personal in ["Sari", "Dewi", &sari.email(), &sari.password(), &sari.token, "tok_approved"] {
        assert!(!all.contains(personal), "{personal} is in the log");
    }
    assert!(collector.spans().is_empty(), "spans were exported although that is switched off");
}

/// The stages before and after each transition of this booking that is in the log, sorted.
fn transitions(fleet: &Fleet, booking: &str) -> Vec<String> {
    let lines = log(fleet);
    let transitions = lines.lines().map(line).filter(|line| line["message"] == "transition");
    let transitions = transitions.filter(|line| line["booking_id"] == booking);
    let words = transitions.map(|line| format!("{} {}", line["from"], line["to"]).replace('"', ""));
    let mut sorted: Vec<_> = words.collect();
    sorted.sort_unstable();
    sorted
}

/// What all services have logged, but for a line that is being written.
fn log(fleet: &Fleet) -> String {
    let whole_lines = |log: String| log[..log.rfind('\n').map_or(0, |end| end + 1)].to_owned();
    SERVICES.map(|service| whole_lines(fleet.processes().log(service))).concat()
}

fn line(text: &str) -> Line {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}
