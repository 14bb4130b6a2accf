//! Attempts: when one may start, and every answer of the provider in every state.

use super::super::fixture::{
    at, attempt_id, cancelled, failed, hard, open, open_after, processing, refunded, refunding,
    rupiah, soft, succeeded,
};
use super::super::{Entry, GiveBack, owed, record_given_back};
use super::*;

fn declined(decline: Decline) -> AttemptOutcome {
    AttemptOutcome::Declined(decline)
}

#[test]
fn an_attempt_starts_only_on_an_open_payment() {
    let softly = declined(soft());
    let cases = [
        ("open", open(), Ok(())),
        ("open, two left", open_after(std::slice::from_ref(&softly)), Ok(())),
        ("open, one left", open_after(&[softly.clone(), softly.clone()]), Ok(())),
        ("processing", processing(open(), 1, false), Err(StartRefused::Unresolved)),
        ("processing, cancel wanted", processing(open(), 1, true), Err(StartRefused::Unresolved)),
        ("succeeded", succeeded(), Err(StartRefused::Paid)),
        ("failed", failed(), Err(StartRefused::Closed)),
        ("cancelled", cancelled(), Err(StartRefused::Closed)),
        ("refunding", refunding(), Err(StartRefused::Closed)),
        ("refunded", refunded(), Err(StartRefused::Closed)),
    ];
    for (name, payment, expected) in cases {
        let id = attempt_id(9);
        let started = start(&payment, id, at(5), "tok_approved");
        assert_eq!(started.as_ref().map(|_| ()).map_err(|why| *why), expected, "{name}");
        if let Ok(started) = started {
            assert_eq!(started.state, State::Processing { attempt: id, cancel_wanted: false });
            assert_eq!(started.version, payment.version + 1, "{name}");
            assert_eq!(started.attempts_left() + 1, payment.attempts_left(), "{name}");
            let last = started.attempts.last().expect("the attempt");
            assert_eq!((last.id, last.at, last.outcome.clone()), (id, at(5), None), "{name}");
            assert_eq!(last.method, "tok_approved");
        }
    }
}

/// The payment after the answer, or `None` where nothing changes.
fn answered(payment: &Payment, number: u128, outcome: &Outcome) -> Option<(Payment, Option<Fact>)> {
    match resolve(payment, attempt_id(number), outcome) {
        Verdict::Changed(entry, fact) => match *entry {
            Entry::Payment(payment) => Some((payment, fact)),
            Entry::Tombstone { .. } => panic!("an answer makes no tombstone"),
        },
        Verdict::Unchanged => None,
        other => panic!("an answer changes a payment or does not: {other:?}"),
    }
}

fn failed_with(code: &str) -> (State, Option<Fact>) {
    let decline_code = code.to_owned();
    (State::Failed { decline_code: code.to_owned() }, Some(Fact::Failed { decline_code }))
}

#[test]
fn every_answer_to_the_running_attempt() {
    let paid = (State::Succeeded, Some(Fact::Succeeded { captured: rupiah(750_000) }));
    let gone = (State::Cancelled, Some(Fact::Cancelled));
    let open_again = (State::Open, None);
    let no = |decline: Decline| Outcome::Declined(decline);
    // attempts declined before, cancel wanted, answer → state and fact
    let table = [
        (0, false, Outcome::Approved, paid.clone()),
        (2, false, Outcome::Approved, paid.clone()),
        (0, true, Outcome::Approved, paid),
        (0, false, Outcome::Voided, gone.clone()),
        (0, true, Outcome::Voided, gone.clone()),
        (0, false, no(soft()), open_again.clone()),
        (1, false, no(soft()), open_again.clone()),
        (2, false, no(soft()), failed_with("insufficient_funds")),
        (0, true, no(soft()), gone.clone()),
        (2, true, no(soft()), failed_with("insufficient_funds")),
        (0, false, no(hard("expired_card")), open_again),
        (0, true, no(hard("expired_card")), gone),
        (2, false, no(hard("expired_card")), failed_with("expired_card")),
        (0, false, no(hard("stolen_card")), failed_with("stolen_card")),
        (0, false, no(hard("lost_card")), failed_with("lost_card")),
        (0, true, no(hard("stolen_card")), failed_with("stolen_card")),
    ];
    for (before, cancel_wanted, outcome, (state, fact)) in table {
        let earlier = vec![declined(soft()); before];
        let number = before as u128 + 1;
        let payment = processing(open_after(&earlier), number, cancel_wanted);
        let case = format!("{before} before, cancel wanted {cancel_wanted}, {outcome:?}");
        let (after, told) = answered(&payment, number, &outcome).expect("a change");
        assert_eq!((after.state, told), (state, fact), "{case}");
        assert_eq!(after.version, payment.version + 1, "{case}");
        let captured = if outcome == Outcome::Approved { 750_000 } else { 0 };
        assert_eq!((after.captured, after.refunded), (rupiah(captured), rupiah(0)), "{case}");
        let noted = match outcome {
            Outcome::Approved => AttemptOutcome::Approved,
            Outcome::Voided => AttemptOutcome::Voided,
            Outcome::Declined(decline) => AttemptOutcome::Declined(decline),
            Outcome::Unknown => panic!("an unknown outcome is no answer"),
        };
        assert_eq!(after.attempts[before].outcome, Some(noted), "{case}");
    }
}

#[test]
fn an_unknown_outcome_and_an_unknown_attempt_change_nothing() {
    let payment = processing(open(), 1, true);
    assert_eq!(answered(&payment, 1, &Outcome::Unknown), None);
    assert_eq!(answered(&payment, 8, &Outcome::Approved), None);
}

#[test]
fn a_repeated_answer_changes_nothing() {
    let no = Outcome::Declined(soft());
    for payment in [succeeded(), refunding(), refunded()] {
        for outcome in [Outcome::Approved, Outcome::Voided, no.clone(), Outcome::Unknown] {
            assert_eq!(answered(&payment, 1, &outcome), None, "{:?}", payment.state);
        }
    }
    for payment in [failed(), open_after(&[declined(soft())])] {
        for outcome in [Outcome::Voided, no.clone(), Outcome::Unknown] {
            assert_eq!(answered(&payment, 1, &outcome), None, "{:?}", payment.state);
        }
    }
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
        let (late, told) = answered(&payment, 1, &Outcome::Approved).expect("a change");
        assert_eq!((&late.state, told), (&payment.state, None), "{name}");
        assert_eq!(late.captured.amount, payment.captured.amount + 750_000, "{name}");
        assert_eq!(late.attempts[0].outcome, Some(AttemptOutcome::Returning), "{name}");
        assert_eq!(answered(&late, 1, &Outcome::Approved), None, "{name}: told twice");

        let what = GiveBack::Return(attempt_id(1));
        assert_eq!(owed(&late), [(what, rupiah(750_000))], "{name}");
        let Verdict::Changed(entry, told) = record_given_back(&late, what) else {
            panic!("{name}: the return is not noted")
        };
        let back = entry.payment().expect("a payment").clone();
        assert_eq!(told, Some(Fact::Returned { returned: rupiah(750_000) }), "{name}");
        assert_eq!(back.state, payment.state, "{name}");
        assert_eq!(back.refunded.amount, payment.refunded.amount + 750_000, "{name}");
        assert_eq!(back.attempts[0].outcome, Some(AttemptOutcome::Returned), "{name}");
        assert_eq!(back.version, payment.version + 2, "{name}");
        assert_eq!(record_given_back(&back, what), Verdict::Unchanged, "{name}");
        assert_eq!(answered(&back, 1, &Outcome::Approved), None, "{name}: returned twice");
    }
}

#[test]
fn money_of_a_declined_attempt_pays_a_payment_that_is_still_open() {
    let payment = open_after(&[declined(soft())]);
    let (after, told) = answered(&payment, 1, &Outcome::Approved).expect("a change");
    assert_eq!(after.state, State::Succeeded);
    assert_eq!(told, Some(Fact::Succeeded { captured: rupiah(750_000) }));
    assert_eq!(owed(&after), []);
}

#[test]
fn a_refund_gives_back_what_paid_for_the_booking_and_only_once() {
    assert_eq!(owed(&refunding()), [(GiveBack::Refund, rupiah(750_000))]);
    let Verdict::Changed(entry, told) = record_given_back(&refunding(), GiveBack::Refund) else {
        panic!("the refund is not noted")
    };
    let after = entry.payment().expect("a payment").clone();
    assert_eq!(told, Some(Fact::Refunded { refunded: rupiah(750_000) }));
    assert_eq!((&after.state, after.refunded), (&State::Refunded, rupiah(750_000)));
    for payment in [open(), processing(open(), 1, true), succeeded(), failed(), cancelled(), after]
    {
        assert_eq!(owed(&payment), []);
        assert_eq!(record_given_back(&payment, GiveBack::Refund), Verdict::Unchanged);
    }
}

#[test]
fn each_give_back_has_a_key_of_its_own() {
    let booking = open().booking_id;
    assert_eq!(GiveBack::Refund.key(booking), format!("refund/{booking}"));
    let first = GiveBack::Return(attempt_id(1)).key(booking);
    assert_ne!(first, GiveBack::Return(attempt_id(2)).key(booking));
}

#[test]
fn no_attempt_is_left_once_a_payment_has_ended() {
    let payments = [succeeded(), failed(), cancelled(), refunding(), refunded()];
    assert!(payments.iter().all(|payment| payment.attempts_left() == 0));
    assert_eq!((open().attempts_left(), processing(open(), 1, false).attempts_left()), (3, 2));
}
