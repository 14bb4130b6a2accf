//! Every order of commands of three bookings for a small event, with duplicates.

use std::collections::{HashSet, VecDeque};

use super::*;

type Holds = [Option<Hold>; 3];

const SEATS: [&[(karcis_kernel::TicketTypeId, u32)]; 3] =
    [&[(VIP, 2)], &[(VIP, 1), (LAWN, 1)], &[(LAWN, 1)]];

#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve(usize),
    Confirm(usize),
    Release(usize),
    Cancel,
}

#[test]
fn every_reachable_state_adds_up_and_repeating_a_command_changes_nothing() {
    let mut event = published();
    event.ticket_types[0].stock = Stock::new(2);
    event.ticket_types[1].stock = Stock::new(1);
    let start = (event, [None, None, None]);
    let mut seen = HashSet::from([summary(&start)]);
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        check_sums(&state);
        for step in steps() {
            let (next, answer) = take(&state, step);
            let (again, same_answer) = take(&next, step);
            assert_eq!((&again, &same_answer), (&next, &answer), "{step:?} twice");
            check_final(&state, &next);
            if seen.insert(summary(&next)) {
                open.push_back(next);
            }
        }
    }
    assert!(seen.len() > 150, "only {} states were reached", seen.len());
}

fn steps() -> impl Iterator<Item = Step> {
    (0..3)
        .flat_map(|i| [Step::Reserve(i), Step::Confirm(i), Step::Release(i)])
        .chain([Step::Cancel])
}

fn take((event, holds): &(Event, Holds), step: Step) -> ((Event, Holds), Option<Answer>) {
    let (mut event, mut holds) = (event.clone(), holds.clone());
    let decided = match step {
        Step::Reserve(i) => {
            let request = asks(SEATS[i]);
            let hold = holds[i].as_ref();
            Some((i, reserve(Some(&mut event), hold, free_of_limits(), &request, at(NOW))))
        }
        Step::Confirm(i) => {
            let decision = confirm(Some(&mut event), holds[i].as_ref(), &mut codes());
            Some((i, decision.expect("in balance")))
        }
        Step::Release(i) => {
            let decision = release(Some(&mut event), holds[i].as_ref());
            Some((i, decision.expect("in balance")))
        }
        Step::Cancel => {
            let reason = CancelReason::try_from("rain".to_owned()).expect("a reason");
            event = event.cancel(reason).unwrap_or(event);
            None
        }
    };
    let answer = decided.map(|(i, decision)| {
        if let Some(hold) = decision.hold {
            holds[i] = Some(hold);
        }
        decision.answer
    });
    ((event, holds), answer)
}

/// The stock says what the holds say.
fn check_sums((event, holds): &(Event, Holds)) {
    for ticket_type in &event.ticket_types {
        let (mut in_held, mut in_sold) = (0, 0);
        for hold in holds.iter().flatten() {
            let of_type = |reservation: &Reservation| -> u32 {
                reservation.seats().filter(|(id, _)| *id == ticket_type.id).map(|(_, n)| n).sum()
            };
            match hold {
                Hold::Held(reservation) => in_held += of_type(reservation),
                Hold::Sold(reservation, tickets) => {
                    in_sold += of_type(reservation);
                    let seats: u32 = reservation.seats().map(|(_, n)| n).sum();
                    assert_eq!(tickets.len() as u32, seats, "one ticket a seat");
                }
                Hold::Released | Hold::Rejected(_) => {}
            }
        }
        let stock = ticket_type.stock;
        assert_eq!((stock.held(), stock.sold()), (in_held, in_sold));
        assert_eq!(stock.free() + stock.held() + stock.sold(), stock.capacity());
    }
}

/// Released and rejected are for good, and nothing becomes unsold but by a release.
fn check_final((_, before): &(Event, Holds), (_, after): &(Event, Holds)) {
    for (before, after) in before.iter().zip(after) {
        match before {
            Some(Hold::Released | Hold::Rejected(_)) => assert_eq!(before, after),
            Some(Hold::Sold(..)) => {
                assert!(after == before || *after == Some(Hold::Released));
            }
            Some(Hold::Held(_)) | None => {}
        }
    }
}

fn summary((event, holds): &(Event, Holds)) -> String {
    let stocks: Vec<_> = event.ticket_types.iter().map(|t| t.stock).collect();
    let cancelled = matches!(event.stage, Stage::Cancelled(_));
    format!("{stocks:?} {cancelled} {holds:?}")
}
