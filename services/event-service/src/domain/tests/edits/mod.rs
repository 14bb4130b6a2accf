//! What organisers may and may not do with an event.

mod availability;
mod dates;
mod moving;

use karcis_kernel::{Currency, Role, TicketTypeId};

use crate::domain::{tests::samples::*, *};

fn changes(update: TicketTypeUpdate) -> EventUpdate {
    EventUpdate { ticket_types: vec![TicketTypeEdit::Change(update)], ..EventUpdate::default() }
}

fn fields(errors: Vec<FieldError>) -> Vec<String> {
    errors.into_iter().map(|error| error.field).collect()
}

fn invalid_fields(event: &Event, update: EventUpdate) -> Vec<String> {
    match event.update(update, at(NOW)) {
        Err(UpdateRefusal::Invalid(errors)) => fields(errors),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_event_names_every_invalid_field() {
    for (case, spoil, invalid) in [
        ("nothing", (|_| {}) as fn(&mut NewEvent), &[] as &[&str]),
        ("ends first", |e| e.details.ends_at = Some(e.details.starts_at), &["ends_at"]),
        ("nothing to sell", |e| e.ticket_types.clear(), &["ticket_types"]),
        (
            "21 types",
            |e| {
                let named = |n| ticket_type(TicketTypeId(uuid(n)), &format!("Block {n}"), 1, 1);
                e.ticket_types = (0..21).map(named).collect();
            },
            &["ticket_types"],
        ),
        (
            "a name twice",
            |e| e.ticket_types[1].name = TicketName::try_from("vip".to_owned()).expect("a name"),
            &["ticket_types[1].name"],
        ),
        (
            "two currencies",
            |e| e.ticket_types[1].price = price(1, Currency::Usd),
            &["ticket_types[1].price.currency"],
        ),
        (
            "sold into the show",
            |e| e.ticket_types[0].sales_end = Some(at(START + 1)),
            &["ticket_types[0].sales_end"],
        ),
        (
            "an empty window",
            |e| {
                e.ticket_types[0].sales_start = Some(at(NOW));
                e.ticket_types[0].sales_end = Some(at(NOW));
            },
            &["ticket_types[0].sales_end"],
        ),
        (
            "starts selling too late",
            |e| e.ticket_types[1].sales_start = Some(at(START)),
            &["ticket_types[1].sales_start"],
        ),
        (
            "published when over",
            |e| (e.publish, e.details.starts_at) = (true, at(NOW)),
            &["starts_at"],
        ),
        ("a past draft", |e| e.details.starts_at = at(NOW), &[]),
    ] {
        let mut plan = plan();
        spoil(&mut plan);
        let errors = Event::create(plan, at(NOW)).err().map(fields).unwrap_or_default();
        assert_eq!(errors, invalid, "{case}");
    }
}

#[test]
fn the_status_follows_stage_and_time() {
    let with_end = |mut event: Event| {
        event.details.ends_at = Some(at(START + 100));
        event
    };
    for (event, time, status) in [
        (draft(), START + 200, Status::Draft),
        (published(), START - 1, Status::Published),
        (published(), START, Status::Ended),
        (with_end(published()), START + 99, Status::Published),
        (with_end(published()), START + 100, Status::Ended),
        (cancelled(&published()), START + 200, Status::Cancelled),
    ] {
        assert_eq!(event.status(at(time)), status, "{:?} at {time}", event.stage);
    }
}

#[test]
fn publish_unpublish_and_cancel_are_repeatable_and_count_as_edits() {
    let published = draft().publish(at(NOW)).expect("to come").expect("changed");
    assert_eq!((published.version, published.status(at(NOW))), (2, Status::Published));
    assert_eq!(published.publish(at(NOW)), Ok(None));
    let taken_back = published.unpublish(at(NOW)).expect("not booked").expect("changed");
    assert_eq!((taken_back.version, taken_back.status(at(NOW))), (3, Status::Draft));
    assert_eq!(taken_back.unpublish(at(NOW)), Ok(None));
    let cancelled = cancelled(&published);
    assert_eq!((cancelled.version, cancelled.status(at(NOW))), (3, Status::Cancelled));
    assert_eq!(cancelled.cancel(CancelReason::try_from("again".to_owned()).expect("ok")), None);
}

#[test]
fn a_draft_that_is_cancelled_stays_secret() {
    let reason = || CancelReason::try_from("no permit".to_owned()).expect("a reason");
    let taken_back = published().unpublish(at(NOW)).expect("not booked").expect("changed");
    for draft in [draft(), taken_back] {
        let mut secret = draft.cancel(reason()).expect("it was not cancelled");
        assert_eq!(secret.status(at(NOW)), Status::Cancelled);
        assert!(!secret.stage.is_public());
        assert_eq!(secret.cancel(reason()), None);
        assert_eq!(secret.publish(at(NOW)), Err(EventOver));
        let reply = reserve(Some(&mut secret), None, no_holds(), &request(&[(VIP, 1)]), at(NOW));
        assert_eq!(reply.reply, Reply::Rejected(RejectReason::EventNotFound));
    }
    assert!(cancelled(&published()).stage.is_public());
}

#[test]
fn what_is_over_cannot_be_published_or_taken_back() {
    for (case, event, time) in
        [("cancelled", cancelled(&published()), NOW), ("ended", published(), START)]
    {
        assert_eq!(event.publish(at(time)), Err(EventOver), "{case}");
        assert_eq!(event.unpublish(at(time)), Err(EventOver.into()), "{case}");
    }
    assert_eq!(draft().publish(at(START)), Err(EventOver));
}

#[test]
fn an_event_that_was_ever_booked_stays_visible() {
    let mut event = published();
    assert_eq!(event.check_delete(), Ok(()));
    let hold = held(&mut event, &[(VIP, 1)]);
    release(Some(&mut event), Some(&hold)).expect("the stock matches");
    assert_eq!(event.check_delete(), Err(EventHasBookings));
    assert_eq!(event.unpublish(at(NOW)), Err(EventHasBookings.into()));
}

#[test]
fn organisers_edit_their_own_events_and_admins_all() {
    for (user_id, role, may) in [
        (ORGANISER, Role::Organiser, true),
        (BUYER, Role::Organiser, false),
        (BUYER, Role::Admin, true),
        (ORGANISER, Role::Buyer, false),
        (ORGANISER, Role::Operator, false),
        (ORGANISER, Role::Door, false),
    ] {
        assert_eq!(Editor { user_id, role }.may_edit(&draft()), may, "{role}");
    }
}

#[test]
fn an_update_changes_what_it_names_and_counts_once() {
    let event = published();
    let update = EventUpdate {
        version: Some(2),
        title: Some(title("Konser II")),
        refundable_until: Some(Some(at(NOW))),
        ticket_types: vec![
            TicketTypeEdit::Change(TicketTypeUpdate { closed: Some(true), ..unchanged(LAWN) }),
            TicketTypeEdit::Add(ticket_type(TicketTypeId(uuid(7)), "Balcony", 5, 9)),
        ],
        ..EventUpdate::default()
    };
    let after = event.update(update, at(NOW)).expect("allowed").expect("changed");
    assert_eq!(after.version, 3);
    assert_eq!(after.details.title.as_str(), "Konser II");
    assert_eq!(after.details.refundable_until(), at(NOW));
    assert_eq!(after.ticket_types[0], event.ticket_types[0], "unlisted, so kept");
    assert!(after.ticket_types[1].closed);
    assert_eq!(after.ticket_types[2].name.as_str(), "Balcony");

    let cleared = EventUpdate { refundable_until: Some(None), ..EventUpdate::default() };
    let after = after.update(cleared, at(NOW)).expect("allowed").expect("changed");
    assert_eq!(after.details.refundable_until(), at(START));
}

#[test]
fn an_update_that_changes_nothing_is_no_edit() {
    let same = EventUpdate { title: Some(title("Konser")), ..changes(unchanged(VIP)) };
    assert_eq!(published().update(same, at(NOW)), Ok(None));
}

#[test]
fn an_update_names_every_invalid_field() {
    let event = published();
    let cases = [
        (changes(unchanged(TicketTypeId(uuid(99)))), "ticket_types[0].ticket_type_id"),
        (
            EventUpdate {
                starts_at: Some(at(NOW + 10)),
                ends_at: Some(Some(at(NOW + 9))),
                ..Default::default()
            },
            "ends_at",
        ),
        (
            changes(TicketTypeUpdate { sales_end: Some(Some(at(START + 1))), ..unchanged(VIP) }),
            "ticket_types[0].sales_end",
        ),
        (
            changes(TicketTypeUpdate { price: Some(price(1, Currency::Usd)), ..unchanged(VIP) }),
            "ticket_types[0].price.currency",
        ),
    ];
    for (update, field) in cases {
        assert_eq!(invalid_fields(&event, update), [field]);
    }
    let twice = EventUpdate {
        ticket_types: vec![
            TicketTypeEdit::Change(unchanged(VIP)),
            TicketTypeEdit::Change(unchanged(VIP)),
        ],
        ..Default::default()
    };
    assert_eq!(invalid_fields(&event, twice), ["ticket_types[1].ticket_type_id"]);
    let many = EventUpdate {
        ticket_types: (0..19)
            .map(|i| {
                let name = format!("Block {i}");
                TicketTypeEdit::Add(ticket_type(TicketTypeId(uuid(100 + i)), &name, 1, 1))
            })
            .collect(),
        ..Default::default()
    };
    assert_eq!(invalid_fields(&event, many), ["ticket_types"]);
}

#[test]
fn a_ticket_type_has_a_name_of_its_own() {
    let named = |id, name: &str| {
        let name = Some(TicketName::try_from(name.to_owned()).expect("a name"));
        TicketTypeEdit::Change(TicketTypeUpdate { name, ..unchanged(id) })
    };
    let add = |name| TicketTypeEdit::Add(ticket_type(TicketTypeId(uuid(9)), name, 1, 1));
    let update = |edits: &[TicketTypeEdit]| EventUpdate {
        ticket_types: edits.to_vec(),
        ..EventUpdate::default()
    };
    for (edits, index) in [
        (vec![add("Lawn")], 0),
        (vec![named(VIP, "VIP"), add("LAWN")], 1),
        (vec![add("Balcony"), add("Balcony")], 1),
        (vec![named(VIP, "lawn")], 0),
        (vec![named(VIP, "Seat"), named(LAWN, "Seat")], 1),
    ] {
        let field = format!("ticket_types[{index}].name");
        assert_eq!(invalid_fields(&published(), update(&edits)), [field], "{edits:?}");
    }
    for edits in [
        vec![named(VIP, "Lawn"), named(LAWN, "VIP")],
        vec![named(VIP, "Front"), add("VIP")],
        vec![named(VIP, "vip")],
    ] {
        assert!(published().update(update(&edits), at(NOW)).is_ok(), "{edits:?}");
    }
    let mut older = published();
    older.ticket_types[1].name = older.ticket_types[0].name.clone();
    let closed = TicketTypeUpdate { closed: Some(true), ..unchanged(LAWN) };
    assert!(older.update(changes(closed), at(NOW)).is_ok(), "an older release allowed it");
}

#[test]
fn what_cannot_be_changed_may_be_sent_as_it_is() {
    let sent = |event: &Event, status| EventUpdate {
        status: Some(status),
        organiser_id: Some(event.organiser_id),
        version: Some(event.version),
        ..EventUpdate::default()
    };
    use Status::*;
    for (event, same) in [
        (draft(), &[Draft] as &[Status]),
        (published(), &[Published, Ended]),
        (cancelled(&published()), &[Cancelled]),
    ] {
        for status in Status::ALL {
            if same.contains(&status) {
                assert_eq!(event.update(sent(&event, status), at(NOW)), Ok(None), "{status:?}");
            } else {
                assert_eq!(invalid_fields(&event, sent(&event, status)), ["status"]);
            }
        }
    }
    for (event, same) in
        [(draft(), None), (published(), None), (cancelled(&published()), Some("rain"))]
    {
        for reason in [None, Some("rain"), Some("snow"), Some("")] {
            let sent = EventUpdate {
                cancel_reason: Some(reason.map(ToOwned::to_owned)),
                ..EventUpdate::default()
            };
            if reason == same {
                assert_eq!(event.update(sent, at(NOW)), Ok(None), "{reason:?}");
            } else {
                assert_eq!(invalid_fields(&event, sent), ["cancel_reason"]);
            }
        }
    }
    let given_away = EventUpdate { organiser_id: Some(BUYER), ..EventUpdate::default() };
    assert_eq!(invalid_fields(&published(), given_away), ["organiser_id"]);
}

#[test]
fn another_version_than_the_one_seen_is_a_conflict() {
    let update = EventUpdate { version: Some(1), ..EventUpdate::default() };
    let refused = published().update(update, at(NOW));
    assert_eq!(refused, Err(UpdateRefusal::VersionConflict { current: 2 }));
}

#[test]
fn a_cancelled_event_is_not_edited_but_an_ended_one_can_be_postponed() {
    let update = EventUpdate { starts_at: Some(at(START * 2)), ..EventUpdate::default() };
    assert_eq!(cancelled(&published()).update(update.clone(), at(NOW)), Err(EventOver.into()));
    let postponed = published().update(update, at(NOW)).expect("allowed").expect("changed");
    assert_eq!(postponed.status(at(START + 1)), Status::Published);
}

#[test]
fn capacity_cannot_drop_below_held_and_sold() {
    let mut event = published();
    sold(&mut event, &[(VIP, 2)]);
    held(&mut event, &[(VIP, 3)]);
    for (seats, good) in [(4, false), (5, true), (100, true)] {
        let update =
            changes(TicketTypeUpdate { capacity: Some(capacity(seats)), ..unchanged(VIP) });
        match event.update(update, at(NOW)) {
            Ok(Some(after)) => {
                assert!(good, "{seats}");
                assert_eq!(vip(&after), (seats as u32 - 5, 3, 2));
            }
            refused => {
                assert_eq!(refused, Err(CapacityBelowSold { taken: 5 }.into()), "{seats}");
                assert!(!good, "{seats}");
            }
        }
    }
}

#[test]
fn the_currency_freezes_with_the_first_booking() {
    let in_dollars = || EventUpdate {
        ticket_types: [VIP, LAWN]
            .map(|id| {
                let price = Some(price(1, Currency::Usd));
                TicketTypeEdit::Change(TicketTypeUpdate { price, ..unchanged(id) })
            })
            .to_vec(),
        ..EventUpdate::default()
    };
    let mut event = published();
    let after = event.update(in_dollars(), at(NOW)).expect("allowed").expect("changed");
    assert_eq!(after.currency, Currency::Usd);

    held(&mut event, &[(VIP, 1)]);
    let frozen = UpdateRefusal::CurrencyFrozen { currency: Currency::Idr };
    assert_eq!(event.update(in_dollars(), at(NOW)), Err(frozen.clone()));
    let only_one =
        changes(TicketTypeUpdate { price: Some(price(1, Currency::Usd)), ..unchanged(VIP) });
    assert_eq!(event.update(only_one, at(NOW)), Err(frozen));
    let dearer =
        changes(TicketTypeUpdate { price: Some(price(9, Currency::Idr)), ..unchanged(VIP) });
    assert!(event.update(dearer, at(NOW)).is_ok());
}
