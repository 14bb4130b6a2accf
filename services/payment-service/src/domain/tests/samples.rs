//! Payments in every state, for the tests.

use karcis_kernel::{BookingId, Currency, Money, PaymentId, Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{
    Attempt, AttemptId, AttemptOutcome, BuyerAction, Command, Decline, DeclineKind, Fact,
    NextAction, Outcome, Payment, PaymentRecord, State, Terms, Verdict, resolve,
};

pub(super) const BOOKING: BookingId = BookingId(Uuid::from_u128(1));
pub(super) const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(2));

pub(super) fn rupiah(amount: i64) -> Money {
    Money::new(amount, Currency::Idr)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + second, 0).expect("a time")
}

pub(super) fn attempt_id(number: u128) -> AttemptId {
    AttemptId(Uuid::from_u128(100 + number))
}

pub(super) fn terms() -> Terms {
    Terms::new(UserId(Uuid::from_u128(3)), rupiah(750_000), at(900)).expect("terms")
}

pub(super) fn declined(decline: Decline) -> AttemptOutcome {
    AttemptOutcome::Declined(decline)
}

pub(super) fn soft() -> Decline {
    Decline { kind: DeclineKind::Soft, code: "insufficient_funds".to_owned() }
}

pub(super) fn hard(code: &str) -> Decline {
    Decline { kind: DeclineKind::Hard, code: code.to_owned() }
}

pub(super) fn request() -> Command {
    Command::Request { booking_id: BOOKING, terms: terms() }
}

pub(super) fn cancel() -> Command {
    Command::Cancel { booking_id: BOOKING }
}

pub(super) fn refund() -> Command {
    Command::Refund { booking_id: BOOKING }
}

pub(super) fn transfer() -> NextAction {
    let action = BuyerAction::VirtualAccount { number: "8800000000000001".to_owned() };
    NextAction { action, expires_at: at(600) }
}

/// Open, nothing tried yet.
pub(super) fn open() -> Payment {
    Payment {
        booking_id: BOOKING,
        payment_id: PAYMENT,
        terms: terms(),
        state: State::Open,
        attempts: Vec::new(),
        captured: rupiah(0),
        refunded: rupiah(0),
        asked_again: 0,
        version: 1,
    }
}

/// Open after attempts with these outcomes, numbered from 1.
pub(super) fn open_after(outcomes: &[AttemptOutcome]) -> Payment {
    let attempts = outcomes.iter().zip(1..).map(|(outcome, number)| Attempt {
        id: attempt_id(number),
        at: at(0),
        method: "tok".to_owned(),
        outcome: Some(outcome.clone()),
        next_action: None,
    });
    Payment { attempts: attempts.collect(), version: 7, ..open() }
}

/// The same payment with attempt `number` at the provider.
pub(super) fn processing(payment: Payment, number: u128, cancel_wanted: bool) -> Payment {
    let mut payment = payment;
    let id = attempt_id(number);
    let method = "tok".to_owned();
    payment.attempts.push(Attempt { id, at: at(1), method, outcome: None, next_action: None });
    payment.state = State::Processing { attempt: id, cancel_wanted };
    payment
}

pub(super) fn succeeded() -> Payment {
    Payment {
        state: State::Succeeded,
        captured: rupiah(750_000),
        ..open_after(&[AttemptOutcome::Approved])
    }
}

pub(super) fn failed() -> Payment {
    let outcomes = [AttemptOutcome::Declined(hard("stolen_card"))];
    let state = State::Failed { decline_code: "stolen_card".to_owned() };
    Payment { state, ..open_after(&outcomes) }
}

pub(super) fn cancelled() -> Payment {
    Payment { state: State::Cancelled, ..open() }
}

pub(super) fn refunding() -> Payment {
    Payment { state: State::Refunding { refusal: None }, ..succeeded() }
}

pub(super) fn refund_refused() -> Payment {
    let refusal = Some("account_closed".to_owned());
    Payment { state: State::Refunding { refusal }, ..succeeded() }
}

pub(super) fn refunded() -> Payment {
    Payment { state: State::Refunded, refunded: rupiah(750_000), ..succeeded() }
}

/// The payment after the answer, or `None` where nothing changes.
pub(super) fn answered(
    payment: &Payment,
    number: u128,
    outcome: &Outcome,
) -> Option<(Payment, Option<Fact>)> {
    match resolve(payment, attempt_id(number), outcome) {
        Verdict::Changed(record, fact) => match *record {
            PaymentRecord::Payment(payment) => Some((payment, fact)),
            PaymentRecord::Tombstone { .. } => panic!("an answer makes no tombstone"),
        },
        Verdict::Unchanged => None,
        other => panic!("an answer changes a payment or does not: {other:?}"),
    }
}
