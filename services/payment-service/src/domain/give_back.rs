//! Money that goes back: refunds the saga asked for, and money that came too late or twice.

use karcis_kernel::{BookingId, Money};

use super::{AttemptId, AttemptOutcome, Fact, Payment, State, Verdict, attempt::with_outcome};

/// Money that is to go back to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBack {
    /// All that paid for the booking.
    Refund,
    /// What this attempt took too late or twice.
    Return(AttemptId),
}

impl GiveBack {
    /// The provider's idempotency key: however often it is asked for, it goes back once.
    pub fn key(self, booking_id: BookingId) -> String {
        match self {
            Self::Refund => format!("refund/{booking_id}"),
            Self::Return(AttemptId(id)) => format!("return/{id}"),
        }
    }
}

/// All that is to go back now, each with its amount.
pub fn owed(payment: &Payment) -> Vec<(GiveBack, Money)> {
    let refund = (payment.state == State::Refunding).then_some(GiveBack::Refund);
    let returns = payment
        .attempts
        .iter()
        .filter(|attempt| attempt.outcome == Some(AttemptOutcome::Returning))
        .map(|attempt| GiveBack::Return(attempt.id));
    refund.into_iter().chain(returns).map(|what| (what, payment.terms.amount())).collect()
}

/// The provider gave it back.
pub fn record_given_back(payment: &Payment, what: GiveBack) -> Verdict {
    if !owed(payment).iter().any(|(owed, _)| *owed == what) {
        return Verdict::Unchanged;
    }
    let refunded = payment.plus_amount(payment.refunded);
    let amount = payment.terms.amount();
    match what {
        GiveBack::Refund => Verdict::changed(
            Payment { refunded, ..payment.moved(State::Refunded) },
            Fact::Refunded { refunded: amount },
        ),
        GiveBack::Return(id) => Verdict::changed(
            Payment { refunded, ..with_outcome(payment, id, AttemptOutcome::Returned) },
            Fact::Returned { returned: amount },
        ),
    }
}
