//! Payments in every state, for the tables.

use karcis_kernel::{BookingId, Currency, Money, PaymentId, Timestamp, UserId};
use uuid::Uuid;

use super::{
    Attempt, AttemptId, AttemptOutcome, Command, Decline, DeclineKind, Payment, State, Terms,
};

pub const BOOKING: BookingId = BookingId(Uuid::from_u128(1));
pub const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(2));

pub fn rupiah(amount: i64) -> Money {
    Money::new(amount, Currency::Idr)
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + second, 0).expect("a time")
}

pub fn attempt_id(number: u128) -> AttemptId {
    AttemptId(Uuid::from_u128(100 + number))
}

pub fn terms() -> Terms {
    Terms::new(UserId(Uuid::from_u128(3)), rupiah(750_000), at(900)).expect("terms")
}

pub fn soft() -> Decline {
    Decline { kind: DeclineKind::Soft, code: "insufficient_funds".to_owned() }
}

pub fn hard(code: &str) -> Decline {
    Decline { kind: DeclineKind::Hard, code: code.to_owned() }
}

pub fn request() -> Command {
    Command::Request { booking_id: BOOKING, terms: terms() }
}

pub fn cancel() -> Command {
    Command::Cancel { booking_id: BOOKING }
}

pub fn refund() -> Command {
    Command::Refund { booking_id: BOOKING }
}

/// Open, nothing tried yet.
pub fn open() -> Payment {
    Payment {
        booking_id: BOOKING,
        payment_id: PAYMENT,
        terms: terms(),
        state: State::Open,
        attempts: Vec::new(),
        captured: rupiah(0),
        refunded: rupiah(0),
        version: 1,
    }
}

/// Open after attempts with these outcomes, numbered from 1.
pub fn open_after(outcomes: &[AttemptOutcome]) -> Payment {
    let attempts = outcomes.iter().zip(1..).map(|(outcome, number)| Attempt {
        id: attempt_id(number),
        at: at(0),
        method: "tok".to_owned(),
        outcome: Some(outcome.clone()),
    });
    Payment { attempts: attempts.collect(), version: 7, ..open() }
}

/// The same payment with attempt `number` at the provider.
pub fn processing(payment: Payment, number: u128, cancel_wanted: bool) -> Payment {
    let mut payment = payment;
    let id = attempt_id(number);
    payment.attempts.push(Attempt { id, at: at(1), method: "tok".to_owned(), outcome: None });
    payment.state = State::Processing { attempt: id, cancel_wanted };
    payment
}

pub fn succeeded() -> Payment {
    Payment {
        state: State::Succeeded,
        captured: rupiah(750_000),
        ..open_after(&[AttemptOutcome::Approved])
    }
}

pub fn failed() -> Payment {
    let outcomes = [AttemptOutcome::Declined(hard("stolen_card"))];
    let state = State::Failed { decline_code: "stolen_card".to_owned() };
    Payment { state, ..open_after(&outcomes) }
}

pub fn cancelled() -> Payment {
    Payment { state: State::Cancelled, ..open() }
}

pub fn refunding() -> Payment {
    Payment { state: State::Refunding, ..succeeded() }
}

pub fn refunded() -> Payment {
    Payment { state: State::Refunded, refunded: rupiah(750_000), ..succeeded() }
}
