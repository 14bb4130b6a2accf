//! Every message comes three times, comes late, or is lost once: whatever it is, each booking comes to its end
//! as if nothing had happened.

mod mischief;
mod stories;

use std::collections::BTreeSet;

use karcis_contracts::CHANNELS;
use karcis_fleet::Fleet;
use karcis_schemas::BOOKING;
use karcis_testkit::eventually;

use crate::{
    history::{history, id},
    rewound::{all_are_rewound, is_quiet},
};
use mischief::{Mischief, all_come_again_backwards, befallen, befalls, first_befallen};
use stories::{Erasure, tell_all};

#[tokio::test]
async fn what_comes_three_times_and_again_at_the_very_end_happens_once() {
    let mut fleet = fleet(Mischief::Tripled).await;
    fleet.checked_at_rest();
    tell_all(&fleet, Erasure::IsTold).await;
    every_type_was_befallen(&fleet).await;
    is_quiet(&fleet).await;
    let before = everything(&fleet).await;
    let count = all_come_again_backwards(&fleet).await;
    assert!(count > 300, "{count} messages came again");
    is_quiet(&fleet).await;
    assert_eq!(everything(&fleet).await, before);
    all_are_rewound(&fleet).await;
    assert_eq!(everything(&fleet).await, before);
}

#[tokio::test]
async fn what_is_lost_once_ends_all_the_same() {
    let fleet = fleet(Mischief::LostOnce).await;
    tell_all(&fleet, Erasure::MayBeLost).await;
    every_type_was_befallen(&fleet).await;
    what_was_lost_never_came(&fleet).await;
}

#[tokio::test]
async fn what_was_in_topics_that_are_deleted_ends_all_the_same_and_new_bookings_come() {
    let fleet = fleet(Mischief::None).await;
    let deleting = async {
        // In the midst of the stories.
        let stages = async || fleet.stages().await.len() > 3;
        eventually(stages).is(true).await;
        fleet.environment().delete_topics().await;
        fleet.environment().make_topics().await;
    };
    tokio::join!(tell_all(&fleet, Erasure::MayBeLost), deleting);
    tell_all(&fleet, Erasure::IsTold).await;
    every_type_was_befallen(&fleet).await;
}

async fn fleet(mischief: Mischief) -> Fleet {
    let fleet = Fleet::builder().flag(&BOOKING, "--resend-after", "500ms").start().await;
    befalls(&fleet, mischief).await;
    fleet
}

/// A new message needs a story that sends it.
async fn every_type_was_befallen(fleet: &Fleet) {
    let kinds = CHANNELS.iter().flat_map(|channel| channel.kinds);
    let kinds: BTreeSet<String> = kinds.map(|kind| (*kind).to_owned()).collect();
    eventually(|| befallen(fleet)).is(kinds).await;
}

/// What was lost is in no topic.
async fn what_was_lost_never_came(fleet: &Fleet) {
    let lost = first_befallen(fleet).await;
    let came: BTreeSet<String> = history(fleet.environment()).iter().map(id).collect();
    assert!(!came.is_empty() && came.is_disjoint(&lost));
}

/// All that a message can change, as text.
async fn everything(fleet: &Fleet) -> Vec<String> {
    const ALL: &str = "
        SELECT concat_ws(' ', id, version, stage, stuck, reason, payable, released, refunded, tickets, event_version)
            FROM bookings.booking
        UNION ALL SELECT concat_ws(' ', booking_id, seq, input, to_stage) FROM bookings.saga_log
        UNION ALL SELECT concat_ws(' ', booking_id, state) FROM events.hold
        UNION ALL SELECT concat_ws(' ', ticket_type_id, held, sold) FROM events.ticket_type
        UNION ALL SELECT concat_ws(' ', code, booking_id) FROM events.ticket
        UNION ALL SELECT concat_ws(' ', event_id, version, stage) FROM events.event
        UNION ALL SELECT concat_ws(' ', booking_id, version, status, captured, refunded) FROM payments.payment
        UNION ALL SELECT concat_ws(' ', booking_id, id, outcome, decline_code) FROM payments.attempt
        UNION ALL SELECT concat_ws(' ', user_id, version, email, name, role) FROM users.account
        UNION ALL SELECT concat_ws(' ', key, answer) FROM simulated_gateway.charge
        UNION ALL SELECT key FROM simulated_gateway.refund
        UNION ALL SELECT concat_ws(' ', booking_id, kind) FROM users.notice
        ORDER BY 1";
    let all = sqlx::query_scalar(ALL).fetch_all(fleet.environment().superuser()).await;
    all.unwrap()
}
