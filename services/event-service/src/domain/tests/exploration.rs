//! Every order of commands of three bookings, and of edits of their event, with duplicates.

use std::collections::{HashSet, VecDeque};

use karcis_kernel::{Currency, Money, TicketCode, TicketTypeId, UserId};

use super::samples::*;
use crate::domain::*;

const OTHER_BUYER: UserId = UserId(uuid(8));
/// Two bookings are of one buyer, who may have one unpaid hold.
const BOOKINGS: [(UserId, &[(TicketTypeId, u32)]); 3] =
    [(BUYER, &[(VIP, 2)]), (BUYER, &[(VIP, 1), (LAWN, 1)]), (OTHER_BUYER, &[(LAWN, 1)])];
const MAX_UNPAID: u32 = 1;
/// One seat fewer than both of them together.
const MAX_PER_BUYER: i64 = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve(usize),
    Confirm(usize),
    Release(usize),
    Capacity(i64),
    Price(i64),
    Close(bool),
    PerBuyer(Option<i64>),
    Publish,
    Unpublish,
    Cancel,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    event: Event,
    holds: [Option<Hold>; 3],
    /// How many codes were drawn.
    codes: u128,
}

/// What tells states apart: not the event's version, which only counts, and not the codes.
type Key = (u8, Option<PerBuyer>, Vec<(Stock, bool, i64)>, [(u8, Option<RejectReason>, i64); 3]);

#[test]
fn every_reachable_state_adds_up_and_repeating_a_step_changes_nothing() {
    let mut event = published();
    event.ticket_types[0].stock = Stock::new(2);
    event.ticket_types[1].stock = Stock::new(1);
    let start = State { event, holds: [None, None, None], codes: 0 };
    let mut seen = HashSet::from([key(&start)]);
    let mut reasons = HashSet::new();
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        check_state(&state);
        for step in steps() {
            let (next, reply) = take(&state, step);
            let (again, same_reply) = take(&next, step);
            assert_eq!((&again, &same_reply), (&next, &reply), "{step:?} twice");
            check_step(&state, step, &next);
            if let Some(Reply::Rejected(reason)) = reply {
                reasons.insert(reason);
            }
            if seen.insert(key(&next)) {
                open.push_back(next);
            }
        }
    }
    use RejectReason::*;
    let reached = [
        EventNotFound,
        EventCancelled,
        SalesClosed,
        OverLimit,
        PriceChanged,
        TooManyHolds,
        SoldOut,
    ];
    assert_eq!(reasons, HashSet::from(reached));
    assert_eq!(seen.len(), 15632, "a rule has changed: is each new or lost state meant?");
}

fn steps() -> impl Iterator<Item = Step> {
    let commands = (0..3).flat_map(|i| [Step::Reserve(i), Step::Confirm(i), Step::Release(i)]);
    commands.chain([
        Step::Capacity(1),
        Step::Capacity(2),
        Step::Price(500_000),
        Step::Close(true),
        Step::Close(false),
        Step::PerBuyer(Some(MAX_PER_BUYER)),
        Step::PerBuyer(None),
        Step::Publish,
        Step::Unpublish,
        Step::Cancel,
    ])
}

fn take(state: &State, step: Step) -> (State, Option<Reply>) {
    let mut next = state.clone();
    let hold = |i: usize| state.holds[i].as_ref();
    let (i, decision) = match step {
        Step::Reserve(i) => {
            let (user_id, seats) = BOOKINGS[i];
            let buyer = BuyerHolds {
                unpaid: unpaid(state, user_id),
                max_unpaid: MAX_UNPAID,
                seats: seats_of(state, user_id),
            };
            // The first of them was told the first price.
            let expected_total = (i == 0).then(|| Money::new(1_500_000, Currency::Idr));
            let request = Reserve { user_id, expected_total, ..request(seats) };
            (i, reserve(Some(&mut next.event), hold(i), buyer, &request, at(NOW)))
        }
        Step::Confirm(i) => {
            let mut mint = || {
                next.codes += 1;
                TicketCode::from_bits(next.codes)
            };
            let decision = confirm(Some(&mut next.event), hold(i), &mut mint);
            (i, decision.expect("the stock matches"))
        }
        Step::Release(i) => {
            let decision = release(Some(&mut next.event), hold(i));
            (i, decision.expect("the stock matches"))
        }
        edit => {
            let edited = edited(&state.event, edit);
            return (State { event: edited.unwrap_or(next.event), ..next }, None);
        }
    };
    if decision.hold.is_some() {
        next.holds[i] = decision.hold;
    }
    (next, Some(decision.reply))
}

/// `None`: refused, or nothing to change.
fn edited(event: &Event, step: Step) -> Option<Event> {
    let vip = unchanged(VIP);
    let update = |change| {
        let ticket_types = vec![TicketTypeEdit::Change(change)];
        event.update(EventUpdate { ticket_types, ..EventUpdate::default() }, at(NOW))
    };
    match step {
        Step::Capacity(seats) => {
            let after = update(TicketTypeUpdate { capacity: Some(capacity(seats)), ..vip });
            let stock = event.ticket_types[0].stock;
            let taken = stock.held() + stock.sold();
            let cancelled = event.stage.cancel_reason().is_some();
            let refused =
                seats < i64::from(taken) || (cancelled && seats != i64::from(stock.capacity()));
            assert_eq!(after.is_err(), refused, "{stock:?}");
            after.ok()?
        }
        Step::Price(amount) => {
            let price = Some(price(amount, Currency::Idr));
            update(TicketTypeUpdate { price, ..vip }).ok()?
        }
        Step::Close(closed) => {
            update(TicketTypeUpdate { closed: Some(closed), ..unchanged(LAWN) }).ok()?
        }
        Step::PerBuyer(limit) => {
            let max_per_buyer = Some(limit.and_then(per_buyer));
            event.update(EventUpdate { max_per_buyer, ..EventUpdate::default() }, at(NOW)).ok()?
        }
        Step::Publish => event.publish(at(NOW)).ok()?,
        Step::Unpublish => event.unpublish(at(NOW)).ok()?,
        _ => event.cancel(CancelReason::try_from("rain".to_owned()).expect("a reason")),
    }
}

fn unpaid(state: &State, buyer: UserId) -> u32 {
    let held = |hold: &&Hold| matches!(hold, Hold::Held(r) if r.user_id == buyer);
    state.holds.iter().flatten().filter(held).count() as u32
}

/// The seats that the buyer holds or has bought.
fn seats_of(state: &State, buyer: UserId) -> u32 {
    let holds = state.holds.iter().flatten().filter_map(|hold| match hold {
        Hold::Held(r) | Hold::Sold(r, _) if r.user_id == buyer => Some(r.seat_count()),
        _ => None,
    });
    holds.sum()
}

/// The stock is what the holds say, each seat sold has a code of its own, and nobody has more
/// unpaid holds than allowed.
fn check_state(state: &State) {
    for ticket_type in &state.event.ticket_types {
        let seats = |reservation: &Reservation| -> u32 {
            reservation.seats().filter(|(id, _)| *id == ticket_type.id).map(|(_, n)| n).sum()
        };
        let (mut held, mut sold) = (0, 0);
        for hold in state.holds.iter().flatten() {
            match hold {
                Hold::Held(reservation) => held += seats(reservation),
                Hold::Sold(reservation, _) => sold += seats(reservation),
                Hold::Released | Hold::Rejected(_) => {}
            }
        }
        let stock = ticket_type.stock;
        assert_eq!((stock.held(), stock.sold()), (held, sold));
        assert_eq!(stock.free() + stock.held() + stock.sold(), stock.capacity());
    }
    let mut codes = HashSet::new();
    for hold in state.holds.iter().flatten() {
        let Hold::Sold(reservation, tickets) = hold else { continue };
        let seats: u32 = reservation.seats().map(|(_, n)| n).sum();
        assert_eq!(tickets.len() as u32, seats, "one ticket for each seat");
        assert!(tickets.iter().all(|ticket| codes.insert(ticket.code.bits())), "codes differ");
    }
    for buyer in [BUYER, OTHER_BUYER] {
        assert!(unpaid(state, buyer) <= MAX_UNPAID);
    }
    let booked = state.holds.iter().flatten().any(|h| matches!(h, Hold::Held(_) | Hold::Sold(..)));
    assert!(state.event.booked || !booked);
    assert!(state.event.stage != Stage::Draft || !state.event.booked, "buyers see their event");
}

/// Commands change one hold and no more of the event than its stock; edits change no hold. A hold
/// goes one way, keeps what it promised, and draws its codes once.
fn check_step(before: &State, step: Step, after: &State) {
    if let (Step::Reserve(i), Some(limit)) = (step, after.event.details.max_per_buyer)
        && after.holds != before.holds
        && matches!(after.holds[i], Some(Hold::Held(_)))
    {
        assert!(seats_of(after, BOOKINGS[i].0) <= limit.get(), "the buyer has more than allowed");
    }
    let seats_to_draw = match (step, after.codes == before.codes) {
        (Step::Confirm(i), false) => match (&before.holds[i], &after.holds[i]) {
            (Some(Hold::Held(_)), Some(Hold::Sold(_, tickets))) => tickets.len(),
            drawn => panic!("codes were drawn: {drawn:?}"),
        },
        _ => 0,
    };
    assert_eq!(after.codes, before.codes + seats_to_draw as u128, "{step:?}");
    let (is_edit, own) = match step {
        Step::Reserve(i) | Step::Confirm(i) | Step::Release(i) => (false, Some(i)),
        _ => (true, None),
    };
    let edits = after.event.version - before.event.version;
    assert!(edits == 0 || (is_edit && edits == 1), "{step:?}");
    for (i, (before, after)) in before.holds.iter().zip(&after.holds).enumerate() {
        if own != Some(i) {
            assert_eq!(before, after, "{step:?} changes the hold of another booking");
        }
        match (before, after) {
            (before, after) if before == after => {}
            (None, Some(Hold::Held(_) | Hold::Rejected(_) | Hold::Released)) => {}
            (Some(Hold::Held(promised)), Some(Hold::Sold(sold, _))) => assert_eq!(promised, sold),
            (Some(Hold::Held(_) | Hold::Sold(..)), Some(Hold::Released)) => {}
            other => panic!("{step:?}: {other:?}"),
        }
    }
}

fn key(state: &State) -> Key {
    let stage = match state.event.stage {
        Stage::Draft => 0,
        Stage::Published => 1 + u8::from(state.event.booked),
        Stage::Cancelled(_) => 3 + u8::from(state.event.booked),
        Stage::CancelledDraft(_) => 5,
    };
    let types = state.event.ticket_types.iter();
    let types = types.map(|t| (t.stock, t.closed, t.price.money().amount)).collect();
    let holds = state.holds.each_ref().map(|hold| match hold {
        None => (0, None, 0),
        Some(Hold::Held(promised)) => (1, None, promised.total.amount),
        Some(Hold::Sold(promised, _)) => (2, None, promised.total.amount),
        Some(Hold::Released) => (3, None, 0),
        Some(Hold::Rejected(reason)) => (4, Some(*reason), 0),
    });
    (stage, state.event.details.max_per_buyer, types, holds)
}
