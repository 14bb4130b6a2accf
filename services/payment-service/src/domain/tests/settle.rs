//! What an operator's settlement does in each state, cell by cell.

use super::samples::{
    cancelled, failed, hard, open, open_after, processing, refund_refused, refunded, refunding,
    soft, succeeded,
};
use crate::domain::{
    AttemptId, AttemptOutcome, Fact, Outcome, Payment, PaymentRecord, RefundKind, RefundOutcome,
    Settlement, State, Verdict, record_refund, resolve, settle,
};

/// Cancelled, and the money of its attempt is to go back.
fn reversing(refusal: Option<&str>) -> Payment {
    let refusal = refusal.map(str::to_owned);
    let attempts = open_after(&[AttemptOutcome::Reversing { refusal }]).attempts;
    Payment { state: State::Cancelled, attempts, ..succeeded() }
}

/// Refused twice: a refund, and the reversal of an earlier attempt.
fn refused_twice() -> Payment {
    let refusal = Some("account_closed".to_owned());
    let outcomes = [AttemptOutcome::Reversing { refusal }, AttemptOutcome::Approved];
    Payment { attempts: open_after(&outcomes).attempts, ..refund_refused() }
}

/// The state after the verdict, how the last attempt ended, how much went back, and the fact.
fn show(verdict: &Verdict) -> String {
    let Verdict::Changed(record, fact) = verdict else {
        assert_eq!(*verdict, Verdict::Unchanged);
        return "–".to_owned();
    };
    let PaymentRecord::Payment(payment) = &**record else { panic!("no tombstone") };
    let mut text = payment.state.status().as_str().to_owned();
    let first = payment.attempts.first().and_then(|attempt| attempt.outcome.as_ref());
    let last = payment.attempts.last().and_then(|attempt| attempt.outcome.as_ref());
    text += &format!(" {}", last.map_or("none", |outcome| outcome.kind().as_str()));
    if let Some(AttemptOutcome::Reversing { refusal }) = first {
        text += if refusal.is_some() { " refused" } else { " asked" };
    }
    if let State::Refunding { refusal } = &payment.state {
        text += if refusal.is_some() { ", refused" } else { ", asked" };
    }
    match fact {
        None => text,
        Some(Fact::Succeeded { .. }) => text + " + Succeeded",
        Some(Fact::Failed { decline_code }) => text + &format!(" + Failed({decline_code})"),
        Some(Fact::Cancelled) => text + " + Cancelled",
        Some(Fact::Refunded { .. }) => text + " + Refunded",
        Some(Fact::Reversed { .. }) => text + " + Reversed",
        Some(other) => panic!("{other:?}"),
    }
}

/// A payment's name, the payment, and what each settlement makes of it, in the order of
/// [`Settlement::ALL`]: approved, declined, voided, refunded, ask_again.
type Row = (&'static str, Payment, [&'static str; 5]);

fn table() -> Vec<Row> {
    let two = || open_after(&[AttemptOutcome::Declined(soft()), AttemptOutcome::Declined(soft())]);
    let nothing = ["–"; 5];
    vec![
        ("open", open(), nothing),
        (
            "processing",
            processing(open(), 1, false),
            [
                "succeeded approved + Succeeded",
                "open declined",
                "cancelled voided + Cancelled",
                "–",
                "–",
            ],
        ),
        (
            "processing, cancel wanted",
            processing(open(), 1, true),
            [
                "succeeded approved + Succeeded",
                "cancelled declined + Cancelled",
                "cancelled voided + Cancelled",
                "–",
                "–",
            ],
        ),
        (
            "processing, the last attempt",
            processing(two(), 3, false),
            [
                "succeeded approved + Succeeded",
                "failed declined + Failed(settled_by_operator)",
                "cancelled voided + Cancelled",
                "–",
                "–",
            ],
        ),
        ("succeeded", succeeded(), nothing),
        ("failed", failed(), nothing),
        ("cancelled", cancelled(), nothing),
        ("refunding", refunding(), nothing),
        (
            "refunding, refused",
            refund_refused(),
            ["–", "–", "–", "refunded approved + Refunded", "refunding approved, asked"],
        ),
        ("refunded", refunded(), nothing),
        ("a reversal that is asked for", reversing(None), nothing),
        (
            "a reversal that is refused",
            reversing(Some("account_closed")),
            ["–", "–", "–", "cancelled returned + Reversed", "cancelled returning asked"],
        ),
        (
            "a refund and a reversal that are refused",
            refused_twice(),
            [
                "–",
                "–",
                "–",
                "refunded approved refused + Refunded",
                "refunding approved refused, asked",
            ],
        ),
    ]
}

#[test]
fn every_settlement_in_every_state_is_the_providers_own_answer_or_nothing() {
    for (name, payment, cells) in &table() {
        for (settlement, expected) in Settlement::ALL.into_iter().zip(cells) {
            let verdict = settle(payment, settlement, None, false);
            assert_eq!(show(&verdict), *expected, "{name} × {settlement:?}");
        }
    }
}

#[test]
fn money_that_comes_after_an_attempt_was_settled_as_declined_still_counts() {
    let waiting = processing(open(), 1, false);
    let Verdict::Changed(record, _) = settle(&waiting, Settlement::Declined, None, false) else {
        panic!("it was open")
    };
    let PaymentRecord::Payment(declined) = *record else { panic!("no tombstone") };
    let id = declined.attempts[0].id;
    let late = resolve(&declined, id, &Outcome::Approved);
    assert_eq!(show(&late), "succeeded approved + Succeeded");
    // What the provider says later of one that was settled otherwise changes nothing.
    let paid = settle(&waiting, Settlement::Approved, None, false);
    let Verdict::Changed(record, _) = paid else { panic!("it was open") };
    let PaymentRecord::Payment(paid) = *record else { panic!("no tombstone") };
    for outcome in [Outcome::Voided, Outcome::Approved, Outcome::Declined(hard("lost_card"))] {
        assert_eq!(resolve(&paid, id, &outcome), Verdict::Unchanged);
    }
    let by_hand = settle(&refund_refused(), Settlement::Refunded, None, false);
    let Verdict::Changed(record, _) = by_hand else { panic!("it was refused") };
    let PaymentRecord::Payment(by_hand) = *record else { panic!("no tombstone") };
    let again = record_refund(&by_hand, RefundKind::Requested, &RefundOutcome::Done);
    assert_eq!(again, Verdict::Unchanged, "money goes back once");
}

#[test]
fn a_settlement_of_one_attempt_or_reversal_is_of_no_other() {
    let waiting = processing(open(), 2, false);
    let State::Processing { attempt, .. } = waiting.state else { panic!("it waits") };
    let other = AttemptId(uuid::Uuid::from_u128(99));
    let twice = refused_twice();
    let reversal = twice.attempts[0].id;
    for (payment, settlement, of, expected) in [
        (&waiting, Settlement::Declined, attempt, "open declined"),
        (&waiting, Settlement::Declined, other, "–"),
        (&twice, Settlement::Refunded, reversal, "refunding approved, refused + Reversed"),
        (&twice, Settlement::Refunded, other, "–"),
    ] {
        assert_eq!(show(&settle(payment, settlement, Some(of), false)), expected, "{of:?}");
    }
}

#[test]
fn only_a_refund_that_the_provider_does_not_answer_or_refuses_is_made_by_hand() {
    let by_hand =
        |is_unanswered| show(&settle(&refunding(), Settlement::Refunded, None, is_unanswered));
    assert_eq!(by_hand(false), "–");
    assert_eq!(by_hand(true), "refunded approved + Refunded");
    let again = settle(&refund_refused(), Settlement::AskAgain, None, false);
    let Verdict::Changed(record, None) = again else { panic!("it was refused") };
    let PaymentRecord::Payment(again) = *record else { panic!("no tombstone") };
    let key =
        |payment: &Payment| RefundKind::Requested.key(payment.booking_id, payment.asked_again);
    assert_ne!(key(&again), key(&refund_refused()), "Stripe would repeat its answer");
}
