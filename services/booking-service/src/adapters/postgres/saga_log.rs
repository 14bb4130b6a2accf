//! Table `saga_log`: the transitions of each booking.

use karcis_database::Connection;
use karcis_kernel::{BookingId, Timestamp};
use uuid::Uuid;

use crate::domain::LogEntry;

/// Adds these entries of these bookings, with the traces they belong to.
pub(super) async fn append(
    connection: &mut Connection,
    entries: &[(BookingId, &LogEntry, Option<String>)],
) -> Result<(), sqlx::Error> {
    let mut logs = Logs::default();
    for (id, entry, trace_id) in entries {
        logs.push(id.0, entry, trace_id.clone());
    }
    if logs.seq.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO saga_log (booking_id, seq, at, input, from_stage, to_stage, sent, trace_id)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
             $6::text[], $7::text[], $8::text[])",
    )
    .bind(logs.booking_id)
    .bind(logs.seq)
    .bind(logs.at)
    .bind(logs.input)
    .bind(logs.from)
    .bind(logs.to)
    .bind(logs.sent)
    .bind(logs.trace_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// The columns of new rows.
#[derive(Default)]
struct Logs {
    booking_id: Vec<Uuid>,
    seq: Vec<i64>,
    at: Vec<Timestamp>,
    input: Vec<&'static str>,
    from: Vec<Option<&'static str>>,
    to: Vec<&'static str>,
    sent: Vec<String>,
    trace_id: Vec<Option<String>>,
}

impl Logs {
    fn push(&mut self, id: Uuid, entry: &LogEntry, trace_id: Option<String>) {
        self.trace_id.push(trace_id);
        self.booking_id.push(id);
        self.seq.push(entry.seq);
        self.at.push(entry.at);
        self.input.push(entry.input);
        self.from.push(entry.from);
        self.to.push(entry.to);
        self.sent.push(entry.sent.join(" "));
    }
}
