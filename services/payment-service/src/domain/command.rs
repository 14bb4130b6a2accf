//! The payment table: what each of booking-service's commands does in each state.

use karcis_kernel::{BookingId, Bug, Money, PaymentId};

use super::{Fact, Payment, PaymentRecord, State, Terms, Verdict};

/// What booking-service asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open the payment.
    Request { booking_id: BookingId, terms: Terms },
    /// Take no more money.
    Cancel { booking_id: BookingId },
    /// Give all captured money back.
    Refund { booking_id: BookingId },
}

impl Command {
    /// The booking whose payment it is about.
    pub fn booking_id(&self) -> BookingId {
        match self {
            Self::Request { booking_id, .. }
            | Self::Cancel { booking_id }
            | Self::Refund { booking_id } => *booking_id,
        }
    }
}

/// What `command` does to the booking's record. A payment that it opens gets the id `new_id`.
pub fn take(record: Option<&PaymentRecord>, command: &Command, new_id: PaymentId) -> Verdict {
    match record {
        None => first(command, new_id),
        Some(PaymentRecord::Tombstone { .. }) => match command {
            Command::Request { .. } | Command::Cancel { .. } => Verdict::Answered(Fact::Cancelled),
            Command::Refund { .. } => Verdict::Alert,
        },
        Some(PaymentRecord::Payment(payment)) => match command {
            Command::Request { .. } => request(payment),
            Command::Cancel { .. } => cancel(payment),
            Command::Refund { .. } => refund(payment),
        },
    }
}

fn first(command: &Command, payment_id: PaymentId) -> Verdict {
    match command {
        Command::Request { booking_id, terms } => {
            let amount = terms.amount();
            let payment = Payment {
                booking_id: *booking_id,
                payment_id,
                terms: terms.clone(),
                state: State::Open,
                attempts: Vec::new(),
                captured: Money::zero(amount.currency),
                refunded: Money::zero(amount.currency),
                asked_again: 0,
                version: 1,
            };
            Verdict::changed(payment, Fact::Requested { amount })
        }
        Command::Cancel { booking_id } => {
            let tombstone = PaymentRecord::Tombstone { booking_id: *booking_id, payment_id };
            Verdict::Changed(Box::new(tombstone), Some(Fact::Cancelled))
        }
        Command::Refund { .. } => Verdict::Alert,
    }
}

fn request(payment: &Payment) -> Verdict {
    match &payment.state {
        State::Open | State::Processing { .. } => {
            Verdict::Answered(Fact::Requested { amount: payment.terms.amount() })
        }
        State::Refunding { .. } => Verdict::Unchanged,
        State::Succeeded => succeeded(payment),
        State::Failed { decline_code } => failed(decline_code),
        State::Cancelled => Verdict::Answered(Fact::Cancelled),
        State::Refunded => refunded(payment),
    }
}

fn cancel(payment: &Payment) -> Verdict {
    match &payment.state {
        State::Open => Verdict::changed(payment.transition(State::Cancelled), Fact::Cancelled),
        State::Processing { attempt, cancel_wanted: false } => Verdict::changed(
            payment.transition(State::Processing { attempt: *attempt, cancel_wanted: true }),
            None,
        ),
        State::Processing { cancel_wanted: true, .. } | State::Refunding { .. } => {
            Verdict::Unchanged
        }
        State::Succeeded if Bug::CancelForgetsMoney.is_planted() => {
            Verdict::Answered(Fact::Cancelled)
        }
        State::Succeeded => succeeded(payment),
        State::Failed { decline_code } => failed(decline_code),
        State::Cancelled => Verdict::Answered(Fact::Cancelled),
        State::Refunded => refunded(payment),
    }
}

fn refund(payment: &Payment) -> Verdict {
    match &payment.state {
        State::Succeeded => {
            Verdict::changed(payment.transition(State::Refunding { refusal: None }), None)
        }
        State::Refunding { refusal: None } => Verdict::Unchanged,
        State::Refunding { refusal: Some(reason) } => {
            Verdict::Answered(Fact::RefundRefused { reason: reason.clone() })
        }
        State::Refunded => refunded(payment),
        State::Open | State::Processing { .. } | State::Failed { .. } | State::Cancelled => {
            Verdict::Alert
        }
    }
}

fn succeeded(payment: &Payment) -> Verdict {
    Verdict::Answered(Fact::Succeeded { captured: payment.terms.amount() })
}

fn failed(decline_code: &str) -> Verdict {
    Verdict::Answered(Fact::Failed { decline_code: decline_code.to_owned() })
}

fn refunded(payment: &Payment) -> Verdict {
    Verdict::Answered(Fact::Refunded { refunded: payment.terms.amount() })
}
