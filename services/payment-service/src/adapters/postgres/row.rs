//! Rows, and the payments they stand for.

use karcis_kernel::{BookingId, Money, PaymentId, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    application::ports::StoreError,
    domain::{
        Attempt, AttemptId, AttemptOutcome, Decline, DeclineKind, Entry, Payment, State, Terms,
    },
};

/// A payment with one of its attempts: as many rows as it has attempts, but at least one.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    booking_id: Uuid,
    payment_id: Uuid,
    user_id: Option<Uuid>,
    amount: Option<i64>,
    currency: Option<String>,
    pay_by: Option<Timestamp>,
    status: String,
    cancel_wanted: bool,
    payment_decline_code: Option<String>,
    captured: i64,
    refunded: i64,
    version: i64,
    attempt_id: Option<Uuid>,
    at: Option<Timestamp>,
    method: Option<String>,
    outcome: Option<String>,
    decline_kind: Option<String>,
    decline_code: Option<String>,
}

/// The entries of these rows, which are ordered by booking and attempt.
pub(super) fn entries(rows: &[Row]) -> Result<Vec<Entry>, StoreError> {
    rows.chunk_by(|one, next| one.booking_id == next.booking_id)
        .map(|rows| entry(rows).ok_or_else(|| unreadable(rows)))
        .collect()
}

fn unreadable(rows: &[Row]) -> StoreError {
    let booking = rows.first().map(|row| row.booking_id).unwrap_or_default();
    StoreError::rejected(format!("the payment of booking {booking} cannot be read"))
}

fn entry(rows: &[Row]) -> Option<Entry> {
    let row = rows.first()?;
    let booking_id = BookingId(row.booking_id);
    let payment_id = PaymentId(row.payment_id);
    let (Some(user_id), Some(amount), Some(currency), Some(pay_by)) =
        (row.user_id, row.amount, &row.currency, row.pay_by)
    else {
        return Some(Entry::Tombstone { booking_id, payment_id });
    };
    let currency = currency.parse().ok()?;
    let mut attempts = Vec::new();
    for row in rows.iter().filter(|row| row.attempt_id.is_some()) {
        attempts.push(attempt(row)?);
    }
    Some(Entry::Payment(Payment {
        booking_id,
        payment_id,
        terms: Terms::new(UserId(user_id), Money::new(amount, currency), pay_by).ok()?,
        state: state(row, &attempts)?,
        attempts,
        captured: Money::new(row.captured, currency),
        refunded: Money::new(row.refunded, currency),
        version: row.version,
    }))
}

fn state(row: &Row, attempts: &[Attempt]) -> Option<State> {
    Some(match row.status.as_str() {
        "open" => State::Open,
        "processing" => State::Processing {
            attempt: attempts.iter().find(|attempt| attempt.outcome.is_none())?.id,
            cancel_wanted: row.cancel_wanted,
        },
        "succeeded" => State::Succeeded,
        "failed" => State::Failed { decline_code: row.payment_decline_code.clone()? },
        "cancelled" => State::Cancelled,
        "refunding" => State::Refunding,
        "refunded" => State::Refunded,
        _ => return None,
    })
}

/// The column `status` of a state.
pub(super) fn status(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Processing { .. } => "processing",
        State::Succeeded => "succeeded",
        State::Failed { .. } => "failed",
        State::Cancelled => "cancelled",
        State::Refunding => "refunding",
        State::Refunded => "refunded",
    }
}

fn attempt(row: &Row) -> Option<Attempt> {
    let outcome = match row.outcome.as_deref() {
        None => None,
        Some("approved") => Some(AttemptOutcome::Approved),
        Some("declined") => Some(AttemptOutcome::Declined(Decline {
            kind: match row.decline_kind.as_deref()? {
                "soft" => DeclineKind::Soft,
                "hard" => DeclineKind::Hard,
                _ => return None,
            },
            code: row.decline_code.clone()?,
        })),
        Some("voided") => Some(AttemptOutcome::Voided),
        Some("returning") => Some(AttemptOutcome::Returning),
        Some("returned") => Some(AttemptOutcome::Returned),
        Some(_) => return None,
    };
    let id = AttemptId(row.attempt_id?);
    Some(Attempt { id, at: row.at?, method: row.method.clone()?, outcome })
}

/// The columns `outcome`, `decline_kind` and `decline_code` of an attempt.
pub(super) fn outcome(
    outcome: Option<&AttemptOutcome>,
) -> (Option<&'static str>, Option<&'static str>, Option<&str>) {
    match outcome {
        None => (None, None, None),
        Some(AttemptOutcome::Approved) => (Some("approved"), None, None),
        Some(AttemptOutcome::Declined(decline)) => {
            let kind = match decline.kind {
                DeclineKind::Soft => "soft",
                DeclineKind::Hard => "hard",
            };
            (Some("declined"), Some(kind), Some(&decline.code))
        }
        Some(AttemptOutcome::Voided) => (Some("voided"), None, None),
        Some(AttemptOutcome::Returning) => (Some("returning"), None, None),
        Some(AttemptOutcome::Returned) => (Some("returned"), None, None),
    }
}
