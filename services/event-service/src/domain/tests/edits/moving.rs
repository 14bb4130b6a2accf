//! An event that moves opens its refunds again.

use karcis_kernel::Timestamp;

use crate::domain::{tests::samples::*, *};

const DAY: i64 = 24 * 3_600;

/// Published and booked, with refunds until then.
fn booked(until: Option<i64>, after_start: bool) -> Event {
    let mut plan = plan();
    plan.details.refundable_until = until.map(at);
    plan.details.refundable_after_start = after_start;
    plan.publish = true;
    let mut event = Event::create(plan, at(NOW)).expect("a valid event");
    sold(&mut event, &[(VIP, 2)]);
    event
}

fn to_start(time: i64) -> EventUpdate {
    EventUpdate { starts_at: Some(at(time)), ..EventUpdate::default() }
}

fn to_venue(name: &str) -> EventUpdate {
    let venue = Some(Venue::try_from(name.to_owned()).expect("a venue"));
    EventUpdate { venue, ..EventUpdate::default() }
}

fn until(change: Option<i64>) -> EventUpdate {
    EventUpdate { refundable_until: Some(change.map(at)), ..EventUpdate::default() }
}

fn after(event: &Event, update: EventUpdate, time: i64) -> Event {
    event.update(update, at(time)).expect("allowed").expect("changed")
}

fn refundable(event: &Event) -> Timestamp {
    event.details.refundable_until()
}

#[test]
fn buyers_have_a_week_from_each_move_but_not_beyond_the_new_start() {
    let past = Some(NOW - DAY);
    let elsewhere = || to_venue("Gelora Bung Karno");
    let cases = [
        ("postponed", past, false, to_start(START + 300 * DAY), NOW + 7 * DAY),
        ("a second later", past, false, to_start(START + 1), NOW + 7 * DAY),
        ("brought forward", past, false, to_start(NOW + 9 * DAY), NOW + 7 * DAY),
        ("to the day after tomorrow", past, false, to_start(NOW + 2 * DAY), NOW + 2 * DAY),
        ("elsewhere", past, false, elsewhere(), NOW + 7 * DAY),
        (
            "elsewhere and soon",
            past,
            false,
            EventUpdate { starts_at: Some(at(NOW + DAY)), ..elsewhere() },
            NOW + DAY,
        ),
        ("open for longer anyway", Some(NOW + 8 * DAY), false, to_start(START * 2), NOW + 8 * DAY),
        ("never set: until the new start", None, false, to_start(START * 2), START * 2),
        ("never set, and soon", None, false, to_start(NOW + 2 * DAY), NOW + 2 * DAY),
        ("never set, elsewhere", None, false, elsewhere(), START),
        ("set after the start", Some(START + DAY), true, to_start(START + 9), START + DAY),
        ("set after the new start", Some(NOW + 3 * DAY), true, to_start(NOW + DAY), NOW + 3 * DAY),
        ("could be after the start", past, true, to_start(NOW + 2 * DAY), NOW + 2 * DAY),
        ("not beyond what he set", Some(NOW + DAY), true, to_start(NOW + 4 * DAY), NOW + 4 * DAY),
    ];
    for (case, set, after_start, update, refunds_until) in cases {
        let event = booked(set, after_start);
        let moved = after(&event, update.clone(), NOW);
        assert_eq!(refundable(&moved), at(refunds_until), "{case}");
        let unbooked = Event { booked: false, ..event };
        let start = update.starts_at.unwrap_or(at(START));
        let as_set = set.map_or(start, at);
        assert_eq!(refundable(&after(&unbooked, update, NOW)), as_set, "{case}: nobody to tell");
    }
}

#[test]
fn other_edits_open_nothing() {
    let set = NOW - DAY;
    let renamed = EventUpdate { title: Some(title("Konser II")), ..EventUpdate::default() };
    let ends = EventUpdate { ends_at: Some(Some(at(START + DAY))), ..EventUpdate::default() };
    let zone =
        EventUpdate { time_zone: Some(TimeZone::named("Asia/Makassar")), ..EventUpdate::default() };
    let limit = EventUpdate { max_per_buyer: Some(per_buyer(4)), ..EventUpdate::default() };
    for update in [renamed, ends, zone, limit, until(Some(set - DAY))] {
        let before = booked(Some(set), false);
        let edited = after(&before, update.clone(), NOW);
        assert_eq!(edited.details.reopened_until, None, "{update:?}");
        assert!(refundable(&edited) <= at(set), "{update:?}");
    }
    let same = EventUpdate { venue: to_venue("Istora").venue, ..to_start(START) };
    assert_eq!(booked(Some(set), false).update(same, at(NOW)), Ok(None));
    let draft = draft().update(to_start(START + DAY), at(NOW)).expect("allowed").expect("changed");
    assert_eq!(draft.details.reopened_until, None);
}

#[test]
fn what_was_promised_stays_open_whatever_the_organiser_edits_later() {
    let moved = after(&booked(Some(NOW - DAY), false), to_venue("Gelora Bung Karno"), NOW);
    let promised = at(NOW + 7 * DAY);
    let back = after(&moved, to_venue("Istora"), NOW + 60);
    assert_eq!(refundable(&back), at(NOW + 60 + 7 * DAY), "a move back is a move");
    for (case, update) in [
        ("to the past", until(Some(NOW - 2 * DAY))),
        ("to tomorrow", until(Some(NOW + DAY))),
        ("to the start", until(None)),
    ] {
        let edited = after(&moved, update, NOW + DAY);
        assert!(refundable(&edited) >= promised, "{case}");
        let closed = edited.update(until(Some(NOW - 3 * DAY)), at(NOW + DAY));
        assert_eq!(refundable(&closed.expect("allowed").expect("changed")), promised, "{case}");
    }
    let later = after(&moved, until(Some(NOW + 9 * DAY)), NOW + DAY);
    assert_eq!(refundable(&later), at(NOW + 9 * DAY), "more than was promised");

    // A start that comes nearer ends them, one that goes away again lets them go on.
    let soon = after(&moved, to_start(NOW + 3 * DAY), NOW + DAY);
    assert_eq!(refundable(&soon), at(NOW + 3 * DAY));
    let postponed = after(&soon, to_start(START * 3), NOW + 2 * DAY);
    assert_eq!(refundable(&postponed), at(NOW + 9 * DAY));
}

#[test]
fn an_event_that_has_moved_is_sent_back_as_it_was_shown_without_an_edit() {
    let shown = |event: &Event| until(Some(refundable(event).timestamp()));
    for set in [None, Some(NOW - DAY), Some(NOW + DAY), Some(START)] {
        for start in [NOW + 2 * DAY, START + 300 * DAY] {
            let Ok(Some(moved)) = booked(set, true).update(to_start(start), at(NOW)) else {
                panic!("{set:?} {start}");
            };
            assert_eq!(moved.update(shown(&moved), at(NOW + 1)), Ok(None), "{set:?} {start}");
            let whole = EventUpdate { starts_at: Some(at(start + DAY)), ..shown(&moved) };
            let again = after(&moved, whole, NOW + DAY);
            assert_eq!(
                again.details.refundable_until,
                set.map(at),
                "what he set stays as he set it"
            );
        }
    }
}

/// Of two updates one after the other, of every kind, each at any time: what the buyers have.
#[test]
fn every_pair_of_edits_keeps_a_week_from_every_move() {
    let dates = [NOW - DAY, NOW + 2 * DAY, NOW + 6 * DAY, NOW + 20 * DAY];
    let mut edits: Vec<EventUpdate> = Vec::new();
    edits.extend(dates.map(to_start));
    edits.extend(dates.map(|date| until(Some(date))));
    edits.extend([until(None), to_venue("Gelora Bung Karno"), to_venue("Istora")]);
    edits.push(EventUpdate { title: Some(title("Konser II")), ..EventUpdate::default() });
    let times = [NOW, NOW + DAY, NOW + 3 * DAY];
    let (mut moves, mut refused) = (0, 0);
    for set in dates.map(Some).into_iter().chain([None]) {
        for after_start in [false, true] {
            let mut plan = plan();
            plan.details.refundable_until = set.map(at);
            plan.details.refundable_after_start = after_start;
            plan.publish = true;
            let Ok(mut event) = Event::create(plan, at(NOW)) else { continue };
            held(&mut event, &[(VIP, 1)]);
            for (first, second) in
                edits.iter().flat_map(|one| edits.iter().map(move |two| (one, two)))
            {
                for (one, two) in
                    times.iter().flat_map(|one| times.iter().map(move |two| (*one, *two)))
                {
                    let (mut event, mut promised) = (event.clone(), None);
                    for (update, time) in [(first, one), (second, one.max(two))] {
                        match event.update(update.clone(), at(time)) {
                            Ok(None) => continue,
                            Ok(Some(after)) => {
                                if after.details.moved_from(&event.details) {
                                    (promised, moves) = (Some(at(time + 7 * DAY)), moves + 1);
                                }
                                event = after;
                            }
                            Err(_) => refused += 1,
                        }
                        assert_eq!(refundable(&event), expected(&event.details, promised));
                    }
                }
            }
        }
    }
    assert!(moves > 5_000 && refused > 1_000, "{moves} moves, {refused} refused");
}

/// DESIGN's words: the later of what the organiser set, or the start, and a week from the last move,
/// which is not beyond the start; or, if he may set a time after the start, not beyond the later of both.
fn expected(details: &Details, promised: Option<Timestamp>) -> Timestamp {
    let set = details.refundable_until.unwrap_or(details.starts_at);
    let limit =
        if details.refundable_after_start { details.starts_at.max(set) } else { details.starts_at };
    promised.map_or(set, |promised| set.max(promised.min(limit)))
}
