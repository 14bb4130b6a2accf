//! What every implementation of the ports does, as functions that its tests call: for Postgres in
//! `adapters/postgres`, for stores in memory in `tools/simulation`. Each wants a store without e-mails.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use karcis_kernel::{BookingId, Currency, EventId, Money, Role, Timestamp, UserId};
use uuid::Uuid;

use super::{Erasing, Erasure, MailCounts, MailQueue, Notifications};
use crate::domain::{
    Account, Booked, Content, Email, EventSnapshot, Language, Mail, Notification, NotificationKind,
    PasswordHash, PersonName, Recipient, TimeZone,
};

const PAUSE: RangeInclusive<TimeDelta> = TimeDelta::seconds(2)..=TimeDelta::minutes(10);

fn noon() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().expect("a time")
}

/// So many seconds after noon.
fn at(seconds: i64) -> Timestamp {
    noon() + TimeDelta::seconds(seconds)
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

/// The buyer of all bookings here.
pub fn buyer() -> Account {
    Account::new(
        UserId(Uuid::from_u128(3)),
        email("sari@mail.example"),
        PasswordHash("hash".to_owned()),
        PersonName::parse("Sari").expect("a name"),
        Role::Buyer,
        noon(),
    )
}

fn of_booking(number: u128, kind: NotificationKind) -> Notification {
    Notification {
        booking_id: BookingId(Uuid::from_u128(number)),
        user_id: buyer().user_id,
        event_id: EventId(Uuid::from_u128(2)),
        kind,
    }
}

fn event() -> EventSnapshot {
    EventSnapshot {
        title: "Concert".to_owned(),
        venue: "Hall".to_owned(),
        starts_at: at(86_400),
        time_zone: TimeZone::UTC,
    }
}

fn booked() -> Booked {
    Booked { event: event(), items: vec![], total: Money::new(100, Currency::Idr) }
}

fn reserved(booking: u128) -> Notification {
    of_booking(booking, NotificationKind::Reserved { booked: booked(), pay_by: at(900) })
}

fn confirmed(booking: u128) -> Notification {
    of_booking(booking, NotificationKind::Confirmed { booked: Some(booked()), issued: None })
}

fn event_changed(booking: u128, version: i64) -> Notification {
    let (booked, agreed, refundable_until) = (booked(), event(), noon());
    let kind = NotificationKind::EventChanged { version, booked, agreed, refundable_until };
    of_booking(booking, kind)
}

async fn add(store: &dyn Notifications, notifications: &[Notification], seconds: i64) {
    store.add(notifications, at(seconds)).await.expect("the store answers");
}

/// Claims what is due, for a minute.
async fn claim(queue: &dyn MailQueue, seconds: i64) -> Vec<Mail> {
    let now = at(seconds);
    let (until, since) = (now + TimeDelta::minutes(1), now - TimeDelta::days(3));
    queue.claim_due(now, until, since, 100).await.expect("the store answers")
}

/// The same: the keys of what is claimed, each with its booking.
async fn claimed(queue: &dyn MailQueue, seconds: i64) -> Vec<(u128, String)> {
    let mails = claim(queue, seconds).await;
    let of = |mail: &Mail| mail.content.notification().cloned().expect("it is of a booking");
    mails.iter().map(of).map(|of| (of.booking_id.0.as_u128(), of.kind.key())).collect()
}

fn keys<const N: usize>(keys: [(u128, &str); N]) -> Vec<(u128, String)> {
    keys.map(|(booking, key)| (booking, key.to_owned())).to_vec()
}

async fn record(queue: &dyn MailQueue, mails: &[Mail], is_done: bool, seconds: i64) {
    let outcomes: Vec<(&Mail, bool)> = mails.iter().map(|mail| (mail, is_done)).collect();
    queue.record(&outcomes, at(seconds), PAUSE).await.expect("the store answers");
}

/// However often a notification is added, it is due once, until it is done.
pub async fn a_notification_is_due_until_it_is_done(store: &dyn Notifications) {
    add(store, &[confirmed(1), confirmed(1)], 0).await;
    add(store, &[confirmed(1)], 1).await;
    assert_eq!(claimed(store, 0).await, keys([(1, "confirmed")]));
    assert_eq!(claimed(store, 59).await, [], "somebody has it");
    let mails = claim(store, 60).await;
    assert_eq!(mails.len(), 1, "that somebody is gone");
    record(store, &mails, false, 61).await;
    assert_eq!(claimed(store, 121).await, [], "it pauses for as long as it has waited");
    let mails = claim(store, 122).await;
    assert_eq!(mails.len(), 1);
    record(store, &mails, true, 123).await;
    add(store, &[confirmed(1)], 124).await;
    assert_eq!(claimed(store, 86_400).await, [], "it is done");
}

/// Those of a booking come in the order of its life, and old ones not at all.
pub async fn notifications_come_in_order_and_old_ones_never(store: &dyn Notifications) {
    add(store, &[confirmed(2)], -1).await;
    add(store, &[event_changed(1, 3), event_changed(1, 2), confirmed(1)], 0).await;
    let days = 3 * 86_400;
    let due = claimed(store, days - 1).await;
    let changes = [(1, "confirmed"), (1, "event_changed.2"), (1, "event_changed.3")];
    assert_eq!(due, keys(changes), "the other one is three days old");
    assert_eq!(claimed(store, days + 59).await, [], "these are, too");
    let (now, since) = (at(days + 200), noon() - TimeDelta::days(1));
    let due = store.claim_due(now, now, since, 100).await.expect("the store answers");
    assert_eq!(due, [], "they are given up");
}

/// Who has paid within ten seconds, or while an e-mail that says to pay is being sent, is not told to.
pub async fn who_has_paid_is_not_told_to(store: &dyn Notifications) {
    add(store, &[reserved(1), reserved(2), reserved(3)], 0).await;
    assert_eq!(claimed(store, 9).await, []);
    add(store, &[confirmed(1)], 9).await;
    let mails = claim(store, 10).await;
    assert_eq!(mails.len(), 3, "of two nothing else is known");
    add(store, &[reserved(1), confirmed(2)], 11).await;
    record(store, &mails, false, 12).await;
    let due = keys([(1, "confirmed"), (2, "confirmed"), (3, "reserved")]);
    assert_eq!(claimed(store, 80).await, due);
}

/// Nobody is written to whose account is gone. Wants a store with the account of [`buyer`].
pub async fn who_is_erased_gets_no_e_mail(erasing: &dyn Erasing, store: &dyn Notifications) {
    add(store, &[confirmed(1)], 0).await;
    let recipients = async |seconds| -> Vec<Option<Email>> {
        let mails = claim(store, seconds).await;
        mails.into_iter().map(|mail| mail.recipient.map(|it| it.email)).collect()
    };
    assert_eq!(recipients(0).await, [Some(buyer().email)]);
    let erase = async |account: Account| erasing.erase(&account).await.expect("it answers");
    let other = Account { password_hash: PasswordHash("other".to_owned()), ..buyer() };
    assert_eq!(erase(other).await, Erasure::Changed);
    assert_eq!(erase(buyer()).await, Erasure::Erased);
    assert_eq!(erase(buyer()).await, Erasure::Changed, "there is none");
    assert_eq!(recipients(60).await, [None]);
}

/// An address that nobody has proven to read gets three e-mails about bookings a day.
pub async fn so_many_e_mails_a_day(counts: &dyn MailCounts) {
    let mail = |address, is_verified| Mail {
        content: Content::Booking(confirmed(1)),
        recipient: Some(Recipient::owner(
            email(address),
            is_verified,
            PersonName::parse("Sari").expect("a name"),
            Language::default(),
        )),
        trace: None,
    };
    let admit = async |mails: &[Mail], seconds| {
        counts.admit(mails, at(seconds)).await.expect("the store answers")
    };
    let (sari, same, dewi) = ("sari@mail.example", "sari+shop@mail.example", "dewi@mail.example");
    let mails = [sari, same, dewi, sari, same].map(|address| mail(address, false));
    assert_eq!(admit(&mails, 0).await, [true, true, true, true, false]);
    let proven = [mail(sari, true), mail(sari, false), mail(dewi, false)];
    assert_eq!(admit(&proven, 1).await, [true, false, true]);
    counts.uncount(&[&mails[0], &proven[0]]).await.expect("the store answers");
    assert_eq!(admit(&mails[..2], 2).await, [true, false], "one was not sent");
    assert_eq!(admit(&mails, 86_400).await, [true, true, true, true, false], "a day is over");
}
