//! Dates that must fit each other, whichever of them an update changes.

use karcis_kernel::Timestamp;

use crate::domain::{tests::samples::*, *};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// From START for three days; VIP is sold from NOW until the second evening, refunds are given
/// until a day before it starts.
fn festival() -> Event {
    let mut plan = plan();
    plan.details.ends_at = Some(at(START + 3 * DAY));
    plan.details.refundable_until = Some(at(START - DAY));
    plan.ticket_types[0].sales_start = Some(at(NOW));
    plan.ticket_types[0].sales_end = Some(at(START + 2 * DAY));
    plan.publish = true;
    Event::create(plan, at(NOW)).expect("a festival sells while it runs")
}

fn moved(starts_at: i64) -> EventUpdate {
    EventUpdate { starts_at: Some(at(starts_at)), ..EventUpdate::default() }
}

fn of_vip(update: TicketTypeUpdate) -> EventUpdate {
    EventUpdate { ticket_types: vec![TicketTypeEdit::Change(update)], ..EventUpdate::default() }
}

fn errors(event: &Event, update: EventUpdate, time: i64) -> Vec<FieldError> {
    match event.update(update, at(time)) {
        Err(UpdateRefusal::Invalid(errors)) => errors,
        other => panic!("{other:?}"),
    }
}

/// The text of a time, as problems show it.
fn text(time: i64) -> String {
    format!("{:?}", at(time))
}

#[test]
fn each_update_names_the_date_that_no_longer_fits_and_both_times() {
    let sold_until = |time| TicketTypeUpdate { sales_end: Some(Some(at(time))), ..unchanged(VIP) };
    let sold_from = |time| TicketTypeUpdate { sales_start: Some(Some(at(time))), ..unchanged(VIP) };
    let cases = [
        ("later than it ends", moved(START + 4 * DAY), "ends_at", START + 3 * DAY, START + 4 * DAY),
        (
            "earlier than the last refund",
            moved(START - 2 * DAY),
            "refundable_until",
            START - DAY,
            START - 2 * DAY,
        ),
        (
            "refunds after the start",
            EventUpdate { refundable_until: Some(Some(at(START + 1))), ..Default::default() },
            "refundable_until",
            START + 1,
            START,
        ),
        (
            "ends before the sale does",
            EventUpdate { ends_at: Some(Some(at(START + DAY))), ..Default::default() },
            "ticket_types[0].sales_end",
            START + 2 * DAY,
            START + DAY,
        ),
        (
            "has no end any more",
            EventUpdate { ends_at: Some(None), ..Default::default() },
            "ticket_types[0].sales_end",
            START + 2 * DAY,
            START,
        ),
        (
            "sold after the end",
            of_vip(sold_until(START + 3 * DAY + 1)),
            "ticket_types[0].sales_end",
            START + 3 * DAY + 1,
            START + 3 * DAY,
        ),
        (
            "sold from when it is sold no more",
            of_vip(sold_from(START + 2 * DAY)),
            "ticket_types[0].sales_end",
            START + 2 * DAY,
            START + 2 * DAY,
        ),
    ];
    for (case, update, field, one, other) in cases {
        let errors = errors(&festival(), update, NOW);
        assert_eq!(errors.len(), 1, "{case}: {errors:?}");
        assert_eq!(errors[0].field, field, "{case}");
        for time in [one, other] {
            assert!(errors[0].message.contains(&text(time)), "{case}: {errors:?}");
        }
    }
}

#[test]
fn a_ticket_type_has_its_index_in_the_request_or_its_name_and_the_events_if_none_is_listed() {
    let mut event = festival();
    event.ticket_types.swap(0, 1);
    let shorter = EventUpdate { ends_at: Some(Some(at(START + DAY))), ..Default::default() };
    let field = |update| errors(&event, update, NOW).swap_remove(0).field;
    assert_eq!(field(shorter.clone()), "ticket_types[1].sales_end");
    let with = |id| EventUpdate {
        ticket_types: vec![TicketTypeEdit::Change(unchanged(id))],
        ..shorter.clone()
    };
    assert_eq!(field(with(VIP)), "ticket_types[0].sales_end");
    let other = errors(&event, with(event.ticket_types[0].id), NOW).swap_remove(0);
    assert_eq!(other.field, "ticket_types");
    assert!(other.message.starts_with("sales_end of \"VIP\": give a time"), "{other:?}");
}

#[test]
fn a_published_event_is_not_moved_to_where_it_is_over() {
    for (case, time) in [("long ago", 10), ("just now", NOW)] {
        let errors = errors(&published(), moved(time), NOW);
        assert_eq!(
            errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(),
            ["starts_at"],
            "{case}"
        );
        for time in [time, NOW] {
            assert!(errors[0].message.contains(&text(time)), "{case}: {errors:?}");
        }
    }
    let ends = |time| EventUpdate { ends_at: Some(Some(at(time))), ..EventUpdate::default() };
    let going_on = START + HOUR;
    let fields = |event: &Event, update, now| {
        let errors = errors(event, update, now);
        errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
    };
    let festival = published_until(START + DAY);
    assert_eq!(fields(&festival, moved(10), NOW), ["starts_at"], "though it ends in time to come");
    let (opened, endless) =
        (moved(going_on - 1), EventUpdate { ends_at: Some(None), ..Default::default() });
    assert_eq!(fields(&festival, opened, going_on), ["starts_at"]);
    assert_eq!(fields(&festival, endless, going_on), ["ends_at"], "it would be over by now");
    let both = EventUpdate { ends_at: Some(Some(at(20))), ..moved(10) };
    assert_eq!(fields(&festival, both, NOW), ["starts_at", "ends_at"]);
    let longer = ends(START + 2 * DAY);
    assert!(festival.update(longer, at(going_on)).is_ok(), "it goes on");
    assert_eq!(errors(&published_until(START + DAY), ends(going_on), going_on)[0].field, "ends_at");

    assert!(published().update(moved(NOW + 1), at(NOW)).is_ok(), "a time to come");
    assert!(draft().update(moved(10), at(NOW)).is_ok(), "nobody sees a draft");
    let renamed = EventUpdate { title: Some(title("Konser, 2036")), ..EventUpdate::default() };
    assert!(published().update(renamed, at(START + 1)).is_ok(), "it is over, but was not moved");
    let postponed = published().update(moved(START * 2), at(START + 1)).expect("allowed");
    assert_eq!(postponed.expect("changed").status(at(START + 1)), Status::Published);
}

fn published_until(end: i64) -> Event {
    let mut plan = plan();
    (plan.publish, plan.details.ends_at) = (true, Some(at(end)));
    Event::create(plan, at(NOW)).expect("a valid event")
}

#[test]
fn what_was_never_set_follows_the_event_even_if_it_is_sent_back_as_it_was_shown() {
    let shown = |event: &Event| EventUpdate {
        refundable_until: Some(Some(event.details.refundable_until())),
        ticket_types: event
            .ticket_types
            .iter()
            .map(|t| {
                let sales_end = Some(Some(t.sale_ends(&event.details)));
                TicketTypeEdit::Change(TicketTypeUpdate { sales_end, ..unchanged(t.id) })
            })
            .collect(),
        ..EventUpdate::default()
    };
    assert_eq!(published().update(shown(&published()), at(NOW)), Ok(None), "nothing is set");
    for to in [START - 5 * DAY, START + 300 * DAY] {
        for update in [moved(to), EventUpdate { starts_at: Some(at(to)), ..shown(&published()) }] {
            let after = published().update(update, at(NOW)).expect("allowed").expect("changed");
            assert_eq!(after.details.refundable_until(), at(to));
            let ends = after.ticket_types.iter().map(|t| t.sale_ends(&after.details));
            assert_eq!(Vec::from_iter(ends), [at(to), at(to)]);
        }
    }
    let later = moved(START + DAY);
    let after = festival().update(later, at(NOW)).expect("allowed").expect("changed");
    assert_eq!(after.details.refundable_until(), at(START - DAY), "it was set");
    assert_eq!(after.ticket_types[0].sale_ends(&after.details), at(START + 2 * DAY), "so was this");
}

#[test]
fn a_date_that_an_older_release_accepted_stops_only_updates_of_it() {
    let mut event = published();
    event.details.refundable_until = Some(at(START + 365 * DAY));
    let renamed = EventUpdate { title: Some(title("Konser II")), ..EventUpdate::default() };
    assert!(event.update(renamed, at(NOW)).is_ok());
    assert_eq!(errors(&event, moved(START + DAY), NOW)[0].field, "refundable_until");
    assert!(event.update(moved(START + 365 * DAY), at(NOW)).is_ok(), "now it fits");
}

#[test]
fn refunds_end_when_the_event_starts_unless_the_organiser_says_otherwise() {
    let with = |until: Timestamp, after_start| {
        let mut plan = plan();
        plan.details.refundable_until = Some(until);
        plan.details.refundable_after_start = after_start;
        Event::create(plan, at(NOW))
    };
    assert!(with(at(START), false).is_ok());
    let refused = with(at(START + 1), false).expect_err("it is after the start");
    assert_eq!(refused[0].field, "refundable_until");
    assert!(refused[0].message.contains(&text(START + 1)), "{refused:?}");
    assert!(refused[0].message.contains(&text(START)), "{refused:?}");

    let event = with(at(START + 7 * DAY), true).expect("he said so");
    assert!(event.update(moved(START - DAY), at(NOW)).is_ok(), "he has said so");
    let unsaid = EventUpdate { refundable_after_start: Some(false), ..EventUpdate::default() };
    assert_eq!(errors(&event, unsaid.clone(), NOW)[0].field, "refundable_until");
    let both = EventUpdate { refundable_until: Some(Some(at(START))), ..unsaid };
    assert!(event.update(both, at(NOW)).is_ok());
}

#[test]
fn a_festival_sells_until_its_end_and_what_says_nothing_until_its_start() {
    let event = festival();
    let [vip, lawn] = [0, 1].map(|index| &event.ticket_types[index]);
    for (time, vip_sells, lawn_sells) in [
        (START - 1, true, true),
        (START, true, false),
        (START + 2 * DAY - 1, true, false),
        (START + 2 * DAY, false, false),
    ] {
        assert_eq!(vip.is_on_sale(&event.details, at(time)), vip_sells, "{time}");
        assert_eq!(lawn.is_on_sale(&event.details, at(time)), lawn_sells, "{time}");
    }
    let until_the_end =
        TicketTypeUpdate { sales_end: Some(Some(at(START + 3 * DAY))), ..unchanged(LAWN) };
    assert!(event.update(of_vip(until_the_end), at(NOW)).is_ok());
    let mut reserved = festival();
    let decision =
        reserve(Some(&mut reserved), None, no_holds(), &request(&[(VIP, 2)]), at(START + DAY));
    assert!(matches!(decision.reply, Reply::Reserved(_)), "{:?}", decision.reply);

    for (seats, ends) in [
        (&[(VIP, 2_u32)] as &[_], START + 2 * DAY),
        (&[(VIP, 1), (LAWN, 1)], START),
        (&[(LAWN, 1)], START),
    ] {
        let Hold::Held(promised) = held(&mut festival(), seats) else { panic!("{seats:?}") };
        assert_eq!(promised.sales_end, Some(at(ends)), "the first of {seats:?}");
    }
}
