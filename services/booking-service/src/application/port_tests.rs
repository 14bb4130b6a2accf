//! What every implementation of the ports does, as functions that its tests call: for Postgres in
//! `adapters/postgres`, for stores in memory in `tools/simulation`. Each wants a store without bookings.

use std::{collections::HashSet, sync::Arc, time::Duration};

use karcis_database::{KeyUse, RequestKey};
use karcis_kernel::{BookingId, Currency, EventId, Money, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

use super::{Bookings, Change, EventEdit, Events, OpenEvents, Timers, UnconfirmedBookings};
use crate::domain::{
    Booking, DecisionContext, EventSnapshot, Input, Item, Items, Order, RejectReason,
    ResendSchedule, Reservation, create,
};

const EVENT: EventId = EventId(Uuid::from_u128(2));
const BUYER: UserId = UserId(Uuid::from_u128(3));
const FIRST_RESEND: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn noon() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().expect("a time")
}

fn context(at: Timestamp) -> DecisionContext {
    DecisionContext { at, resends: ResendSchedule::new(FIRST_RESEND) }
}

fn id(number: u128) -> BookingId {
    // No last bits: they would make the wait for a resend longer.
    BookingId(Uuid::from_u128(number << 16))
}

fn new(number: u128, key: Option<KeyUse>) -> Change {
    let item = Item { ticket_type_id: TicketTypeId(Uuid::from_u128(4)), quantity: 1 };
    let order = Order {
        id: id(number),
        buyer: BUYER,
        event_id: EVENT,
        items: Items::new(vec![item]).expect("valid items"),
        expected_total: None,
        created_at: noon(),
        pay_by: noon() + Duration::from_secs(900),
    };
    Change::new(create(Arc::new(order), context(noon()).resends), Arc::default(), key)
}

fn after(booking: &Booking, at: Timestamp, input: &Input) -> Change {
    let mut change = Change::unchanged(booking.clone());
    assert_eq!(change.apply(context(at), input), Ok(true), "{input:?} changes {booking:?}");
    change
}

fn key(name: &str, made: BookingId, used_at: Timestamp) -> KeyUse {
    let key = RequestKey { user_id: BUYER, key: name.to_owned() };
    KeyUse { key, fingerprint: vec![1], subject: Some(made.0), used_at }
}

async fn loaded(bookings: &dyn Bookings, number: u128) -> Option<Booking> {
    bookings.load(&[id(number)]).await.expect("the store answers").one().expect("it is readable")
}

async fn commit(bookings: &dyn Bookings, changes: Vec<Change>) -> HashSet<BookingId> {
    bookings.commit(changes).await.expect("the store answers")
}

/// What is committed is loaded, and what was changed since it was loaded is not written.
pub async fn a_change_is_written_if_nothing_came_between(bookings: &dyn Bookings) {
    assert_eq!(loaded(bookings, 1).await, None, "what is unknown is left out");
    let created = new(1, None);
    assert_eq!(commit(bookings, vec![created.clone()]).await, HashSet::new());
    let before = loaded(bookings, 1).await.expect("it is stored");
    assert_eq!(before, created.after);
    assert_eq!(commit(bookings, vec![created]).await, HashSet::from([id(1)]), "it is not new");

    let later = noon() + FIRST_RESEND;
    let resent = after(&before, later, &Input::ResendDue);
    let cancelled = after(&before, later, &Input::Cancel);
    assert_eq!(commit(bookings, vec![cancelled.clone()]).await, HashSet::new());
    for stale in [resent, cancelled.clone()] {
        let others = commit(bookings, vec![stale, new(2, None)]).await;
        assert!(others.contains(&id(1)), "another change came first");
    }
    assert_eq!(loaded(bookings, 1).await, Some(cancelled.after), "the first one stands");
    assert!(loaded(bookings, 2).await.is_some(), "what does not conflict is written");

    let before = loaded(bookings, 2).await.expect("it is stored");
    let resent = after(&before, later, &Input::ResendDue);
    assert_eq!(commit(bookings, vec![resent]).await, HashSet::new());
    let rejected = after(&before, later, &Input::TicketsRejected(RejectReason::SoldOut));
    assert_eq!(commit(bookings, vec![rejected]).await, HashSet::from([id(2)]), "a resend counts");
}

/// A key makes one booking within a day.
pub async fn a_key_makes_one_booking(bookings: &dyn Bookings) {
    let first = key("key", id(1), noon());
    assert_eq!(commit(bookings, vec![new(1, Some(first.clone()))]).await, HashSet::new());
    let again = key("key", id(2), noon());
    assert_eq!(commit(bookings, vec![new(2, Some(again))]).await, HashSet::from([id(2)]));
    assert_eq!(loaded(bookings, 2).await, None, "nothing of it is stored");

    let keys = [first.key.clone(), key("unused", id(9), noon()).key];
    let used = bookings.key_uses(&keys, noon()).await.expect("the store answers");
    assert_eq!(used, [first]);
    let tomorrow = noon() + DAY;
    let used = bookings.key_uses(&keys, tomorrow).await.expect("the store answers");
    assert_eq!(used, [], "it has expired");
    let expired = key("key", id(3), tomorrow);
    assert_eq!(commit(bookings, vec![new(3, Some(expired))]).await, HashSet::new());
}

/// A timer is due from its time on, and is given to one.
pub async fn a_due_timer_is_claimed_once(bookings: &dyn Bookings, timers: &dyn Timers) {
    commit(bookings, vec![new(1, None), new(2, None)]).await;
    let due = async |at, skipped: &[BookingId]| {
        let due = timers.due(at, skipped, 10).await.expect("the store answers");
        due.into_iter().map(|it| (it.booking_id, it.is_deadline)).collect::<HashSet<_>>()
    };
    let (at, deadline) = (noon() + FIRST_RESEND, noon() + Duration::from_secs(900));
    assert_eq!(due(at - Duration::from_secs(1), &[]).await, HashSet::new());
    assert_eq!(due(at, &[id(2)]).await, HashSet::from([(id(1), false)]));
    assert_eq!(due(at, &[]).await, HashSet::from([(id(2), false)]), "the other is claimed");
    let before = loaded(bookings, 1).await.expect("it is stored");
    commit(bookings, vec![after(&before, at, &Input::ResendDue)]).await;
    reject(bookings, 2).await;
    let open = HashSet::from([(id(1), true)]);
    assert_eq!(due(deadline, &[]).await, open, "a change ends a claim, and the other has ended");
    assert_eq!(due(deadline, &[]).await, HashSet::new(), "it is claimed");
}

/// Stores a booking, and that there are no tickets for it.
pub async fn a_booking_is_rejected(bookings: &dyn Bookings) {
    commit(bookings, vec![new(1, None)]).await;
    reject(bookings, 1).await;
}

async fn reject(bookings: &dyn Bookings, number: u128) {
    let before = loaded(bookings, number).await.expect("it is stored");
    let rejected = Input::TicketsRejected(RejectReason::SoldOut);
    commit(bookings, vec![after(&before, noon() + FIRST_RESEND, &rejected)]).await;
}

/// The bookings of a cancelled event are found until they are on their way out.
pub async fn a_cancelled_events_bookings_are_found(
    bookings: &dyn Bookings,
    events: &dyn Events,
    cancelled: &dyn OpenEvents,
) {
    commit(bookings, vec![new(1, None), new(2, None)]).await;
    assert_eq!(cancelled.next(&[]).await.expect("the store answers"), None);
    let record = async |at| {
        let reason = [(EVENT, "rain".to_owned())];
        events.record_cancelled(&reason, at).await.expect("the store answers");
    };
    record(noon()).await;
    let next = cancelled.next(&[]).await.expect("the store answers").expect("it is open");
    assert_eq!((next.event_id, next.since), (EVENT, noon()));
    assert_eq!(cancelled.next(&[EVENT]).await.expect("the store answers"), None, "it is skipped");
    let found = async |skipped: &[BookingId]| {
        let found = cancelled.bookings_of(EVENT, skipped, 10, 1_000).await;
        HashSet::from_iter(found.expect("the store answers"))
    };
    assert_eq!(found(&[id(2)]).await, HashSet::from([id(1)]));
    let before = loaded(bookings, 1).await.expect("it is stored");
    let reason = before.event.as_ref().and_then(|event| event.cancel_reason.as_deref());
    assert_eq!(reason, Some("rain"));
    commit(bookings, vec![after(&before, noon(), &Input::EventCancelled)]).await;
    assert_eq!(found(&[]).await, HashSet::from([id(2)]), "the other is on its way out");
    assert!(cancelled.is_awaited(EVENT, &[]).await.expect("the store answers"));
    assert!(!cancelled.is_awaited(EVENT, &[id(2)]).await.expect("the store answers"));

    record(noon() + Duration::from_secs(1)).await;
    cancelled.done(next).await.expect("the store answers");
    let next = cancelled.next(&[]).await.expect("the store answers").expect("it came again");
    cancelled.done(next).await.expect("the store answers");
    assert_eq!(cancelled.next(&[]).await.expect("the store answers"), None);
}

/// The holders of a moved event are found until they know how it looks.
pub async fn a_moved_events_holders_are_found(
    bookings: &dyn Bookings,
    events: &dyn Events,
    moved: &dyn OpenEvents,
) {
    commit(bookings, vec![new(1, None), new(2, None)]).await;
    let record = async |version, venue: &str| {
        let event = snapshot(version, venue);
        let edit = EventEdit {
            event_id: EVENT,
            organiser: BUYER,
            event,
            refundable_until: None,
            ends_at: None,
        };
        events.record_edits(&[edit], noon()).await.expect("the store answers");
    };
    let next = async || moved.next(&[]).await.expect("the store answers");
    record(1, "Hall").await;
    record(2, "Hall").await;
    assert_eq!(next().await, None, "it looks as before");
    record(4, "Arena").await;
    record(3, "Hall").await;
    let open = next().await.expect("it has moved");

    let holds = Input::TicketsReserved(Arc::new(Reservation {
        event: snapshot(1, "Hall"),
        items: vec![],
        total: Money::new(100, Currency::Idr),
        refundable_until: noon(),
        sales_end: None,
    }));
    let before = loaded(bookings, 1).await.expect("it is stored");
    let details = before.event_details().expect("the event is known");
    assert_eq!((details.event.version, details.shown_since), (4, 4), "the newest version wins");
    commit(bookings, vec![after(&before, noon(), &holds)]).await;
    let found = async || moved.bookings_of(EVENT, &[], 10, 1_000).await.expect("the store answers");
    assert_eq!(found().await, [id(1)], "the other holds nothing yet");
    let before = loaded(bookings, 1).await.expect("it is stored");
    commit(bookings, vec![after(&before, noon(), &Input::EventChanged)]).await;
    assert_eq!(found().await, []);
    assert!(moved.is_awaited(EVENT, &[]).await.expect("the store answers"), "the other may get it");
    let before = loaded(bookings, 2).await.expect("it is stored");
    commit(bookings, vec![after(&before, noon(), &Input::Cancel)]).await;
    assert!(!moved.is_awaited(EVENT, &[]).await.expect("the store answers"));
    moved.done(open).await.expect("the store answers");
    assert_eq!(next().await, None);
    events.forget(&[EVENT]).await.expect("the store answers");
    assert_eq!(loaded(bookings, 1).await.expect("it is stored").event, None);
}

fn snapshot(version: i64, venue: &str) -> EventSnapshot {
    EventSnapshot {
        version,
        title: "Concert".to_owned(),
        venue: venue.to_owned(),
        starts_at: noon() + 30 * DAY,
        time_zone: "Asia/Jakarta".to_owned(),
    }
}

/// Of an erased buyer, what is not yet confirmed or cancelled is found.
pub async fn an_erased_buyers_bookings_are_found(
    bookings: &dyn Bookings,
    unconfirmed: &dyn UnconfirmedBookings,
) {
    commit(bookings, vec![new(1, None), new(2, None), new(3, None)]).await;
    let before = loaded(bookings, 1).await.expect("it is stored");
    commit(bookings, vec![after(&before, noon(), &Input::Cancel)]).await;
    let found = async |after, limit| {
        unconfirmed.unconfirmed_of(BUYER, after, limit).await.expect("the store answers")
    };
    assert_eq!(found(None, 10).await, [id(2), id(3)]);
    assert_eq!(found(None, 1).await, [id(2)]);
    assert_eq!(found(Some(id(2)), 10).await, [id(3)]);
}
