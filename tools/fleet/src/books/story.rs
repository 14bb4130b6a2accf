//! The whole story of one booking, read from all services' tables.

use karcis_kernel::BookingId;
use sqlx::{AssertSqlSafe, PgPool};

/// The rows that are a booking's, each table with its rows' order.
const ROWS: [(&str, &str); 9] = [
    ("bookings.booking", "WHERE id = $1"),
    ("bookings.saga_log", "WHERE booking_id = $1 ORDER BY seq"),
    ("events.hold", "WHERE booking_id = $1"),
    ("events.ticket", "WHERE booking_id = $1 ORDER BY place"),
    ("payments.payment", "WHERE booking_id = $1"),
    ("payments.attempt", "WHERE booking_id = $1 ORDER BY at"),
    ("simulated_gateway.charge", "WHERE intent = $1 ORDER BY asked_at"),
    ("simulated_gateway.intent", "WHERE id = $1"),
    ("simulated_gateway.refund", "WHERE intent = $1 ORDER BY at"),
];

/// What every service and the provider have of a booking, a line for each row.
///
/// # Errors
/// The tables cannot be read.
pub async fn story(superuser: &PgPool, booking: BookingId) -> Result<Vec<String>, sqlx::Error> {
    let mut lines = Vec::new();
    for (table, which) in ROWS {
        // `to_jsonb` and not a type for each table: it is read by people.
        let rows = format!("SELECT jsonb_strip_nulls(to_jsonb(t))::text FROM {table} AS t {which}");
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(rows)).bind(booking.0).fetch_all(superuser).await?;
        lines.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    Ok(lines)
}
