//! Stories of people, in which together every message is sent that there is.

use std::time::Duration;

use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person};
use karcis_schemas::{EVENT, USER};
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::timeout;
use uuid::Uuid;

const PAID: Ledger = Ledger { captures: 1, captured: 750_000, refunds: 0, refunded: 0 };
const PAID_BACK: Ledger = Ledger { refunds: 1, refunded: 750_000, ..PAID };
const UNPAID: Ledger = Ledger { captures: 0, captured: 0, refunds: 0, refunded: 0 };

/// How a booking has to end.
struct Told {
    booking: Booking,
    end: &'static str,
    ledger: Ledger,
}

/// Whether it is told for sure that a person is erased: nothing sends it again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erasure {
    IsTold,
    MayBeLost,
}

/// Tells all stories at once, each to its end.
pub(crate) async fn tell_all(fleet: &Fleet, erasure: Erasure) {
    let told = tokio::join!(
        a_buyer_keeps_a_ticket_of_an_event_that_moves(fleet),
        a_buyer_gives_a_ticket_back(fleet, "tok_approved"),
        a_buyer_gives_a_ticket_back(fleet, "tok_refund_refused"),
        a_buyer_is_declined(fleet),
        a_buyer_cancels_before_paying(fleet),
        a_buyer_pays_too_late(fleet),
        a_buyer_wants_more_than_there_is(fleet),
        a_buyer_loses_the_seats(fleet),
        a_buyer_is_erased(fleet, erasure),
        an_event_is_cancelled(fleet),
        an_event_is_deleted(fleet),
    );
    let told = [told.0, told.1, told.2, told.3, told.4, told.5, told.6, told.7, told.8, told.9];
    for it in &told {
        it.ends_well(fleet).await;
    }
}

impl Told {
    async fn ends_well(&self, fleet: &Fleet) {
        eventually(async || status(fleet, &self.booking).await).is(self.end).await;
        eventually(|| fleet.ledger(&self.booking)).is(self.ledger).await;
    }
}

/// What the saga has come to. A person who is erased cannot ask any more.
async fn status(fleet: &Fleet, booking: &Booking) -> String {
    let stage = "SELECT stage FROM bookings.booking WHERE id = $1";
    let stage = sqlx::query_scalar(stage).bind(booking.id.0);
    stage.fetch_one(fleet.environment().superuser()).await.unwrap()
}

async fn execute(superuser: &PgPool, statement: String) {
    sqlx::query(AssertSqlSafe(statement)).execute(superuser).await.unwrap();
}

async fn a_buyer(fleet: &Fleet) -> Person {
    fleet.registers(&Uuid::now_v7().to_string()).await
}

async fn ordered(fleet: &Fleet) -> (Person, Concert, Booking) {
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let buyer = a_buyer(fleet).await;
    let booking = buyer.books(&concert, "VIP", 1).await;
    (buyer, concert, booking)
}

async fn bought(fleet: &Fleet, method: &str) -> (Person, Concert, Booking) {
    let (buyer, concert, booking) = ordered(fleet).await;
    buyer.pays(&booking, method).await;
    eventually(|| buyer.sees(&booking)).is("confirmed").await;
    (buyer, concert, booking)
}

async fn a_buyer_keeps_a_ticket_of_an_event_that_moves(fleet: &Fleet) -> Told {
    let (buyer, concert, booking) = bought(fleet, "tok_approved").await;
    for venue in ["Gelora Bung Karno, Jakarta", "Tennis Indoor, Jakarta"] {
        let moved = json!({"event_id": concert.id, "venue": venue});
        concert.organiser.post(&EVENT, "/event/update", &moved).await.is(200);
    }
    let renamed = json!({"name": "Sari Dewi"});
    let rename = buyer.request(Method::PUT, &USER, "/profile/update").json(&renamed);
    Answer::to(rename).await.is(200);
    Told { booking, end: "confirmed", ledger: PAID }
}

async fn a_buyer_gives_a_ticket_back(fleet: &Fleet, method: &str) -> Told {
    let (buyer, _, booking) = bought(fleet, method).await;
    buyer.cancels(&booking).await.is(202);
    if method == "tok_refund_refused" {
        let superuser = fleet.environment().superuser();
        let stuck = async || {
            let stuck = "SELECT coalesce(stuck, '') FROM bookings.booking WHERE id = $1";
            let stuck = sqlx::query_scalar(stuck).bind(booking.id.0).fetch_one(superuser).await;
            let stuck: String = stuck.unwrap();
            stuck
        };
        eventually(stuck).is("refund_refused").await;
        let id = booking.id;
        let agree = "UPDATE simulated_gateway.charge SET method = 'tok_approved' WHERE intent =";
        execute(superuser, format!("{agree} '{id}'")).await;
    }
    Told { booking, end: "cancelled", ledger: PAID_BACK }
}

async fn a_buyer_is_declined(fleet: &Fleet) -> Told {
    let (buyer, _, booking) = ordered(fleet).await;
    buyer.pays(&booking, "tok_stolen_card").await.is(402);
    Told { booking, end: "cancelled", ledger: UNPAID }
}

async fn a_buyer_cancels_before_paying(fleet: &Fleet) -> Told {
    let (buyer, _, booking) = ordered(fleet).await;
    buyer.cancels(&booking).await.is(202);
    Told { booking, end: "cancelled", ledger: UNPAID }
}

async fn a_buyer_pays_too_late(fleet: &Fleet) -> Told {
    let (buyer, _, booking) = ordered(fleet).await;
    buyer.pays(&booking, "tok_executes_late").await.is(202);
    buyer.cancels(&booking).await.is(202);
    Told { booking, end: "cancelled", ledger: PAID_BACK }
}

async fn a_buyer_wants_more_than_there_is(fleet: &Fleet) -> Told {
    let concert = fleet.concert().tickets("VIP", 1).published().await;
    let buyer = a_buyer(fleet).await;
    let booking = buyer.orders(&concert, "VIP", 2).await;
    Told { booking, end: "rejected", ledger: UNPAID }
}

/// An operator releases them by mistake, as booking-service would: money buys no ticket then.
async fn a_buyer_loses_the_seats(fleet: &Fleet) -> Told {
    let (buyer, concert, booking) = ordered(fleet).await;
    let body = json!({"booking_id": booking.id, "event_id": concert.id});
    let (event, id) = (concert.id, booking.id);
    let release = format!(
        "INSERT INTO bookings.outbox (topic, key, kind, correlation, attempt, body)
         VALUES ('karcis.event-commands.v1', '{event}', 'karcis.ReleaseTickets.v1', '{id}', 2,
             convert_to('{body}', 'UTF8'))"
    );
    let is_free = || eventually(|| fleet.free(&concert, "VIP")).is(10);
    let again = Duration::from_secs(1);
    execute(fleet.environment().superuser(), release.clone()).await;
    while timeout(again, is_free()).await.is_err() {
        execute(fleet.environment().superuser(), release.clone()).await;
    }
    buyer.pays(&booking, "tok_approved").await.is(200);
    Told { booking, end: "cancelled", ledger: PAID_BACK }
}

/// What is not paid ends at once, or if nobody was told, at its deadline.
async fn a_buyer_is_erased(fleet: &Fleet, erasure: Erasure) -> Told {
    let (buyer, _, booking) = ordered(fleet).await;
    let erase = json!({"current_password": buyer.password()});
    let erase = buyer.request(Method::DELETE, &USER, "/profile").json(&erase);
    Answer::to(erase).await.is(204);
    if erasure == Erasure::MayBeLost {
        let due = "UPDATE bookings.booking SET due_at = now() WHERE id =";
        execute(fleet.environment().superuser(), format!("{due} '{}'", booking.id)).await;
    }
    Told { booking, end: "cancelled", ledger: UNPAID }
}

async fn an_event_is_cancelled(fleet: &Fleet) -> Told {
    let (_, concert, booking) = bought(fleet, "tok_approved").await;
    concert.is_called_off().await;
    Told { booking, end: "cancelled", ledger: PAID_BACK }
}

async fn an_event_is_deleted(fleet: &Fleet) {
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let path = format!("/event/delete?event_id={}", concert.id);
    Answer::to(concert.organiser.request(Method::DELETE, &EVENT, &path)).await.is(204);
}
