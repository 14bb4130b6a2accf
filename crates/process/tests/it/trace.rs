//! `traceparent` headers, and the trace a task works for.

use std::{collections::HashMap, sync::Arc};

use karcis_process::trace::{self, TraceParent};
use uuid::Uuid;

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_header_is_read_and_written_back() {
    let trace = TraceParent::parse(VALID).expect("it is valid");
    assert_eq!(trace.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(trace.span_id, 0x00f0_67aa_0ba9_02b7);
    assert_eq!(trace.flags, 1);
    assert_eq!(trace.header(), VALID);
}

#[test]
fn a_later_version_is_read_by_its_known_part() {
    for later in [VALID.replacen("00", "01", 1), VALID.replacen("00", "fe", 1) + "-what-comes"] {
        let trace = TraceParent::parse(&later).unwrap_or_else(|| panic!("{later}"));
        assert_eq!(trace.header(), VALID);
    }
}

#[test]
fn malformed_headers_are_no_trace() {
    let malformed = [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ];
    for header in malformed {
        assert_eq!(TraceParent::parse(header), None, "{header:?}");
    }
}

#[test]
fn a_child_is_another_span_of_the_same_trace_with_the_known_flags() {
    let parent = TraceParent { flags: 0xff, ..TraceParent::new() };
    let child = parent.child();
    assert_eq!(child.trace_id, parent.trace_id);
    assert_ne!(child.span_id, parent.span_id);
    assert_eq!(child.flags, 0x03);
    assert_eq!(TraceParent::parse(&child.header()), Some(child));
    assert_ne!(TraceParent::new().trace_id, parent.trace_id);
}

#[tokio::test]
async fn work_knows_the_trace_it_belongs_to() {
    let [request, message] = [TraceParent::new(), TraceParent::new()];
    let [booking, other] = [Uuid::now_v7(), Uuid::now_v7()];
    assert_eq!(trace::current(), None);
    trace::scope(request, async {
        assert_eq!(trace::current(), Some(request));
        assert_eq!(trace::of(Some(booking)), Some(request));
        trace::scope_batch(Arc::new(HashMap::from([(booking, message)])), async {
            assert_eq!(trace::of(Some(booking)), Some(message));
            assert_eq!(trace::of(Some(other)), Some(request));
            assert_eq!(trace::of(None), Some(request));
        })
        .await;
    })
    .await;
    assert_eq!(trace::of(Some(booking)), None);
}
