//! Writes payments and their attempts, each kind in one statement.

use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{outcome, status};
use crate::{
    application::ports::Change,
    domain::{Attempt, Entry, Payment, State, Terms},
};

/// Inserts the new payments and tombstones; returns the bookings that had none.
pub(super) async fn insert(
    transaction: &mut PgConnection,
    new: &[&Change],
) -> Result<Vec<Uuid>, sqlx::Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let entries = || new.iter().map(|change| &change.after);
    let terms: Vec<Option<&Terms>> =
        entries().map(|entry| entry.payment().map(|payment| &payment.terms)).collect();
    let terms = || terms.iter().copied();
    sqlx::query_scalar(
        "INSERT INTO payment
             (booking_id, payment_id, user_id, amount, currency, pay_by, status, version)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[],
                              $6::timestamptz[], $7::text[], $8::bigint[])
         ON CONFLICT (booking_id) DO NOTHING
         RETURNING booking_id",
    )
    .bind(entries().map(|entry| entry.booking_id().0).collect::<Vec<_>>())
    .bind(entries().map(|entry| entry.payment_id().0).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.user_id().0)).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.amount().amount)).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.amount().currency.as_str())).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.pay_by())).collect::<Vec<_>>())
    .bind(entries().map(|entry| status(state(entry))).collect::<Vec<_>>())
    .bind(entries().map(|entry| entry.payment().map_or(1, |it| it.version)).collect::<Vec<_>>())
    .fetch_all(transaction)
    .await
}

fn state(entry: &Entry) -> &State {
    entry.payment().map_or(&State::Cancelled, |payment| &payment.state)
}

/// Updates the payments that are still as they were loaded; returns their bookings. `= ANY` keeps
/// a planner without statistics on the index.
pub(super) async fn update(
    transaction: &mut PgConnection,
    changed: &[&Change],
) -> Result<Vec<Uuid>, sqlx::Error> {
    // A tombstone never changes.
    let pairs: Vec<(&Payment, &Payment)> = changed
        .iter()
        .filter_map(|c| Some((c.before.as_ref()?.payment()?, c.after.payment()?)))
        .collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let after = || pairs.iter().map(|(_, after)| *after);
    sqlx::query_scalar(
        "WITH changed AS (
             SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::boolean[],
                                  $6::text[], $7::bigint[], $8::bigint[])
                 AS c (booking_id, loaded, version, status, cancel_wanted, decline_code, captured,
                       refunded)
         ), locked AS (
             SELECT booking_id, version FROM payment
             WHERE booking_id = ANY($1) ORDER BY booking_id FOR NO KEY UPDATE
         )
         UPDATE payment p
         SET version = c.version, status = c.status, cancel_wanted = c.cancel_wanted,
             decline_code = c.decline_code, captured = c.captured, refunded = c.refunded
         FROM changed c JOIN locked l ON l.booking_id = c.booking_id AND l.version = c.loaded
         WHERE p.booking_id = c.booking_id
         RETURNING p.booking_id",
    )
    .bind(after().map(|payment| payment.booking_id.0).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(before, _)| before.version).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.version).collect::<Vec<_>>())
    .bind(after().map(|payment| status(&payment.state)).collect::<Vec<_>>())
    .bind(after().map(cancel_wanted).collect::<Vec<_>>())
    .bind(after().map(decline_code).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.captured.amount).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.refunded.amount).collect::<Vec<_>>())
    .fetch_all(transaction)
    .await
}

fn cancel_wanted(payment: &Payment) -> bool {
    matches!(payment.state, State::Processing { cancel_wanted: true, .. })
}

fn decline_code(payment: &Payment) -> Option<&str> {
    match &payment.state {
        State::Failed { decline_code } => Some(decline_code),
        _ => None,
    }
}

/// Writes the attempts that are new or got an outcome.
pub(super) async fn write_attempts(
    transaction: &mut PgConnection,
    changes: impl Iterator<Item = &Change>,
) -> Result<(), sqlx::Error> {
    let touched: Vec<(Uuid, &Attempt)> = changes.flat_map(touched_attempts).collect();
    if touched.is_empty() {
        return Ok(());
    }
    let attempts = || touched.iter().map(|(_, attempt)| *attempt);
    let outcomes: Vec<_> = attempts().map(|attempt| outcome(attempt.outcome.as_ref())).collect();
    sqlx::query(
        "INSERT INTO attempt (booking_id, id, at, method, outcome, decline_kind, decline_code)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[],
                              $6::text[], $7::text[])
         ON CONFLICT (booking_id, id) DO UPDATE
         SET outcome = excluded.outcome, decline_kind = excluded.decline_kind,
             decline_code = excluded.decline_code",
    )
    .bind(touched.iter().map(|(booking, _)| *booking).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.id.0).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.at).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.method.as_str()).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|(outcome, ..)| *outcome).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|(_, kind, _)| *kind).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|(.., code)| *code).collect::<Vec<_>>())
    .execute(transaction)
    .await
    .map(drop)
}

fn touched_attempts(change: &Change) -> impl Iterator<Item = (Uuid, &Attempt)> {
    let booking = change.after.booking_id().0;
    let before = change.before.as_ref().map(attempts).unwrap_or_default();
    let touched = attempts(&change.after).iter().filter(|attempt| !before.contains(attempt));
    touched.map(move |attempt| (booking, attempt))
}

fn attempts(entry: &Entry) -> &[Attempt] {
    entry.payment().map(|payment| payment.attempts.as_slice()).unwrap_or_default()
}
