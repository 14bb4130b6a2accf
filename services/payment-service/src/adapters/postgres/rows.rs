//! Rows ⇄ payments. A row may have been written by an older release, and be read by one.

use std::collections::BTreeMap;

use karcis_database::{Loaded, UnreadableRow, read_row};
use karcis_kernel::{BookingId, Money, PaymentId, Timestamp, UserId};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::{
    Attempt, AttemptId, AttemptOutcome, BuyerAction, Decline, DeclineKind, NextAction, OutcomeKind,
    Payment, PaymentRecord, State, Status, Terms,
};

const PAYMENT: &str = "payment of booking";

/// A payment with one of its attempts: as many rows as it has attempts, but at least one.
#[derive(sqlx::FromRow)]
struct PaymentRow {
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
    asked_again: i32,
    refund_refusal: Option<String>,
    attempt_id: Option<Uuid>,
    at: Option<Timestamp>,
    method: Option<String>,
    outcome: Option<String>,
    decline_kind: Option<String>,
    decline_code: Option<String>,
    reversal_refusal: Option<String>,
    action: Option<String>,
    action_value: Option<String>,
    action_expires_at: Option<Timestamp>,
}

/// The records of these rows, which are ordered by booking and attempt. Those that cannot be read are
/// named by their booking.
pub(super) fn records(rows: &[PgRow]) -> Loaded<PaymentRecord> {
    let mut bookings: BTreeMap<Uuid, Result<Vec<PaymentRow>, UnreadableRow>> = BTreeMap::new();
    for row in rows {
        match read_row(PAYMENT, "booking_id", row, Ok::<PaymentRow, String>) {
            Ok(row) => {
                let of_booking = bookings.entry(row.booking_id).or_insert_with(|| Ok(Vec::new()));
                if let Ok(rows) = of_booking {
                    rows.push(row);
                }
            }
            Err(unreadable) => drop(bookings.insert(unreadable.id, Err(unreadable))),
        }
    }
    let why = "a word or a number is unknown";
    let read = |(booking, rows): (Uuid, Result<Vec<PaymentRow>, UnreadableRow>)| {
        record(&rows?).ok_or_else(|| UnreadableRow::new(PAYMENT, booking, why))
    };
    bookings.into_iter().map(read).collect()
}

fn record(rows: &[PaymentRow]) -> Option<PaymentRecord> {
    let row = rows.first()?;
    let booking_id = BookingId(row.booking_id);
    let payment_id = PaymentId(row.payment_id);
    let (Some(user_id), Some(amount), Some(currency), Some(pay_by)) =
        (row.user_id, row.amount, &row.currency, row.pay_by)
    else {
        return Some(PaymentRecord::Tombstone { booking_id, payment_id });
    };
    let currency = currency.parse().ok()?;
    let mut attempts = Vec::new();
    for row in rows.iter().filter(|row| row.attempt_id.is_some()) {
        attempts.push(attempt(row)?);
    }
    Some(PaymentRecord::Payment(Payment {
        booking_id,
        payment_id,
        terms: Terms::new(UserId(user_id), Money::new(amount, currency), pay_by).ok()?,
        state: state(row, &attempts)?,
        attempts,
        captured: Money::new(row.captured, currency),
        refunded: Money::new(row.refunded, currency),
        asked_again: row.asked_again.try_into().ok()?,
        version: row.version,
    }))
}

fn state(row: &PaymentRow, attempts: &[Attempt]) -> Option<State> {
    let status = Status::ALL.into_iter().find(|status| status.as_str() == row.status)?;
    Some(match status {
        Status::Open => State::Open,
        Status::Processing => State::Processing {
            attempt: attempts.iter().find(|attempt| attempt.outcome.is_none())?.id,
            cancel_wanted: row.cancel_wanted,
        },
        Status::Succeeded => State::Succeeded,
        Status::Failed => State::Failed { decline_code: row.payment_decline_code.clone()? },
        Status::Cancelled => State::Cancelled,
        Status::Refunding => State::Refunding { refusal: row.refund_refusal.clone() },
        Status::Refunded => State::Refunded,
        // Shown of a payment that is stored as processing.
        Status::ActionRequired => return None,
    })
}

/// The column `refund_refusal` of a state.
pub(super) fn refusal(state: &State) -> Option<&str> {
    match state {
        State::Refunding { refusal } => refusal.as_deref(),
        _ => None,
    }
}

fn attempt(row: &PaymentRow) -> Option<Attempt> {
    let outcome = match &row.outcome {
        None => None,
        Some(word) => Some(attempt_outcome(row, word)?),
    };
    let next_action = match (&outcome, &row.action) {
        (None, Some(action)) => Some(next_action(row, action)?),
        // An older release leaves the action when it writes the outcome.
        (Some(_), _) | (None, None) => None,
    };
    let id = AttemptId(row.attempt_id?);
    Some(Attempt { id, at: row.at?, method: row.method.clone()?, outcome, next_action })
}

fn attempt_outcome(row: &PaymentRow, word: &str) -> Option<AttemptOutcome> {
    let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
    Some(match kind {
        OutcomeKind::Approved => AttemptOutcome::Approved,
        OutcomeKind::Declined => AttemptOutcome::Declined(Decline {
            kind: match row.decline_kind.as_deref()? {
                "soft" => DeclineKind::Soft,
                "hard" => DeclineKind::Hard,
                _ => return None,
            },
            code: row.decline_code.clone()?,
        }),
        OutcomeKind::Voided => AttemptOutcome::Voided,
        OutcomeKind::Reversing => {
            AttemptOutcome::Reversing { refusal: row.reversal_refusal.clone() }
        }
        OutcomeKind::Reversed => AttemptOutcome::Reversed,
    })
}

fn next_action(row: &PaymentRow, action: &str) -> Option<NextAction> {
    let value = row.action_value.clone()?;
    let action = match action {
        "redirect" => BuyerAction::Redirect { url: value },
        "virtual_account" => BuyerAction::VirtualAccount { number: value },
        "qr" => BuyerAction::Qr { text: value },
        _ => return None,
    };
    Some(NextAction { action, expires_at: row.action_expires_at? })
}

/// The columns `action`, `action_value` and `action_expires_at` of an attempt.
pub(super) fn action(next: Option<&NextAction>) -> Option<(&'static str, &str, Timestamp)> {
    let next = next?;
    let (word, value) = match &next.action {
        BuyerAction::Redirect { url } => ("redirect", url),
        BuyerAction::VirtualAccount { number } => ("virtual_account", number),
        BuyerAction::Qr { text } => ("qr", text),
    };
    Some((word, value, next.expires_at))
}

/// The columns of an attempt that say how it ended.
#[derive(Default)]
pub(super) struct OutcomeColumns<'a> {
    pub word: Option<&'static str>,
    pub decline_kind: Option<&'static str>,
    pub decline_code: Option<&'a str>,
    pub refusal: Option<&'a str>,
}

/// How an attempt ended, as its columns say it.
pub(super) fn outcome(outcome: Option<&AttemptOutcome>) -> OutcomeColumns<'_> {
    let word = outcome.map(|outcome| outcome.kind().as_str());
    let ended = OutcomeColumns { word, ..OutcomeColumns::default() };
    match outcome {
        Some(AttemptOutcome::Declined(decline)) => {
            let kind = match decline.kind {
                DeclineKind::Soft => "soft",
                DeclineKind::Hard => "hard",
            };
            let (decline_kind, decline_code) = (Some(kind), Some(decline.code.as_str()));
            OutcomeColumns { decline_kind, decline_code, ..ended }
        }
        Some(AttemptOutcome::Reversing { refusal }) => {
            OutcomeColumns { refusal: refusal.as_deref(), ..ended }
        }
        Some(AttemptOutcome::Approved | AttemptOutcome::Voided | AttemptOutcome::Reversed)
        | None => ended,
    }
}
