//! What the simulated provider's own books say, which no service can write.

use karcis_kernel::BookingId;
use karcis_testkit::Ledger;
use sqlx::PgPool;

/// The bookings' ledgers, in the order of these ids.
pub(crate) async fn ledgers(superuser: &PgPool, bookings: &[BookingId]) -> Vec<Ledger> {
    let ids: Vec<_> = bookings.iter().map(|booking| booking.0).collect();
    let rows = sqlx::query_as(LEDGERS).bind(ids).fetch_all(superuser).await;
    let rows: Vec<(i64, i64, i64, i64)> = rows.expect("the provider's ledger can be read");
    let ledger =
        |(captures, captured, refunds, refunded)| Ledger { captures, captured, refunds, refunded };
    rows.into_iter().map(ledger).collect()
}

const LEDGERS: &str = "
SELECT captures, charges_in_all.captured, refunds, refunds_in_all.refunded
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (booking_id, place)
LEFT JOIN payments.payment USING (booking_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS captures, coalesce(sum(c.amount), 0)::bigint AS captured
    FROM simulated_gateway.charge c
    WHERE c.intent IN (booking_id, payment_id) AND c.answer = 'captured'
) AS charges_in_all
CROSS JOIN LATERAL (
    SELECT count(*) AS refunds, coalesce(sum(r.amount), 0)::bigint AS refunded
    FROM simulated_gateway.refund r
    WHERE r.intent IN (booking_id, payment_id)
) AS refunds_in_all
ORDER BY place";
