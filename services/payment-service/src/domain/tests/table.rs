//! The payment table of the design, cell by cell: commands, attempts and the provider's answers.

use karcis_kernel::PaymentId;
use uuid::Uuid;

use super::samples::{
    BOOKING, PAYMENT, answered, at, attempt_id, cancel, cancelled, declined, failed, hard, open,
    open_after, processing, refund, refund_refused, refunded, refunding, request, rupiah, soft,
    succeeded, terms, transfer,
};
use crate::domain::{
    AttemptOutcome, Command, Decline, Fact, Outcome, Payment, PaymentRecord, StartRefusal, State,
    Terms, Verdict, start, take,
};

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

fn stolen_card() -> Fact {
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
        ("failed", failed(), Answers(stolen_card()), Answers(stolen_card()), Alert),
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

#[test]
fn an_attempt_starts_only_on_an_open_payment() {
    let softly = declined(soft());
    let cases = [
        ("open", open(), Ok(())),
        ("open, two left", open_after(std::slice::from_ref(&softly)), Ok(())),
        ("open, one left", open_after(&[softly.clone(), softly.clone()]), Ok(())),
        ("processing", processing(open(), 1, false), Err(StartRefusal::Unresolved)),
        ("processing, cancel wanted", processing(open(), 1, true), Err(StartRefusal::Unresolved)),
        ("succeeded", succeeded(), Err(StartRefusal::Paid)),
        ("failed", failed(), Err(StartRefusal::Closed)),
        ("cancelled", cancelled(), Err(StartRefusal::Closed)),
        ("refunding", refunding(), Err(StartRefusal::Closed)),
        ("refunded", refunded(), Err(StartRefusal::Closed)),
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

fn failed_with(code: &str) -> (State, Option<Fact>) {
    let decline_code = code.to_owned();
    (State::Failed { decline_code: code.to_owned() }, Some(Fact::Failed { decline_code }))
}

/// Money that came under a key that is none of ours.
const UNKNOWN_KEY: Outcome = Outcome::AlreadyCaptured { by: None };

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
        (0, true, Outcome::Approved, paid.clone()),
        (0, false, UNKNOWN_KEY, paid.clone()),
        (2, true, UNKNOWN_KEY, paid),
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
    for (before, cancel_wanted, outcome, (state, expected)) in table {
        let earlier = vec![declined(soft()); before];
        let number = before as u128 + 1;
        let payment = processing(open_after(&earlier), number, cancel_wanted);
        let case = format!("{before} before, cancel wanted {cancel_wanted}, {outcome:?}");
        let (after, fact) = answered(&payment, number, &outcome).expect("a change");
        assert_eq!((after.state, fact), (state, expected), "{case}");
        assert_eq!(after.version, payment.version + 1, "{case}");
        let came = matches!(outcome, Outcome::Approved | UNKNOWN_KEY);
        let captured = if came { 750_000 } else { 0 };
        assert_eq!((after.captured, after.refunded), (rupiah(captured), rupiah(0)), "{case}");
        let noted = match outcome {
            Outcome::Approved | UNKNOWN_KEY => AttemptOutcome::Approved,
            Outcome::Voided => AttemptOutcome::Voided,
            Outcome::Declined(decline) => AttemptOutcome::Declined(decline),
            _ => panic!("{case}: the attempt has no outcome"),
        };
        assert_eq!(after.attempts[before].outcome, Some(noted), "{case}");
    }
}

#[test]
fn an_unknown_outcome_and_an_unknown_attempt_change_nothing() {
    let payment = processing(open(), 1, true);
    assert_eq!(answered(&payment, 1, &Outcome::Unknown), None);
    assert_eq!(answered(&payment, 1, &Outcome::Pending), None);
    assert_eq!(answered(&payment, 8, &Outcome::Approved), None);
}

#[test]
fn a_repeated_answer_changes_nothing() {
    let no = Outcome::Declined(soft());
    for payment in [succeeded(), refunding(), refunded()] {
        let waits = Outcome::ActionRequired(transfer());
        let answers = [Outcome::Approved, Outcome::Voided, no.clone(), waits, Outcome::Pending];
        for outcome in answers.into_iter().chain([Outcome::Unknown]) {
            assert_eq!(answered(&payment, 1, &outcome), None, "{:?}", payment.state);
        }
    }
    for payment in [failed(), open_after(&[declined(soft())])] {
        let waits = Outcome::ActionRequired(transfer());
        for outcome in [Outcome::Voided, no.clone(), waits, Outcome::Pending, Outcome::Unknown] {
            assert_eq!(answered(&payment, 1, &outcome), None, "{:?}", payment.state);
        }
    }
}

#[test]
fn no_attempt_is_left_once_a_payment_has_ended() {
    let payments = [succeeded(), failed(), cancelled(), refunding(), refunded()];
    assert!(payments.iter().all(|payment| payment.attempts_left() == 0));
    assert_eq!((open().attempts_left(), processing(open(), 1, false).attempts_left()), (3, 2));
}

#[test]
fn what_the_buyer_has_to_do_is_shown_until_the_provider_says_otherwise() {
    let payment = processing(open(), 1, false);
    let waits = Outcome::ActionRequired(transfer());
    let (waiting, fact) = answered(&payment, 1, &waits).expect("a change");
    assert_eq!((&waiting.state, fact), (&payment.state, None));
    assert_eq!(waiting.version, payment.version + 1);
    assert_eq!(waiting.next_action(), Some(&transfer()));
    assert_eq!(answered(&waiting, 1, &waits), None);
    assert_eq!(answered(&waiting, 1, &Outcome::Unknown), None);

    let (pending, _) = answered(&waiting, 1, &Outcome::Pending).expect("a change");
    assert_eq!((pending.next_action(), &pending.state), (None, &payment.state));
    let ends = [Outcome::Approved, Outcome::Voided, Outcome::Declined(soft())];
    for outcome in ends {
        let (ended, _) = answered(&waiting, 1, &outcome).expect("a change");
        assert_eq!(ended.next_action(), None, "{outcome:?}");
        assert_eq!(ended.attempts[0].next_action, None, "{outcome:?}");
    }
}

#[test]
fn a_buyer_has_nothing_to_do_once_a_cancel_is_wanted() {
    let waits = Outcome::ActionRequired(transfer());
    let payment = processing(open(), 1, true);
    let (waiting, _) = answered(&payment, 1, &waits).expect("a change");
    assert_eq!(waiting.next_action(), None);
    assert_eq!(start(&waiting, attempt_id(2), at(5), "tok"), Err(StartRefusal::Unresolved));
}

/// Payments in every state whose first attempt has ended without money.
fn after_a_first_attempt() -> Vec<(&'static str, Payment)> {
    let first = || declined(soft());
    let paid = |state| {
        let outcomes = [first(), AttemptOutcome::Approved];
        Payment { state, captured: rupiah(750_000), ..open_after(&outcomes) }
    };
    let refused = State::Refunding { refusal: Some("account_closed".to_owned()) };
    vec![
        ("open", open_after(&[first()])),
        ("processing", processing(open_after(&[first()]), 2, false)),
        ("processing, cancel wanted", processing(open_after(&[first()]), 2, true)),
        ("succeeded", paid(State::Succeeded)),
        ("failed", failed()),
        ("cancelled", Payment { state: State::Cancelled, ..open_after(&[first()]) }),
        (
            "cancelled, voided",
            Payment { state: State::Cancelled, ..open_after(&[AttemptOutcome::Voided]) },
        ),
        ("refunding", paid(State::Refunding { refusal: None })),
        ("refunding, refused", paid(refused)),
        ("refunded", Payment { refunded: rupiah(750_000), ..paid(State::Refunded) }),
    ]
}

#[test]
fn every_late_answer_in_every_state() {
    let others = [
        Outcome::Declined(hard("expired_card")),
        UNKNOWN_KEY,
        Outcome::Voided,
        Outcome::ActionRequired(transfer()),
        Outcome::Pending,
        Outcome::Unknown,
    ];
    for (name, payment) in after_a_first_attempt() {
        for other in &others {
            assert_eq!(answered(&payment, 1, other), None, "{other:?} in {name}");
        }
        let (late, fact) = answered(&payment, 1, &Outcome::Approved).expect("a change");
        let captured = rupiah(payment.captured.amount + 750_000);
        assert_eq!((late.captured, late.refunded), (captured, payment.refunded), "{name}");
        let (state, noted, told) = if name == "open" {
            (State::Succeeded, AttemptOutcome::Approved, Some(paid()))
        } else {
            (payment.state.clone(), AttemptOutcome::Reversing { refusal: None }, None)
        };
        assert_eq!((&late.state, fact), (&state, told), "{name}");
        assert_eq!(late.attempts[0].outcome, Some(noted), "{name}");
        for again in others.iter().chain([&Outcome::Approved]) {
            assert_eq!(answered(&late, 1, again), None, "{again:?} again in {name}");
        }
    }
}

#[test]
fn every_command_after_late_money_does_what_it_did_before() {
    for (name, payment) in after_a_first_attempt().into_iter().filter(|(name, _)| *name != "open") {
        let (late, _) = answered(&payment, 1, &Outcome::Approved).expect("a change");
        for command in [request(), cancel(), refund()] {
            let does = |payment: &Payment| {
                let record = PaymentRecord::Payment(payment.clone());
                match take(Some(&record), &command, PAYMENT) {
                    Verdict::Changed(after, fact) => {
                        let after = after.into_payment().expect("a payment");
                        let money = (after.captured == payment.captured, after.refunded);
                        assert_eq!(after.attempts, payment.attempts, "{command:?} in {name}");
                        assert_eq!(money, (true, payment.refunded), "{command:?} in {name}");
                        Cell::Becomes(after.state, fact)
                    }
                    Verdict::Answered(fact) => Cell::Answers(fact),
                    Verdict::Unchanged => Cell::Nothing,
                    Verdict::Alert => Cell::Alert,
                }
            };
            assert_eq!(does(&late), does(&payment), "{command:?} in {name}");
        }
    }
}
