//! A buyer who does not pay in time loses the seats, but only once no money can come any more.

use karcis_fleet::{Fleet, Ledger};
use karcis_testkit::eventually;

#[tokio::test]
async fn unpaid_bookings_give_their_seats_back() {
    // Time enough to become payable on a busy machine: what is due before takes another way.
    let fleet = Fleet::builder().payment_window("15s").start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;

    let cancelled = ("cancelled".to_owned(), "payment_expired".to_owned());
    eventually(|| sari.sees_why(&booking)).is(cancelled).await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    let sent = ["ReserveTickets", "RequestPayment", "CancelPayment", "ReleaseTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
}

#[tokio::test]
async fn a_payment_that_was_under_way_at_the_deadline_is_settled_one_way_or_the_other() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let processing = sari.pays(&booking, "tok_slow").await.is(202);
    assert_eq!(processing.body["status"], "processing");
    let deadline =
        "UPDATE bookings.booking SET due_at = now() WHERE id = $1 AND stage = 'awaiting'";
    let deadline = sqlx::query(deadline).bind(booking.id.0);
    deadline.execute(fleet.environment().superuser()).await.unwrap();

    let end = eventually(async || match sari.sees(&booking).await.as_str() {
        end @ ("confirmed" | "cancelled") => Ok(end.to_owned()),
        other => Err(other.to_owned()),
    })
    .await;
    let kept = if end == "confirmed" { 750_000 } else { 0 };
    eventually(async || fleet.ledger(&booking).await.kept()).is(kept).await;
    let free = if end == "confirmed" { 9 } else { 10 };
    eventually(|| fleet.free(&concert, "VIP")).is(free).await;
}
