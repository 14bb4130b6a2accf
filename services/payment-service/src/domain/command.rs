//! The payment table: what each of booking-service's commands does in each state.

use karcis_kernel::{BookingId, Money, PaymentId};

use super::{Entry, Fact, Payment, State, Terms, Verdict};

/// What booking-service asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open the payment.
    Request {
        /// The booking.
        booking_id: BookingId,
        /// Who owes how much until when.
        terms: Terms,
    },
    /// Take no money any more.
    Cancel {
        /// The booking.
        booking_id: BookingId,
    },
    /// Give all captured money back.
    Refund {
        /// The booking.
        booking_id: BookingId,
    },
}

impl Command {
    /// The booking whose payment is meant.
    pub fn booking_id(&self) -> BookingId {
        match self {
            Self::Request { booking_id, .. }
            | Self::Cancel { booking_id }
            | Self::Refund { booking_id } => *booking_id,
        }
    }
}

/// What `command` does to what is known of its booking; `fresh` names the payment if it is new.
pub fn take(entry: Option<&Entry>, command: &Command, fresh: PaymentId) -> Verdict {
    match entry {
        None => first(command, fresh),
        Some(Entry::Tombstone { .. }) => match command {
            Command::Request { .. } | Command::Cancel { .. } => Verdict::Answered(Fact::Cancelled),
            Command::Refund { .. } => Verdict::Alert,
        },
        Some(Entry::Payment(payment)) => match command {
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
                version: 1,
            };
            Verdict::changed(payment, Fact::Requested { amount })
        }
        Command::Cancel { booking_id } => {
            let tombstone = Entry::Tombstone { booking_id: *booking_id, payment_id };
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
        State::Refunding => Verdict::Unchanged,
        State::Succeeded => succeeded(payment),
        State::Failed { decline_code } => failed(decline_code),
        State::Cancelled => Verdict::Answered(Fact::Cancelled),
        State::Refunded => refunded(payment),
    }
}

fn cancel(payment: &Payment) -> Verdict {
    match &payment.state {
        State::Open => Verdict::changed(payment.moved(State::Cancelled), Fact::Cancelled),
        State::Processing { attempt, cancel_wanted: false } => Verdict::changed(
            payment.moved(State::Processing { attempt: *attempt, cancel_wanted: true }),
            None,
        ),
        State::Processing { cancel_wanted: true, .. } | State::Refunding => Verdict::Unchanged,
        State::Succeeded => succeeded(payment),
        State::Failed { decline_code } => failed(decline_code),
        State::Cancelled => Verdict::Answered(Fact::Cancelled),
        State::Refunded => refunded(payment),
    }
}

fn refund(payment: &Payment) -> Verdict {
    match &payment.state {
        State::Succeeded => Verdict::changed(payment.moved(State::Refunding), None),
        State::Refunding => Verdict::Unchanged,
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

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
