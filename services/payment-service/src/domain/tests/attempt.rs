//! An intent that has captured: its money counts once, for the attempt that brought it.

use super::samples::{
    answered, at, attempt_id, declined, hard, open_after, processing, rupiah, soft,
};
use crate::domain::{AttemptOutcome, Fact, Outcome, Payment, State, start};

#[test]
fn money_that_an_earlier_attempt_has_brought_pays_no_later_one() {
    let started = start(&open_after(&[declined(soft())]), attempt_id(2), at(5), "tok");
    let started = started.expect("an attempt");
    let (late, _) = answered(&started, 1, &Outcome::Approved).expect("late money");
    let by_first = Outcome::AlreadyCaptured { by: Some(attempt_id(1)) };
    let (after, fact) = answered(&late, 2, &by_first).expect("a change");
    assert_eq!((after.state, fact), (State::Open, None));
    assert_eq!(after.captured, late.captured);
    assert!(matches!(after.attempts[1].outcome, Some(AttemptOutcome::Declined(_))));
}

#[test]
fn money_that_the_intent_has_captured_pays_the_attempt_that_brought_it_once() {
    use AttemptOutcome::{Approved, Declined, Reversed, Reversing, Voided};
    let succeeded = (State::Succeeded, Some(Fact::Succeeded { captured: rupiah(750_000) }));
    let gone = (State::Cancelled, Some(Fact::Cancelled));
    // the first attempt's outcome, cancel wanted, captured before, what captured → state and fact, both outcomes
    let late = Declined(hard("already_captured"));
    let back = Reversing { refusal: None };
    let table = [
        (declined(soft()), false, 0, 1, succeeded.clone(), [Approved, late.clone()]),
        (declined(soft()), true, 0, 1, succeeded.clone(), [Approved, late.clone()]),
        (Voided, true, 0, 1, succeeded.clone(), [Approved, late.clone()]),
        (declined(soft()), false, 0, 2, succeeded.clone(), [declined(soft()), Approved]),
        (declined(soft()), true, 0, 2, succeeded, [declined(soft()), Approved]),
        (back.clone(), false, 750_000, 1, (State::Open, None), [back.clone(), late.clone()]),
        (back.clone(), true, 750_000, 1, gone.clone(), [back, late.clone()]),
        (Reversed, true, 750_000, 1, gone, [Reversed, late]),
    ];
    for (first, cancel_wanted, captured, by, (state, expected), outcomes) in table {
        let open = open_after(std::slice::from_ref(&first));
        let running = processing(open, 2, cancel_wanted);
        let running = Payment { captured: rupiah(captured), ..running };
        let outcome = Outcome::AlreadyCaptured { by: Some(attempt_id(by)) };
        let case = format!("{first:?}, cancel wanted {cancel_wanted}, captured by {by}");
        let (after, fact) = answered(&running, 2, &outcome).expect("a change");
        assert_eq!((after.state, fact), (state, expected), "{case}");
        assert_eq!(
            (after.captured, after.version),
            (rupiah(750_000), running.version + 1),
            "{case}"
        );
        let noted = after.attempts.into_iter().filter_map(|attempt| attempt.outcome);
        assert_eq!(noted.collect::<Vec<_>>(), outcomes, "{case}");
    }
}
