//! Poison in every topic amid a sale: how much slower the sale is.

use chrono::Duration;
use karcis_contracts::{CHANNELS, Channel};
use karcis_fleet::{Booking, Concert, Fleet, Person};
use karcis_schemas::SERVICES;
use karcis_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ALONE, KEPT, buying,
    poison::{SPOILED, dead_letters, mend, settle_dead_letters, spoil},
};

/// How many buy in a slice, and how many of them at a time.
const BUYERS: usize = 64;
const AT_ONCE: usize = 16;
/// Pairs of slices, with poison and without. The median of five hides the one that a neighbour spoils; a busy
/// machine gets more of them.
const PAIRS: std::ops::RangeInclusive<usize> = 5..=15;
/// They can never be handled, whatever is mended.
const HOPELESS: [&str; 3] =
    ["karcis.EventCancelled.v1", "karcis.BookingRejected.v1", "karcis.TicketMailRequested.v1"];

#[tokio::test]
async fn a_message_of_each_kind_of_poison_in_every_topic_hardly_slows_a_sale() {
    let _alone = ALONE.lock().await;
    let fleet = Fleet::of_processes(&[]).await;
    let superuser = fleet.environment().superuser();
    let concert = fleet.concert().tickets("VIP", 100_000).published().await;
    let (crowd, victim) = (fleet.crowd(BUYERS), fleet.buyer("Sari").await);
    let booking = victim.books(&concert, "VIP", 1).await;
    for spoiled in SPOILED {
        spoil(superuser, spoiled, booking.id.0).await;
    }
    buying(&crowd, &concert, AT_ONCE).await;

    let mut kept = Vec::new();
    for pair in 1..=*PAIRS.end() {
        let poisoned = async {
            let poisoning = poisoning(&fleet, &concert, &victim, &booking);
            let (took, ()) = tokio::join!(buying(&crowd, &concert, AT_ONCE), poisoning);
            let is_dead = async || of_all(&fleet).await;
            eventually(is_dead).is(pair * 2 * CHANNELS.len()).await;
            took.as_secs_f64()
        };
        let clean = async { buying(&crowd, &concert, AT_ONCE).await.as_secs_f64() };
        // In turns, so that what grows or fades meanwhile falls on both.
        let (clean, poisoned) = if pair % 2 == 0 {
            (clean.await, poisoned.await)
        } else {
            let poisoned = poisoned.await;
            (clean.await, poisoned)
        };
        kept.push(clean / poisoned);
        if pair >= *PAIRS.start() && median(&kept) > KEPT {
            break;
        }
    }
    println!("with poison the sale keeps {:.2} of its speed: {kept:.2?}", median(&kept));
    assert!(median(&kept) > KEPT, "with poison the sale is too slow: {kept:.2?}");

    for spoiled in SPOILED {
        mend(superuser, spoiled, booking.id.0).await;
    }
    eventually(async || {
        for service in SERVICES {
            settle_dead_letters(&fleet, service, |kind| !HOPELESS.contains(&kind)).await;
        }
        of_all(&fleet).await
    })
    .is(0)
    .await;
    // The last word of the poison: its buyer is erased.
    eventually(|| victim.sees(&booking)).is("cancelled").await;
}

/// One message in each topic that cannot be read, and one that can, but not applied: what it is about is spoiled,
/// or the store does not take what it says.
async fn poisoning(fleet: &Fleet, concert: &Concert, victim: &Person, booking: &Booking) {
    for channel in &CHANNELS {
        fleet.poisons(channel, channel.kinds[0]).await;
        let (kind, key, body) = unappliable(channel, concert, victim, booking);
        fleet.sends(channel, kind, key, &body).await;
    }
}

/// Once the rows are mended it changes nothing, or cancels this booking.
fn unappliable(
    channel: &Channel,
    concert: &Concert,
    victim: &Person,
    booking: &Booking,
) -> (&'static str, Uuid, Value) {
    let (id, event, user) = (booking.id, concert.id, victim.user_id);
    let amount = json!({"amount": 750_000, "currency": "IDR"});
    let tomorrow = karcis_process::now() + Duration::days(1);
    let (kind, key, body) = match channel.topic {
        "karcis.event-commands.v1" => {
            let mut order = concert.order(&[("VIP", 1)]);
            (order["booking_id"], order["user_id"]) = (json!(id), json!(user));
            ("karcis.ReserveTickets.v1", event.0, order)
        }
        "karcis.payment-commands.v1" => (
            "karcis.RequestPayment.v1",
            id.0,
            json!({"user_id": user, "amount": amount, "pay_by": tomorrow}),
        ),
        "karcis.tickets.v1" => ("karcis.TicketsReleased.v1", id.0, json!({"event_id": event})),
        "karcis.ticket-codes.v1" => {
            ("karcis.TicketsIssued.v1", id.0, json!({"event_id": event, "tickets": []}))
        }
        "karcis.payments.v1" => {
            let payment = Uuid::nil();
            ("karcis.PaymentRequested.v1", id.0, json!({"payment_id": payment, "amount": amount}))
        }
        "karcis.events.v1" => {
            (HOPELESS[0], event.0, json!({"event_id": Uuid::now_v7(), "reason": "\0"}))
        }
        "karcis.bookings.v1" => {
            (HOPELESS[1], id.0, json!({"user_id": user, "event_id": event, "reason": "\0"}))
        }
        // Of these all that can be read can be applied.
        "karcis.ticket-mails.v1" => {
            (HOPELESS[2], id.0, json!({"user_id": user, "event_id": event}))
        }
        "karcis.users.v1" => ("karcis.UserErased.v1", user.0, json!({"user_id": user})),
        other => panic!("no message of {other} is known that cannot be applied"),
    };
    let mut body = body;
    if channel.of_booking {
        body["booking_id"] = json!(id);
    }
    // Else it would be the one that is a dead letter already.
    body["is_another"] = json!(Uuid::now_v7());
    (kind, key, body)
}

/// How many dead letters all services have.
async fn of_all(fleet: &Fleet) -> usize {
    let mut all = 0;
    for service in SERVICES {
        all += dead_letters(fleet, service).await.len();
    }
    all
}

fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
