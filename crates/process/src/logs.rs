//! Log lines on stderr: text, or with `LOG_FORMAT=json` one flat object a line. Each names the trace and
//! the booking that it belongs to.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::{self, Debug},
    io::{IsTerminal, stderr},
    panic,
};

use chrono::{SecondsFormat, Utc};
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    filter::LevelFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Writer},
    },
    registry::LookupSpan,
};

use crate::trace;

/// Writes log lines from now on, as `RUST_LOG` and `LOG_FORMAT` say.
pub fn start() {
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let text = Format::default().with_ansi(stderr().is_terminal());
    let json = std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json");
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .log_internal_errors(false)
        .event_format(Lines { text, json });
    if let Err(error) = lines.try_init() {
        tracing::warn!(%error, "logging was set up before");
    }
    if json {
        // By default a panic is several lines of text.
        panic::set_hook(Box::new(|panic| {
            let backtrace = Backtrace::capture();
            let is_captured = backtrace.status() == BacktraceStatus::Captured;
            let backtrace = is_captured.then(|| backtrace.to_string());
            tracing::error!(%panic, backtrace, "a task panicked");
        }));
    }
}

struct Lines {
    text: Format,
    json: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let meta = event.metadata();
        if self.json {
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            line.insert("timestamp".to_owned(), now.into());
            line.insert("level".to_owned(), meta.level().as_str().into());
            line.insert("target".to_owned(), meta.target().into());
        }
        event.record(&mut Fields(&mut line));
        let named = line.get("booking_id").and_then(|id| id.as_str()?.parse().ok());
        let booking = named.or_else(trace::booking);
        let of = trace::of(booking);
        let span = of.span();
        let trace = Some(span.span_context()).filter(|trace| trace.is_valid());
        let ids = [
            ("trace_id", trace.map(|trace| trace.trace_id().to_string())),
            ("span_id", trace.map(|trace| trace.span_id().to_string())),
            ("booking_id", booking.filter(|_| named.is_none()).map(|id| id.to_string())),
        ];
        let ids = ids.into_iter().filter_map(|(name, id)| Some((name, id?)));
        if self.json {
            line.extend(ids.map(|(name, id)| (name.to_owned(), id.into())));
            return writeln!(writer, "{}", Value::Object(line));
        }
        let mut text = String::new();
        self.text.format_event(context, Writer::new(&mut text), event)?;
        writer.write_str(text.trim_end())?;
        for (name, id) in ids {
            write!(writer, " {name}={id}")?;
        }
        writeln!(writer)
    }
}

/// An event's fields as members of its line.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
