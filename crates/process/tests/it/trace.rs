//! `traceparent` headers, and the trace a task works for. Nothing is exported here.

use std::collections::HashMap;

use karcis_process::trace::{self, Context, otel::trace::SpanBuilder};
use uuid::Uuid;

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_header_is_read_and_written_back() {
    let trace = trace::parse(VALID).expect("it is valid");
    assert_eq!(trace::header(&trace).as_deref(), Some(VALID));
    assert_eq!(trace::trace_id(&trace).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}

#[test]
fn a_later_version_is_read_by_its_known_part() {
    for later in [VALID.replacen("00", "01", 1), VALID.replacen("00", "fe", 1) + "-what-comes"] {
        let trace = trace::parse(&later).unwrap_or_else(|| panic!("{later}"));
        assert_eq!(trace::header(&trace).as_deref(), Some(VALID));
    }
}

#[test]
fn malformed_headers_are_no_trace() {
    let malformed = [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
    ];
    for header in malformed {
        let read = trace::parse(header);
        assert!(read.is_none(), "{header:?} is {:?}", read.as_ref().and_then(trace::header));
    }
}

#[test]
fn a_request_is_a_span_of_its_callers_trace_or_a_new_one() {
    let span = || -> SpanBuilder { unreachable!("no span is made while none is exported") };
    let request = trace::of_request(Some(VALID), true, span);
    assert_eq!(trace::trace_id(&request).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    let header = trace::header(&request).expect("it has a trace");
    assert_ne!(header, VALID);
    assert!(header.ends_with("-01"), "{header}");

    let [one, other] = [None, Some("nonsense")].map(|caller| {
        trace::trace_id(&trace::of_request(caller, true, span)).expect("it has a trace")
    });
    assert_ne!(one, other);

    let stranger = trace::of_request(Some(VALID), false, span);
    let own = trace::trace_id(&stranger).expect("it has a trace");
    assert_ne!(own, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn work_knows_the_trace_it_belongs_to() {
    let [request, message] = [VALID, &VALID.replace("4bf92f", "000001")]
        .map(|header| trace::parse(header).expect("it is valid"));
    let known = |context: &Context| trace::header(context);
    let [booking, other] = [Uuid::now_v7(), Uuid::now_v7()];
    assert_eq!(known(&trace::current()), None);
    trace::scope(request.clone(), async {
        assert_eq!(known(&trace::current()), known(&request));
        assert_eq!(known(&trace::of(Some(booking))), known(&request));
        let batch = HashMap::from([(booking, message.clone())]);
        trace::scope_batch(batch, async {
            assert_eq!(known(&trace::of(Some(booking))), known(&message));
            assert_eq!(known(&trace::of(Some(other))), known(&request));
            assert_eq!(known(&trace::of(None)), known(&request));
        })
        .await;
    })
    .await;
    assert_eq!(known(&trace::of(Some(booking))), None);
}
