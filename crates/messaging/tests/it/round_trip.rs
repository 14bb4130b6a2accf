//! What is committed arrives, in order; what is rolled back does not.

use karcis_testkit::eventually;
use uuid::Uuid;

use crate::desk::{Desk, note};

#[tokio::test]
async fn notes_about_a_booking_arrive_in_the_order_of_their_commits() {
    let desk = Desk::open().await;
    let relay = desk.relay();
    let reader = desk.reader();
    let bookings = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];

    for n in 0..200 {
        let notes: Vec<_> = bookings
            .iter()
            .flat_map(|booking| [2 * n, 2 * n + 1].map(|n| note(*booking, n)))
            .collect();
        desk.send(&relay.part, &notes).await;
    }

    eventually(|| async { reader.part.seen().len() }).is(1_200).await;
    for booking in bookings {
        assert_eq!(reader.part.notes(booking), (0..400).collect::<Vec<_>>());
    }
}
