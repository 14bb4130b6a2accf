//! The wire form of what is told of a payment.

use karcis_contracts::{
    PaymentCancelled, PaymentFact, PaymentFailed, PaymentRefunded, PaymentRequested,
    PaymentReturned, PaymentSucceeded,
};

use crate::domain::{Entry, Fact};

/// The message that tells `fact` of this payment.
pub fn fact_message(entry: &Entry, fact: &Fact) -> PaymentFact {
    let (booking_id, payment_id) = (entry.booking_id(), entry.payment_id());
    match fact {
        Fact::Requested { amount } => {
            PaymentRequested { booking_id, payment_id, amount: *amount }.into()
        }
        Fact::Succeeded { captured } => {
            PaymentSucceeded { booking_id, payment_id, captured: *captured }.into()
        }
        Fact::Failed { decline_code } => {
            PaymentFailed { booking_id, payment_id, decline_code: decline_code.clone() }.into()
        }
        Fact::Cancelled => PaymentCancelled { booking_id, payment_id }.into(),
        Fact::Refunded { refunded } => {
            PaymentRefunded { booking_id, payment_id, refunded: *refunded }.into()
        }
        Fact::Returned { returned } => {
            PaymentReturned { booking_id, payment_id, returned: *returned }.into()
        }
    }
}
