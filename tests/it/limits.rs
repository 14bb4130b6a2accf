//! Rate limits: an office that shares one address buys, a program is stopped.

use futures_util::future::join_all;
use karcis_fleet::{Fleet, Person};
use karcis_schemas::{BOOKING, EVENT, USER};
use karcis_testkit::{Answer, eventually, together};
use reqwest::Method;
use serde_json::json;

/// More than one account may create at once.
const FLOOD: usize = 100;

#[tokio::test]
async fn an_office_behind_one_address_gets_through_an_on_sale_and_a_flood_does_not() {
    let fleet = Fleet::of_processes(&[("KARCIS_RATE_LIMITS", "on")]).await;
    let concert = fleet.concert().tickets("VIP", 1_000).published().await;
    let names: Vec<_> = (0..12).map(|number| format!("Colleague {number}")).collect();
    join_all(names.iter().map(async |name| {
        let person = fleet.registers(name).await;
        let login = json!({"email": person.email(), "password": person.password()});
        person.post(&USER, "/login", &login).await.is(200);
        for _ in 0..20 {
            // Without a token, as before the log-in.
            let pages = person.request(Method::GET, &EVENT, "/events").build().unwrap();
            let url = pages.url().clone();
            assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
            person.get(&BOOKING, "/bookings").await.is(200);
        }
        let booking = person.books(&concert, "VIP", 2).await;
        let path = format!("/bookings/{}", booking.id);
        let live = person.request(Method::GET, &BOOKING, &path);
        let live = live.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(live.status(), 200);
        person.pays_up(&booking).await;
        eventually(|| person.sees(&booking)).is("confirmed").await;
    }))
    .await;

    let bot = fleet.registers("A Bot").await;
    let answers = flood(&bot, &concert).await;
    assert!(answers.iter().any(|answer| answer.status == 202));
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status != 202).collect();
    assert!(!refused.is_empty(), "{FLOOD} at once are too many");
    for answer in refused {
        answer.is_problem(429, "too-many-requests");
    }
}

#[tokio::test]
async fn a_fleet_that_is_thrown_away_limits_nobody() {
    let fleet = Fleet::of_processes(&[]).await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let bot = fleet.buyer("Bot").await;
    for answer in flood(&bot, &concert).await {
        answer.is(202);
    }
}

async fn flood(bot: &Person, concert: &karcis_fleet::Concert) -> Vec<Answer> {
    let order = concert.order(&[("VIP", 1)]);
    together(20, (0..FLOOD).map(|_| bot.post(&BOOKING, "/booking/create", &order))).await
}
