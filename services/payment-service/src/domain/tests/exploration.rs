//! What can happen to a payment one after another: every state that commands, attempts and the
//! provider's answers lead to in any order, and what becomes of money that goes back.

use std::collections::{HashSet, VecDeque};

use super::samples::{
    PAYMENT, answered, at, attempt_id, cancel, cancelled, declined, failed, hard, open, open_after,
    processing, refund, refund_refused, refunding, request, rupiah, soft, succeeded, transfer,
};
use crate::domain::{
    Attempt, AttemptOutcome, Fact, MAX_ATTEMPTS, Outcome, Payment, PaymentRecord, RefundKind,
    RefundOutcome, State, Verdict, due_refunds, record_refund, resolve, start, take,
};

const PRICE: i64 = 750_000;

/// All that can happen to this record next: what it becomes, with what happened.
fn next(record: Option<&PaymentRecord>) -> Vec<(String, PaymentRecord)> {
    let commands = [request(), cancel(), refund()];
    let mut verdicts: Vec<(String, Verdict)> = commands
        .iter()
        .map(|command| (format!("{command:?}"), take(record, command, PAYMENT)))
        .collect();
    if let Some(payment) = record.and_then(PaymentRecord::payment) {
        let new = attempt_id(payment.attempts.len() as u128 + 1);
        if let Ok(started) = start(payment, new, at(0), "tok") {
            verdicts.push(("start".to_owned(), Verdict::changed(started, None)));
        }
        verdicts.extend(answers(payment));
    }
    let changed = verdicts.into_iter().filter_map(|(input, verdict)| match verdict {
        Verdict::Changed(record, _) => Some((input, *record)),
        Verdict::Answered(_) | Verdict::Unchanged | Verdict::Alert => None,
    });
    changed.collect()
}

fn answers(payment: &Payment) -> Vec<(String, Verdict)> {
    let outcomes = [
        Outcome::Approved,
        Outcome::Declined(soft()),
        Outcome::Declined(hard("stolen_card")),
        Outcome::AlreadyCaptured { by: None },
        Outcome::AlreadyCaptured { by: payment.attempts.first().map(|attempt| attempt.id) },
        Outcome::Voided,
        Outcome::ActionRequired(transfer()),
        Outcome::Pending,
        Outcome::Unknown,
    ];
    let refunds = [
        RefundOutcome::Done,
        RefundOutcome::Pending,
        RefundOutcome::Refused { reason: "closed".to_owned() },
    ];
    let mut answers = Vec::new();
    for attempt in &payment.attempts {
        for outcome in &outcomes {
            let verdict = resolve(payment, attempt.id, outcome);
            check_late_answer(attempt, outcome, &verdict);
            answers.push((format!("{:?} {outcome:?}", attempt.id), verdict));
        }
    }
    let reversals = payment.attempts.iter().map(|attempt| RefundKind::Reversal(attempt.id));
    for kind in reversals.chain([RefundKind::Requested]) {
        for outcome in &refunds {
            let verdict = record_refund(payment, kind, outcome);
            answers.push((format!("{kind:?} {outcome:?}"), verdict));
        }
    }
    answers
}

/// Of an attempt that has ended only money matters that had not come, and no answer at all is no answer.
fn check_late_answer(attempt: &Attempt, outcome: &Outcome, verdict: &Verdict) {
    use AttemptOutcome::{Declined, Voided};
    let is_late = matches!(attempt.outcome, Some(Declined(_) | Voided));
    let may_change = match attempt.outcome {
        None => *outcome != Outcome::Unknown,
        Some(_) => is_late && *outcome == Outcome::Approved,
    };
    let changes = matches!(verdict, Verdict::Changed(..));
    assert!(may_change || !changes, "{outcome:?} of {attempt:?}: {verdict:?}");
    assert!(changes || !is_late || !may_change, "{outcome:?} of {attempt:?} is lost");
}

fn check(payment: &Payment) {
    let count = |is: fn(&AttemptOutcome) -> bool| {
        payment.attempts.iter().filter(|it| it.outcome.as_ref().is_some_and(is)).count() as i64
    };
    let approved = count(|it| *it == AttemptOutcome::Approved);
    let reversing = count(|it| matches!(it, AttemptOutcome::Reversing { .. }));
    let reversed = count(|it| *it == AttemptOutcome::Reversed);
    let refunded = i64::from(payment.state == State::Refunded);
    assert_eq!(payment.captured, rupiah(PRICE * (approved + reversing + reversed)), "{payment:?}");
    assert_eq!(payment.refunded, rupiah(PRICE * (refunded + reversed)), "{payment:?}");

    let paid =
        matches!(payment.state, State::Succeeded | State::Refunding { .. } | State::Refunded);
    assert_eq!(approved, i64::from(paid), "{payment:?}");
    let unresolved: Vec<_> = payment.attempts.iter().filter(|it| it.outcome.is_none()).collect();
    match payment.state {
        State::Processing { attempt, .. } => {
            assert!(unresolved.iter().map(|it| it.id).eq([attempt]), "{payment:?}");
        }
        _ => assert!(unresolved.is_empty(), "{payment:?}"),
    }
    let waits = payment.attempts.iter().filter(|it| it.next_action.is_some());
    assert!(waits.into_iter().all(|it| it.outcome.is_none()), "{payment:?}");
    assert!(payment.attempts.len() <= MAX_ATTEMPTS, "{payment:?}");
    let refunding = i64::from(matches!(payment.state, State::Refunding { .. }));
    assert_eq!(due_refunds(payment).len() as i64, reversing + refunding, "{payment:?}");
    let waits = reversing + refunding + unresolved.len() as i64 > 0;
    assert_eq!(payment.needs_provider(), waits, "{payment:?}");
}

/// Money that has come is never forgotten, and a payment that has ended stays so.
fn check_step(input: &str, before: &Payment, after: &Payment) {
    assert_eq!(after.version, before.version + 1, "{input}: {before:?}");
    assert!(after.captured.amount >= before.captured.amount, "{input}: {before:?}");
    assert!(after.refunded.amount >= before.refunded.amount, "{input}: {before:?}");
    let stays = match &before.state {
        State::Failed { .. } | State::Cancelled | State::Refunded => after.state == before.state,
        State::Succeeded => matches!(after.state, State::Succeeded | State::Refunding { .. }),
        State::Refunding { .. } => {
            matches!(after.state, State::Refunding { .. } | State::Refunded)
        }
        State::Open | State::Processing { .. } => true,
    };
    assert!(stays, "{input}: {before:?} became {after:?}");
}

/// Names a state: the record whatever its version.
fn state(record: &PaymentRecord) -> String {
    match record {
        PaymentRecord::Payment(payment) => {
            format!("{:?}", Payment { version: 0, ..payment.clone() })
        }
        PaymentRecord::Tombstone { .. } => format!("{record:?}"),
    }
}

#[test]
fn nothing_that_can_happen_loses_or_doubles_money() {
    let mut seen = HashSet::new();
    let mut due: VecDeque<Option<PaymentRecord>> = VecDeque::from([None]);
    while let Some(before) = due.pop_front() {
        for (input, after) in next(before.as_ref()) {
            if let Some(payment) = after.payment() {
                check(payment);
                if let Some(before) = before.as_ref().and_then(PaymentRecord::payment) {
                    check_step(&input, before, payment);
                }
            }
            if seen.insert(state(&after)) {
                due.push_back(Some(after));
            }
        }
    }
    assert_eq!(seen.len(), 635);
}

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
fn a_refused_refund_is_published_once_and_asked_for_again() {
    let requested = RefundKind::Requested;
    let fact = Fact::RefundRefused { reason: "account_closed".to_owned() };
    let waiting = Payment { version: refunding().version + 1, ..refund_refused() };
    assert_eq!(refused(&refunding(), requested), Verdict::changed(waiting.clone(), fact));
    assert_eq!(due_refunds(&waiting), [(requested, rupiah(750_000))]);
    assert_eq!(refused(&waiting, requested), Verdict::Unchanged);
    // The provider has given the money back after all.
    let Verdict::Changed(record, fact) = done(&waiting, requested) else {
        panic!("the refund is not recorded")
    };
    assert_eq!(record.payment().expect("a payment").state, State::Refunded);
    assert_eq!(fact, Some(Fact::Refunded { refunded: rupiah(750_000) }));
}

#[test]
fn a_refused_reversal_is_not_published_and_asked_for_again() {
    let kind = RefundKind::Reversal(attempt_id(1));
    let (late, _) = answered(&voided(), 1, &Outcome::Approved).expect("a change");
    let Verdict::Changed(record, fact) = refused(&late, kind) else {
        panic!("the refusal is not recorded")
    };
    let waiting = record.payment().expect("a payment").clone();
    assert_eq!((&waiting.state, fact), (&State::Cancelled, None));
    assert_eq!(due_refunds(&waiting), [(kind, rupiah(750_000))]);
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
    assert_eq!(RefundKind::Requested.key(booking, 0), format!("refund/{booking}"));
    let first = RefundKind::Reversal(attempt_id(1)).key(booking, 0);
    assert_ne!(first, RefundKind::Reversal(attempt_id(2)).key(booking, 0));
}
