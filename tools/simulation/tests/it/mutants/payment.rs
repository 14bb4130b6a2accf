//! Wrong rules of a payment.

use karcis_kernel::{PaymentId, Timestamp};
use karcis_payment_service::domain::{
    self as payment, AttemptId, AttemptOutcome, Command, Decline, DeclineKind, Outcome, Payment,
    PaymentRecord, RefundKind, RefundOutcome, StartRefusal, State, Verdict, record_refund, resolve,
    start, take,
};
use karcis_simulation::exploration::Rules;

use super::Mutant;

pub(super) fn mutants() -> Vec<Mutant> {
    let real = Rules::default();
    vec![
        ("an open payment says cancelled and stays open", Rules { take: stays_open, ..real }),
        ("an unknown outcome is taken for no money", Rules { take: unknown_is_no, ..real }),
        ("a request after a cancel opens the payment", Rules { take: no_tombstone, ..real }),
        ("a refund is taken for done", Rules { take: refunds_nothing, ..real }),
        ("money after a decline is kept", Rules { resolve: keeps_late_money, ..real }),
        ("an approved attempt is forgotten", Rules { resolve: forgets_approval, ..real }),
        (
            "a second attempt starts beside an unresolved one",
            Rules { start: second_attempt, ..real },
        ),
        ("a refused refund is taken for done", Rules { record_refund: refuses_in_silence, ..real }),
    ]
}

fn stays_open(record: Option<&PaymentRecord>, command: &Command, payment_id: PaymentId) -> Verdict {
    let verdict = take(record, command, payment_id);
    match (command, record.and_then(PaymentRecord::payment)) {
        (Command::Cancel { .. }, Some(payment)) if payment.state == State::Open => {
            Verdict::Answered(payment::Fact::Cancelled)
        }
        _ => verdict,
    }
}

fn unknown_is_no(
    record: Option<&PaymentRecord>,
    command: &Command,
    payment_id: PaymentId,
) -> Verdict {
    let payment = record.and_then(PaymentRecord::payment);
    match (command, payment.map(|payment| (payment, &payment.state))) {
        (Command::Cancel { .. }, Some((payment, State::Processing { attempt, .. }))) => {
            let wanted = State::Processing { attempt: *attempt, cancel_wanted: true };
            resolve(&Payment { state: wanted, ..payment.clone() }, *attempt, &Outcome::Voided)
        }
        _ => take(record, command, payment_id),
    }
}

fn no_tombstone(
    record: Option<&PaymentRecord>,
    command: &Command,
    payment_id: PaymentId,
) -> Verdict {
    let record = record.filter(|record| record.payment().is_some());
    take(record, command, payment_id)
}

fn refunds_nothing(
    record: Option<&PaymentRecord>,
    command: &Command,
    payment_id: PaymentId,
) -> Verdict {
    let payment = record.and_then(PaymentRecord::payment);
    match (command, payment) {
        (Command::Refund { .. }, Some(payment)) if payment.state == State::Succeeded => {
            let refunded = Payment { state: State::Refunded, ..payment.clone() };
            take(Some(&PaymentRecord::Payment(refunded)), command, payment_id)
        }
        _ => take(record, command, payment_id),
    }
}

fn keeps_late_money(payment: &Payment, id: AttemptId, outcome: &Outcome) -> Verdict {
    let attempt = payment.attempt(id).and_then(|attempt| attempt.outcome.as_ref());
    match attempt {
        Some(AttemptOutcome::Declined(_) | AttemptOutcome::Voided) => Verdict::Unchanged,
        _ => resolve(payment, id, outcome),
    }
}

fn forgets_approval(payment: &Payment, id: AttemptId, outcome: &Outcome) -> Verdict {
    let soft = Decline { kind: DeclineKind::Soft, code: "insufficient_funds".to_owned() };
    match outcome {
        Outcome::Approved => resolve(payment, id, &Outcome::Declined(soft)),
        _ => resolve(payment, id, outcome),
    }
}

fn second_attempt(
    payment: &Payment,
    id: AttemptId,
    at: Timestamp,
    method: &str,
) -> Result<Payment, StartRefusal> {
    match payment.state {
        State::Processing { .. } => {
            start(&Payment { state: State::Open, ..payment.clone() }, id, at, method)
        }
        _ => start(payment, id, at, method),
    }
}

fn refuses_in_silence(payment: &Payment, kind: RefundKind, outcome: &RefundOutcome) -> Verdict {
    match outcome {
        RefundOutcome::Refused { .. } => record_refund(payment, kind, &RefundOutcome::Done),
        _ => record_refund(payment, kind, outcome),
    }
}
