//! Refunds and reversals: each goes back once, and a refusal waits for an operator.

use super::samples::{
    answered, attempt_id, cancelled, declined, failed, open, open_after, processing,
    refund_refused, refunding, rupiah, soft, succeeded,
};
use crate::domain::{
    AttemptOutcome, Fact, Outcome, Payment, RefundKind, RefundOutcome, State, Verdict, due_refunds,
    record_refund,
};

fn done(payment: &Payment, kind: RefundKind) -> Verdict {
    record_refund(payment, kind, &RefundOutcome::Done)
}

fn refused(payment: &Payment, kind: RefundKind) -> Verdict {
    let reason = "account_closed".to_owned();
    record_refund(payment, kind, &RefundOutcome::Refused { reason })
}

fn voided() -> Payment {
    Payment { state: State::Cancelled, ..open_after(&[AttemptOutcome::Voided]) }
}

/// Paid by the second attempt; the first was declined.
fn paid_by_the_second() -> Payment {
    let outcomes = [declined(soft()), AttemptOutcome::Approved];
    Payment { state: State::Succeeded, captured: rupiah(750_000), ..open_after(&outcomes) }
}

#[test]
fn money_that_comes_too_late_or_twice_goes_back_once() {
    let running = processing(open_after(&[declined(soft())]), 2, false);
    let twice_refunded =
        Payment { state: State::Refunded, refunded: rupiah(750_000), ..paid_by_the_second() };
    for payment in [voided(), failed(), paid_by_the_second(), running, twice_refunded] {
        let name = format!("{:?}", payment.state);
        let (late, fact) = answered(&payment, 1, &Outcome::Approved).expect("a change");
        assert_eq!((&late.state, fact), (&payment.state, None), "{name}");
        assert_eq!(late.captured.amount, payment.captured.amount + 750_000, "{name}");
        assert_eq!(
            late.attempts[0].outcome,
            Some(AttemptOutcome::Reversing { refusal: None }),
            "{name}"
        );
        assert_eq!(answered(&late, 1, &Outcome::Approved), None, "{name}: reversed twice");

        let kind = RefundKind::Reversal(attempt_id(1));
        assert_eq!(due_refunds(&late), [(kind, rupiah(750_000))], "{name}");
        let Verdict::Changed(record, fact) = done(&late, kind) else {
            panic!("{name}: the reversal is not recorded")
        };
        let back = record.payment().expect("a payment").clone();
        assert_eq!(fact, Some(Fact::Reversed { reversed: rupiah(750_000) }), "{name}");
        assert_eq!(back.state, payment.state, "{name}");
        assert_eq!(back.refunded.amount, payment.refunded.amount + 750_000, "{name}");
        assert_eq!(back.attempts[0].outcome, Some(AttemptOutcome::Reversed), "{name}");
        assert_eq!(back.version, payment.version + 2, "{name}");
        assert_eq!(done(&back, kind), Verdict::Unchanged, "{name}");
        assert_eq!(answered(&back, 1, &Outcome::Approved), None, "{name}: captured twice");
    }
}

#[test]
fn money_of_a_declined_attempt_pays_a_payment_that_is_still_open() {
    let payment = open_after(&[declined(soft())]);
    let (after, fact) = answered(&payment, 1, &Outcome::Approved).expect("a change");
    assert_eq!(after.state, State::Succeeded);
    assert_eq!(fact, Some(Fact::Succeeded { captured: rupiah(750_000) }));
    assert_eq!(due_refunds(&after), []);
}

#[test]
fn a_refund_gives_back_what_paid_for_the_booking_and_only_once() {
    assert_eq!(due_refunds(&refunding()), [(RefundKind::Requested, rupiah(750_000))]);
    let Verdict::Changed(record, fact) = done(&refunding(), RefundKind::Requested) else {
        panic!("the refund is not recorded")
    };
    let after = record.payment().expect("a payment").clone();
    assert_eq!(fact, Some(Fact::Refunded { refunded: rupiah(750_000) }));
    assert_eq!((&after.state, after.refunded), (&State::Refunded, rupiah(750_000)));
    for payment in [open(), processing(open(), 1, true), succeeded(), failed(), cancelled(), after]
    {
        assert_eq!(due_refunds(&payment), []);
        assert_eq!(done(&payment, RefundKind::Requested), Verdict::Unchanged);
    }
}

#[test]
fn a_refused_refund_is_published_once_and_waits_for_an_operator() {
    let requested = RefundKind::Requested;
    let fact = Fact::RefundRefused { reason: "account_closed".to_owned() };
    let waiting = Payment { version: refunding().version + 1, ..refund_refused() };
    assert_eq!(refused(&refunding(), requested), Verdict::changed(waiting.clone(), fact));
    assert_eq!(due_refunds(&waiting), []);
    assert_eq!(refused(&waiting, requested), Verdict::Unchanged);
    // The provider has given the money back after all.
    let Verdict::Changed(record, fact) = done(&waiting, requested) else {
        panic!("the refund is not recorded")
    };
    assert_eq!(record.payment().expect("a payment").state, State::Refunded);
    assert_eq!(fact, Some(Fact::Refunded { refunded: rupiah(750_000) }));
}

#[test]
fn a_refused_reversal_is_not_published_and_waits_for_an_operator() {
    let kind = RefundKind::Reversal(attempt_id(1));
    let (late, _) = answered(&voided(), 1, &Outcome::Approved).expect("a change");
    let Verdict::Changed(record, fact) = refused(&late, kind) else {
        panic!("the refusal is not recorded")
    };
    let waiting = record.payment().expect("a payment").clone();
    assert_eq!((&waiting.state, fact), (&State::Cancelled, None));
    assert_eq!(due_refunds(&waiting), []);
    assert_eq!(refused(&waiting, kind), Verdict::Unchanged);
    assert!(matches!(done(&waiting, kind), Verdict::Changed(_, Some(Fact::Reversed { .. }))));
}

#[test]
fn a_refund_that_is_pending_changes_nothing() {
    let pending = record_refund(&refunding(), RefundKind::Requested, &RefundOutcome::Pending);
    assert_eq!(pending, Verdict::Unchanged);
}

#[test]
fn each_refund_has_a_key_of_its_own() {
    let booking = open().booking_id;
    assert_eq!(RefundKind::Requested.key(booking), format!("refund/{booking}"));
    let first = RefundKind::Reversal(attempt_id(1)).key(booking);
    assert_ne!(first, RefundKind::Reversal(attempt_id(2)).key(booking));
}
