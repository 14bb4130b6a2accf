//! Domain ⇄ wire: booking-service's commands, and what is published about a payment.

use karcis_contracts::{
    PaymentCancelled, PaymentCommand, PaymentFact, PaymentFailed, PaymentRefunded,
    PaymentRequested, PaymentReturned, PaymentSucceeded, RefundRefused,
};
use karcis_messaging::Outgoing;

use crate::{
    application::Change,
    domain::{Command, Fact, InvalidAmount, PaymentRecord, Terms},
};

/// The command that a message carries.
pub(super) fn command(message: PaymentCommand) -> Result<Command, InvalidAmount> {
    Ok(match message {
        PaymentCommand::RequestPayment(request) => Command::Request {
            booking_id: request.booking_id,
            terms: Terms::new(request.user_id, request.amount, request.pay_by)?,
        },
        PaymentCommand::CancelPayment(cancel) => Command::Cancel { booking_id: cancel.booking_id },
        PaymentCommand::RefundPayment(refund) => Command::Refund { booking_id: refund.booking_id },
    })
}

/// The messages of a change, in their order and in the current trace.
pub(crate) fn encode(change: &Change) -> Vec<Outgoing> {
    change.facts.iter().map(|fact| Outgoing::new(&fact_message(&change.after, fact))).collect()
}

fn fact_message(record: &PaymentRecord, fact: &Fact) -> PaymentFact {
    let (booking_id, payment_id) = (record.booking_id(), record.payment_id());
    match fact.clone() {
        Fact::Requested { amount } => PaymentRequested { booking_id, payment_id, amount }.into(),
        Fact::Succeeded { captured } => {
            PaymentSucceeded { booking_id, payment_id, captured }.into()
        }
        Fact::Failed { decline_code } => {
            PaymentFailed { booking_id, payment_id, decline_code }.into()
        }
        Fact::Cancelled => PaymentCancelled { booking_id, payment_id }.into(),
        Fact::Refunded { refunded } => PaymentRefunded { booking_id, payment_id, refunded }.into(),
        Fact::RefundRefused { reason } => RefundRefused { booking_id, payment_id, reason }.into(),
        Fact::Reversed { reversed } => {
            PaymentReturned { booking_id, payment_id, returned: reversed }.into()
        }
    }
}
