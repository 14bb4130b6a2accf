//! Each service is killed under load; every booking goes on to its end, charged once or not at all.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use karcis_testkit::{
    Answer, Booking, Concert, Fleet, Ledger, Person, Service, eventually, together,
};
use reqwest::Method;
use serde_json::json;

/// How many buy at a time.
const BUYERS: usize = 16;
/// How often each service is killed.
const ROUNDS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_booking_survives_the_crash_of_any_service() {
    let fleet = Fleet::of_processes(&[("KARCIS_RESEND_AFTER", "1s")]).await;
    let concert = fleet.concert().tickets("VIP", 100_000).published().await;
    let over = AtomicBool::new(false);

    let buying =
        together(BUYERS, (0..BUYERS).map(|number| buy_all_along(&fleet, &concert, number, &over)));
    let killing = async {
        for service in
            [Service::Event, Service::Booking, Service::Payment, Service::User].repeat(ROUNDS)
        {
            // With work in flight: bookings that have begun and not ended.
            eventually(async || match unfinished(&fleet).await {
                count @ 4.. => Ok(count),
                few => Err(few),
            })
            .await;
            let killed = fleet.processes().kill(service);
            eventually(async || fleet.processes().pid(service) != killed)
                .within(PATIENCE)
                .is(true)
                .await;
            fleet.ready(service).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (bought, ()) = tokio::join!(buying, killing);

    let bought: Vec<(Person, Booking)> = bought.into_iter().flatten().collect();
    assert!(bought.len() > 50, "only {} bookings", bought.len());
    let ids: Vec<_> = bought.iter().map(|(_, booking)| booking.id).collect();
    let ledgers = fleet.ledgers(&ids).await;
    assert!(ledgers.iter().all(|ledger| *ledger == Ledger::captured_once(750_000)));
    let stock = fleet.stock(&concert, "VIP").await;
    let all = fleet.stages().await.values().sum::<i64>();
    assert_eq!((stock.held, stock.sold), (0, all));
}

async fn unfinished(fleet: &Fleet) -> i64 {
    let stages = fleet.stages().await;
    let ends = ["confirmed", "cancelled", "rejected"];
    stages.iter().filter(|(stage, _)| !ends.contains(&stage.as_str())).map(|(_, count)| count).sum()
}

/// Books and pays, again and again, as a person would who tries again when a page does not load.
async fn buy_all_along(
    fleet: &Fleet,
    concert: &Concert,
    number: usize,
    over: &AtomicBool,
) -> Vec<(Person, Booking)> {
    let mut bought = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let buyer = fleet.buyer(&format!("buyer {number}.{}", bought.len())).await;
        let order = concert.order(&[("VIP", 1)]);
        let booking = insist(&buyer, Service::Booking, "/booking/create", &order).await.booking();
        let payment = json!({"booking_id": booking.id, "method": "tok_approved"});
        insist(&buyer, Service::Payment, "/payment/process", &payment).await;
        eventually(async || status(&buyer, &booking).await).within(PATIENCE).await;
        bought.push((buyer, booking));
    }
    bought
}

/// Posts with one idempotency key until it is accepted.
async fn insist(buyer: &Person, service: Service, path: &str, body: &serde_json::Value) -> Answer {
    let key = uuid::Uuid::now_v7().to_string();
    eventually(async || {
        let request = buyer.request(Method::POST, service, path).json(body);
        let answer = Answer::try_to(request.header("idempotency-key", &key)).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .within(PATIENCE)
    .await
}

async fn status(buyer: &Person, booking: &Booking) -> Result<(), String> {
    let path = format!("/bookings/{}", booking.id);
    let answer = Answer::try_to(buyer.request(Method::GET, Service::Booking, &path)).await?;
    if answer.body["status"] == "confirmed" { Ok(()) } else { Err(format!("{answer:?}")) }
}
