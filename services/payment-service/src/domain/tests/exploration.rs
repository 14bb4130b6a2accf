//! Every state that commands, attempts and the provider's answers can lead to, in any order.

use std::collections::{HashSet, VecDeque};

use super::samples::{
    PAYMENT, at, attempt_id, cancel, hard, refund, request, rupiah, soft, transfer,
};
use crate::domain::{
    AttemptOutcome, MAX_ATTEMPTS, Outcome, Payment, PaymentRecord, RefundKind, RefundOutcome,
    State, Verdict, due_refunds, record_refund, resolve, start, take,
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
        Outcome::Voided,
        Outcome::ActionRequired(transfer()),
        Outcome::Pending,
        Outcome::Unknown,
    ];
    let refunds = [RefundOutcome::Done, RefundOutcome::Refused { reason: "closed".to_owned() }];
    let mut answers = Vec::new();
    for attempt in &payment.attempts {
        for outcome in &outcomes {
            let verdict = resolve(payment, attempt.id, outcome);
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
    assert!(due_refunds(payment).len() as i64 <= reversing + 1, "{payment:?}");
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
    assert_eq!(seen.len(), 429);
}
