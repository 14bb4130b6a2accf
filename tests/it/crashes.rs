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
        let mut ended = 0;
        for service in
            [Service::Event, Service::Booking, Service::Payment, Service::User].repeat(ROUNDS)
        {
            // Some have ended since the last kill, and some are under way.
            let wanted = ended + 8;
            ended = eventually(async || match progress(&fleet).await {
                (under_way @ 4.., ended) if ended >= wanted => Ok((under_way, ended)),
                other => Err(other),
            })
            .within(PATIENCE)
            .await
            .1;
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

    let bought: Vec<Bought> = bought.into_iter().flatten().collect();
    let count = |end| bought.iter().filter(|bought| bought.end == end).count();
    let counts = [End::Kept, End::GivenBack, End::Declined].map(count);
    assert!(counts.iter().all(|count| *count > 5), "too few bookings to tell: {counts:?}");
    let ids: Vec<_> = bought.iter().map(|bought| bought.booking.id).collect();
    for (bought, ledger) in bought.iter().zip(fleet.ledgers(&ids).await) {
        let expected = match bought.end {
            End::Kept => Ledger::captured_once(750_000),
            End::GivenBack => Ledger::refunded_once(750_000),
            End::Declined => Ledger::default(),
        };
        assert_eq!(ledger, expected, "{bought:?}");
    }
    let stock = fleet.stock(&concert, "VIP").await;
    assert_eq!((stock.held, stock.sold), (0, counts[0] as i64));
}

/// A booking that came to the end its buyer wanted.
#[derive(Debug)]
struct Bought {
    booking: Booking,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Kept,
    GivenBack,
    Declined,
}

/// How many bookings have not ended, and how many have.
async fn progress(fleet: &Fleet) -> (i64, i64) {
    let stages = fleet.stages().await;
    let ended = ["confirmed", "cancelled", "rejected"].map(|stage| stages.get(stage).unwrap_or(&0));
    let ended = ended.into_iter().sum();
    (stages.values().sum::<i64>() - ended, ended)
}

/// Books and pays, again and again, as a person would who tries again when a page does not load;
/// gives every third booking back, and pays every third with a stolen card.
async fn buy_all_along(
    fleet: &Fleet,
    concert: &Concert,
    number: usize,
    over: &AtomicBool,
) -> Vec<Bought> {
    let mut bought = Vec::new();
    let ends = [End::Kept, End::GivenBack, End::Declined].into_iter().cycle().skip(number);
    for end in ends.take_while(|_| !over.load(Ordering::Relaxed)) {
        let buyer = fleet.buyer("Sari").await;
        let order = concert.order(&[("VIP", 1)]);
        let booking = insist(&buyer, Service::Booking, "/booking/create", &order).await.booking();
        let method = if end == End::Declined { "tok_stolen_card" } else { "tok_approved" };
        let payment = json!({"booking_id": booking.id, "method": method});
        insist(&buyer, Service::Payment, "/payment/process", &payment).await;
        if end != End::Declined {
            reaches(&buyer, &booking, "confirmed").await;
        }
        if end == End::GivenBack {
            let cancel = json!({"booking_id": booking.id});
            insist(&buyer, Service::Booking, "/booking/cancel", &cancel).await;
        }
        if end != End::Kept {
            reaches(&buyer, &booking, "cancelled").await;
        }
        bought.push(Bought { booking, end });
    }
    bought
}

/// Posts with one idempotency key until that is accepted or the payment is declined.
async fn insist(buyer: &Person, service: Service, path: &str, body: &serde_json::Value) -> Answer {
    let key = uuid::Uuid::now_v7().to_string();
    eventually(async || {
        let request = buyer.request(Method::POST, service, path).json(body);
        let answer = Answer::try_to(request.header("idempotency-key", &key)).await?;
        let is_final = answer.status.is_success() || answer.status == 402;
        if is_final { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .within(PATIENCE)
    .await
}

async fn reaches(buyer: &Person, booking: &Booking, status: &str) {
    let path = format!("/bookings/{}", booking.id);
    eventually(async || {
        let answer = Answer::try_to(buyer.request(Method::GET, Service::Booking, &path)).await?;
        if answer.body["status"] == status { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .within(PATIENCE)
    .await
}
