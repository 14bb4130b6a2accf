//! The payment table of the design, cell by cell.

use karcis_kernel::PaymentId;
use uuid::Uuid;

use super::samples::{
    BOOKING, PAYMENT, attempt_id, cancel, cancelled, failed, open, processing, refund,
    refund_refused, refunded, refunding, request, rupiah, succeeded, terms,
};
use crate::domain::{Command, Fact, Payment, PaymentRecord, State, Terms, Verdict, take};

/// The state one cell leaves behind and the answer it gives.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Becomes(State, Option<Fact>),
    Answers(Fact),
    Nothing,
    Alert,
}

fn requested() -> Fact {
    Fact::Requested { amount: rupiah(750_000) }
}

fn paid() -> Fact {
    Fact::Succeeded { captured: rupiah(750_000) }
}

fn declined() -> Fact {
    Fact::Failed { decline_code: "stolen_card".to_owned() }
}

fn money_refunded() -> Fact {
    Fact::Refunded { refunded: rupiah(750_000) }
}

fn refused() -> Fact {
    Fact::RefundRefused { reason: "account_closed".to_owned() }
}

fn check(name: &str, payment: &Payment, command: &Command, expected: &Cell) {
    let verdict =
        take(Some(&PaymentRecord::Payment(payment.clone())), command, PaymentId(Uuid::nil()));
    let wanted = match expected {
        Cell::Becomes(state, fact) => Verdict::Changed(
            Box::new(PaymentRecord::Payment(Payment {
                state: state.clone(),
                version: payment.version + 1,
                ..payment.clone()
            })),
            fact.clone(),
        ),
        Cell::Answers(fact) => Verdict::Answered(fact.clone()),
        Cell::Nothing => Verdict::Unchanged,
        Cell::Alert => Verdict::Alert,
    };
    assert_eq!(verdict, wanted, "{command:?} in {name}");
}

#[test]
fn every_cell_of_the_payment_table() {
    use Cell::{Alert, Answers, Becomes, Nothing};
    let in_flight = processing(open(), 1, false);
    let unwanted = processing(open(), 1, true);
    let wanted_away = State::Processing { attempt: attempt_id(1), cancel_wanted: true };
    // state, then what Request, Cancel and Refund do in it
    let table = [
        (
            "open",
            open(),
            Answers(requested()),
            Becomes(State::Cancelled, Some(Fact::Cancelled)),
            Alert,
        ),
        ("processing", in_flight, Answers(requested()), Becomes(wanted_away, None), Alert),
        ("processing, cancel wanted", unwanted, Answers(requested()), Nothing, Alert),
        (
            "succeeded",
            succeeded(),
            Answers(paid()),
            Answers(paid()),
            Becomes(State::Refunding { refusal: None }, None),
        ),
        ("failed", failed(), Answers(declined()), Answers(declined()), Alert),
        ("cancelled", cancelled(), Answers(Fact::Cancelled), Answers(Fact::Cancelled), Alert),
        ("refunding", refunding(), Nothing, Nothing, Nothing),
        ("refunding, refused", refund_refused(), Nothing, Nothing, Answers(refused())),
        (
            "refunded",
            refunded(),
            Answers(money_refunded()),
            Answers(money_refunded()),
            Answers(money_refunded()),
        ),
    ];
    for (name, payment, on_request, on_cancel, on_refund) in &table {
        check(name, payment, &request(), on_request);
        check(name, payment, &cancel(), on_cancel);
        check(name, payment, &refund(), on_refund);
    }
}

#[test]
fn a_request_opens_the_payment() {
    assert_eq!(
        take(None, &request(), PAYMENT),
        Verdict::Changed(Box::new(PaymentRecord::Payment(open())), Some(requested()))
    );
}

#[test]
fn a_cancel_that_comes_first_leaves_a_tombstone_that_refuses_a_late_request() {
    let tombstone = PaymentRecord::Tombstone { booking_id: BOOKING, payment_id: PAYMENT };
    assert_eq!(
        take(None, &cancel(), PAYMENT),
        Verdict::Changed(Box::new(tombstone.clone()), Some(Fact::Cancelled))
    );
    let other = PaymentId(Uuid::nil());
    assert_eq!(take(Some(&tombstone), &request(), other), Verdict::Answered(Fact::Cancelled));
    assert_eq!(take(Some(&tombstone), &cancel(), other), Verdict::Answered(Fact::Cancelled));
    assert_eq!(take(Some(&tombstone), &refund(), other), Verdict::Alert);
}

#[test]
fn a_refund_of_nothing_alerts() {
    assert_eq!(take(None, &refund(), PAYMENT), Verdict::Alert);
}

#[test]
fn an_amount_that_cannot_be_charged_is_no_request() {
    let (user, pay_by) = (terms().user_id(), terms().pay_by());
    for amount in [i64::MIN, -1, 0, 100_000_000_000_000_001, i64::MAX] {
        assert!(Terms::new(user, rupiah(amount), pay_by).is_err(), "{amount}");
    }
    for amount in [1, 100_000_000_000_000_000] {
        assert!(Terms::new(user, rupiah(amount), pay_by).is_ok(), "{amount}");
    }
}
