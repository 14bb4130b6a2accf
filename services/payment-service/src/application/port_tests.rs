//! What every implementation of the ports does, as functions that its tests call: for Postgres in
//! `adapters/postgres`, for stores in memory in `tools/simulation`. Each wants a store without payments.

use std::{collections::HashSet, time::Duration};

use karcis_database::{KeyUse, PrivilegedAct, RequestKey};
use karcis_kernel::{BookingId, Currency, Money, PaymentId, Timestamp, UserId};
use uuid::Uuid;

use super::{
    ask_again::{AskError, ask_again},
    ports::{Change, Claimed, Payments, ReleasedClaim, UnsettledPayments, WaitingPayments},
    settle_attempt::Settling,
    take_commands::{ArrivedCommand, take_commands},
    unit_of_work::decide_one,
};
use crate::domain::{
    AttemptId, Command, Decline, DeclineKind, Outcome, Payment, PaymentRecord, RefundKind,
    RefundOutcome, Settlement, Terms, Verdict, record_refund, resolve, start,
};

const BUYER: UserId = UserId(Uuid::from_u128(3));
const ATTEMPT: AttemptId = AttemptId(Uuid::from_u128(4));

fn noon() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().expect("a time")
}

fn booking(number: u128) -> BookingId {
    BookingId(Uuid::from_u128(number))
}

fn request(number: u128) -> Command {
    let amount = Money::new(100, Currency::Idr);
    let terms = Terms::new(BUYER, amount, noon() + Duration::from_secs(900)).expect("valid terms");
    Command::Request { booking_id: booking(number), terms }
}

async fn take(payments: &dyn Payments, command: Command) {
    let new_id = PaymentId(Uuid::from_u128(command.booking_id().0.as_u128() << 8));
    let taken = take_commands(payments, &[ArrivedCommand { command, new_id }]).await;
    assert_eq!(taken.expect("the store answers").open, Vec::<usize>::new());
}

async fn loaded(payments: &dyn Payments, number: u128) -> Payment {
    let record = payments.load(&[booking(number)]).await.expect("the store answers").one();
    record.expect("it is readable").and_then(PaymentRecord::into_payment).expect("it is there")
}

fn change(before: Payment, after: Payment, keys: Vec<KeyUse>) -> Change {
    let (before, after) = (Some(PaymentRecord::Payment(before)), PaymentRecord::Payment(after));
    Change { before, after, facts: vec![], keys, act: None }
}

fn started(payment: &Payment) -> Payment {
    start(payment, ATTEMPT, noon(), "tok_approved").expect("it can be paid")
}

async fn commit(payments: &dyn Payments, changes: Vec<Change>) -> HashSet<BookingId> {
    payments.commit(changes).await.expect("the store answers")
}

/// The first booking's attempt is approved.
async fn pay(payments: &dyn Payments, attempt: AttemptId) {
    let tried = loaded(payments, 1).await;
    let approved = resolve(&tried, attempt, &Outcome::Approved);
    apply(payments, tried, approved).await;
}

async fn apply(payments: &dyn Payments, before: Payment, verdict: Verdict) {
    let Verdict::Changed(after, _) = verdict else { panic!("it changes nothing") };
    let after = after.into_payment().expect("it is a payment");
    assert_eq!(commit(payments, vec![change(before, after, vec![])]).await, HashSet::new());
}

fn act(action: &'static str) -> PrivilegedAct {
    let (subject, reason) = (booking(1).0, Some("the provider says so".to_owned()));
    PrivilegedAct { actor: Some(BUYER), action, subject, detail: None, reason }
}

async fn settle(payments: &dyn Payments, settlement: Settlement) {
    let (booking_id, of, is_unanswered) = (booking(1), None, false);
    let settling =
        Settling { booking_id, settlement, of, is_unanswered, act: act("settle_payment") };
    decide_one(payments, settling).await.expect("there is something open");
}

fn released(version: i64, looked_up: Option<Timestamp>) -> ReleasedClaim {
    ReleasedClaim { booking_id: booking(1), version, looked_up, unanswered: None }
}

async fn claim(payments: &dyn WaitingPayments) -> Vec<BookingId> {
    let claimed = claim_both(payments).await.into_iter();
    claimed.map(|claimed| claimed.payment.booking_id).collect()
}

async fn claim_both(payments: &dyn WaitingPayments) -> Vec<Claimed> {
    let mut claimed = payments.claim(false, 10).await.expect("the store answers");
    claimed.extend(payments.claim(true, 10).await.expect("the store answers"));
    claimed
}

/// What is committed is loaded, and what was changed since it was loaded is not written.
pub async fn a_change_is_written_if_nothing_came_between(payments: &dyn Payments) {
    take(payments, request(1)).await;
    take(payments, Command::Cancel { booking_id: booking(2) }).await;
    let tombstone = payments.load(&[booking(2)]).await.expect("the store answers").one();
    let tombstone = tombstone.expect("it is readable").expect("it is there");
    assert!(tombstone.payment().is_none());
    let again = Change { before: None, after: tombstone, facts: vec![], keys: vec![], act: None };
    assert_eq!(commit(payments, vec![again]).await, HashSet::from([booking(2)]), "it is not new");

    let open = loaded(payments, 1).await;
    let tried = started(&open);
    let first = change(open.clone(), tried.clone(), vec![]);
    assert_eq!(commit(payments, vec![first.clone()]).await, HashSet::new());
    assert_eq!(loaded(payments, 1).await, tried);
    assert_eq!(commit(payments, vec![first]).await, HashSet::from([booking(1)]), "it came between");
    assert_eq!(loaded(payments, 1).await, tried);
}

/// A key starts one attempt within a day.
pub async fn a_key_starts_one_attempt(payments: &dyn Payments) {
    take(payments, request(1)).await;
    take(payments, request(2)).await;
    let key = |used_at| KeyUse {
        key: RequestKey { user_id: BUYER, key: "key".to_owned() },
        fingerprint: vec![1],
        subject: Some(ATTEMPT.0),
        used_at,
    };
    for (number, conflicts) in [(1, HashSet::new()), (2, HashSet::from([booking(2)]))] {
        let open = loaded(payments, number).await;
        let with_key = change(open.clone(), started(&open), vec![key(noon())]);
        assert_eq!(commit(payments, vec![with_key]).await, conflicts);
    }
    assert_eq!(loaded(payments, 2).await.attempts, [], "nothing of it is stored");

    let asked = [key(noon()).key];
    let used = payments.key_uses(&asked, noon()).await.expect("the store answers");
    assert_eq!(used, [key(noon())]);
    let tomorrow = noon() + Duration::from_secs(24 * 60 * 60);
    let used = payments.key_uses(&asked, tomorrow).await.expect("the store answers");
    assert_eq!(used, [], "it has expired");
    assert!(!payments.answered_processing(&asked[0]).await.expect("the store answers"));
    payments.mark_answered_processing(&asked[0]).await.expect("the store answers");
    assert!(payments.answered_processing(&asked[0]).await.expect("the store answers"));
}

/// Those that need the provider are claimed once they are due, each by one.
pub async fn who_needs_the_provider_is_claimed(payments: &dyn WaitingPayments) {
    take(payments, request(1)).await;
    assert_eq!(claim(payments).await, [], "it needs nothing");
    let open = loaded(payments, 1).await;
    commit(payments, vec![change(open.clone(), started(&open), vec![])]).await;
    assert_eq!(claim(payments).await, [], "the request that started it asks first");
    take(payments, Command::Cancel { booking_id: booking(1) }).await;
    assert_eq!(claim(payments).await, [booking(1)], "it is to be voided at once");
    assert_eq!(claim(payments).await, [], "somebody asks");

    pay(payments, ATTEMPT).await;
    assert_eq!(claim(payments).await, [], "it has an outcome");
    take(payments, Command::Refund { booking_id: booking(1) }).await;
    assert_eq!(claim(payments).await, [booking(1)], "money is to go back at once");
    let version = loaded(payments, 1).await.version;
    payments.release(&[released(version, None)]).await.expect("the store answers");
    assert_eq!(claim(payments).await, [], "it is asked again later");
}

/// What an operator settles is asked about at once: whether an attempt that was ended has brought money after
/// all, and the refund that is to be asked for again.
pub async fn what_an_operator_settles_is_asked_about_at_once(payments: &dyn WaitingPayments) {
    take(payments, request(1)).await;
    let open = loaded(payments, 1).await;
    commit(payments, vec![change(open.clone(), started(&open), vec![])]).await;
    assert_eq!(claim(payments).await, [], "somebody asks");
    settle(payments, Settlement::Declined).await;
    let claimed = claim_both(payments).await;
    let [declined] = &claimed[..] else { panic!("it is asked about") };
    assert!(declined.look_up);
    let version = declined.payment.version;
    payments.release(&[released(version, Some(declined.until))]).await.expect("the store answers");
    assert_eq!(claim(payments).await, [], "it was looked up");

    let second = AttemptId(Uuid::from_u128(5));
    let open = loaded(payments, 1).await;
    let tried = start(&open, second, noon(), "tok_approved").expect("it can be paid");
    commit(payments, vec![change(open, tried, vec![])]).await;
    pay(payments, second).await;
    take(payments, Command::Refund { booking_id: booking(1) }).await;
    assert_eq!(claim(payments).await, [booking(1)], "money is to go back at once");
    let refunding = loaded(payments, 1).await;
    let refused = RefundOutcome::Refused { reason: "account_closed".to_owned() };
    let refused = record_refund(&refunding, RefundKind::Requested, &refused);
    apply(payments, refunding, refused).await;
    assert_eq!(claim(payments).await, [], "it is asked for again later");
    settle(payments, Settlement::AskAgain).await;
    assert_eq!(claim(payments).await, [booking(1)], "it is asked for again at once");
}

/// A payment that ends after an attempt was declined is asked about at once, as its intent is open.
pub async fn a_payment_that_leaves_its_intent_open_is_looked_up(payments: &dyn WaitingPayments) {
    take(payments, request(1)).await;
    let open = loaded(payments, 1).await;
    commit(payments, vec![change(open.clone(), started(&open), vec![])]).await;
    let tried = loaded(payments, 1).await;
    let decline = Decline { kind: DeclineKind::Soft, code: "insufficient_funds".to_owned() };
    let declined = resolve(&tried, ATTEMPT, &Outcome::Declined(decline));
    apply(payments, tried, declined).await;
    assert_eq!(claim(payments).await, [], "it can still be paid");
    take(payments, Command::Cancel { booking_id: booking(1) }).await;
    let claimed = claim_both(payments).await;
    let [cancelled] = &claimed[..] else { panic!("it is asked about") };
    assert!(cancelled.look_up);
}

/// What an operator wants asked is asked at once, about attempts that have ended too.
pub async fn what_an_operator_wants_asked_is_asked_at_once(payments: &dyn WaitingPayments) {
    take(payments, request(1)).await;
    let act = act("ask_provider");
    let untried = ask_again(payments, booking(1), act.clone()).await;
    assert!(matches!(untried, Err(AskError::NothingTried)), "it was never asked for money");
    let open = loaded(payments, 1).await;
    commit(payments, vec![change(open.clone(), started(&open), vec![])]).await;
    pay(payments, ATTEMPT).await;
    assert_eq!(claim(payments).await, [], "it has an outcome");
    let before = loaded(payments, 1).await;
    let after = ask_again(payments, booking(1), act).await.expect("it was tried");
    assert_eq!((after.state, after.attempts), (before.state, before.attempts));
    let claimed = claim_both(payments).await;
    let [paid] = &claimed[..] else { panic!("it is asked about") };
    assert!(paid.look_up);
}

async fn left_open(payments: &dyn UnsettledPayments, before: Timestamp) -> Vec<String> {
    let open = payments.unsettled(before, None, 10).await.expect("the store answers").into_iter();
    open.map(|it| format!("{} {}", it.what, it.refusal.unwrap_or_default())).collect()
}

/// What the provider leaves open is listed once it is old or was asked for twice, and an operator keeps others
/// from asking meanwhile. Each act is recorded as it was.
pub async fn what_the_provider_leaves_open_is_listed_and_held(
    payments: &(impl UnsettledPayments + WaitingPayments),
) {
    let hold = async || payments.hold(booking(1)).await.expect("the store answers");
    assert_eq!(hold().await, None, "there is no payment");
    take(payments, request(1)).await;
    assert_eq!(hold().await, Some(false));
    let open = loaded(payments, 1).await;
    commit(payments, vec![change(open.clone(), started(&open), vec![])]).await;
    assert_eq!(hold().await, None, "the request that started it asks");
    assert_eq!(left_open(payments, noon()).await, ["attempt "]);
    let earlier = noon() - Duration::from_secs(1);
    assert_eq!(left_open(payments, earlier).await, [""; 0], "it has begun just now");

    pay(payments, ATTEMPT).await;
    take(payments, Command::Refund { booking_id: booking(1) }).await;
    assert_eq!(claim(payments).await, [booking(1)]);
    let refunding = loaded(payments, 1).await;
    let unanswered = || {
        let unanswered = Some("no answer".to_owned());
        [ReleasedClaim { unanswered, ..released(refunding.version, None) }]
    };
    payments.release(&unanswered()).await.expect("the store answers");
    assert_eq!(left_open(payments, noon()).await, [""; 0], "it was asked for once");
    payments.release(&unanswered()).await.expect("the store answers");
    assert_eq!(left_open(payments, noon()).await, ["refund no answer"]);
    let refused = RefundOutcome::Refused { reason: "account_closed".to_owned() };
    let refused = record_refund(&refunding, RefundKind::Requested, &refused);
    apply(payments, refunding.clone(), refused).await;
    assert_eq!(left_open(payments, noon()).await, ["refund account_closed"]);

    let is_recorded = async |action| payments.is_recorded(&act(action)).await.expect("it answers");
    assert!(!is_recorded("settle_payment").await);
    settle(payments, Settlement::AskAgain).await;
    assert!(is_recorded("settle_payment").await && !is_recorded("ask_provider").await);
    assert_eq!(hold().await, Some(true), "nobody asks now, and it had no answer");
    assert_eq!(hold().await, None, "an operator has it");
    assert_eq!(claim(payments).await, [], "an operator has it");
}
