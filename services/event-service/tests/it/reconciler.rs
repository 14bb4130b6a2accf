//! The reconciler finds stock that does not add up, and mends nothing.

use karcis_kernel::{BookingId, Role, TicketTypeId};
use karcis_testkit::{Person, TestEnvironment, eventually};
use serde_json::{Value, json};

use crate::harness::{TestApp, plan};

const LIST: &str = "/ops/event/differences";
const FAST: [&str; 2] = ["--reconcile-every-ms", "20"];

#[tokio::test]
async fn stock_that_differs_from_its_holds_is_listed_until_it_adds_up_again() {
    let app = TestApp::start_with(TestEnvironment::start().await, &FAST).await;
    let (organiser, operator) = (app.organiser(), app.person(Role::Operator));
    let others = app.made(&organiser, &plan(10)).await;
    let event = app.made(&organiser, &plan(10)).await;
    app.ask(event.reserve(2)).await;
    let sold = event.reserve(3);
    let booking: BookingId = sold.booking_id;
    app.ask(sold).await;
    app.confirmed(&event, booking).await;
    app.ask(others.reserve(1)).await;
    app.environment.all_is_compared_again("events").await;
    assert_eq!(items(&operator, LIST).await, Vec::<Value>::new(), "it adds up");

    app.change_held(event.types[0], 1).await;
    let found = one_of(&operator, LIST).await;
    assert_eq!([&found["kind"], &found["subject_id"]], [&json!("stock"), &json!(event.types[0])]);
    let detail = "of 10 seats 3 held and 3 sold, but its holds have 2 and 3";
    let detail = format!("event {}: {detail}", event.id);
    assert_eq!([&found["detail"], &found["gone_at"]], [&json!(detail), &Value::Null]);
    app.environment.all_is_compared_again("events").await;
    let again = one_of(&operator, LIST).await;
    assert_eq!(again["difference_id"], found["difference_id"], "it is listed once");
    assert_eq!(app.stock(event.types[0]).await, (10, 3, 3), "nothing is mended");
    let gauge = r#"karcis_differences{kind="stock"} 1"#;
    eventually(async || app.metrics().await.contains(gauge)).is(true).await;

    app.change_held(event.types[0], -1).await;
    eventually(async || items(&operator, LIST).await.len()).is(0).await;
    let gone = items(&operator, &format!("{LIST}?with_gone=true")).await;
    assert_eq!(gone.len(), 1);
    assert!(gone[0]["gone_at"].is_string(), "{gone:?}");
    app.change_held(event.types[0], 2).await;
    let back = one_of(&operator, LIST).await;
    assert_ne!(back["first_seen_at"], found["first_seen_at"], "it is another one");
    app.change_held(event.types[0], -2).await;

    organiser.get(LIST).await.is_problem(403, "wrong-role");
    operator.get(&format!("{LIST}?limit=0")).await.is_about("limit");
    app.stop().await;
}

async fn items(operator: &Person, list: &str) -> Vec<Value> {
    let list = operator.get(list).await.is(200).body;
    list["items"].as_array().expect("a list").clone()
}

/// Waits until the list has one item.
async fn one_of(operator: &Person, list: &str) -> Value {
    eventually(async || match &items(operator, list).await[..] {
        [one] => Ok(one.clone()),
        others => Err(others.to_vec()),
    })
    .await
}

#[tokio::test]
async fn a_difference_of_an_event_that_is_long_over_is_compared_until_it_is_gone() {
    let app = TestApp::start_with(TestEnvironment::start().await, &FAST).await;
    let (organiser, operator) = (app.organiser(), app.person(Role::Operator));
    let event = app.made(&organiser, &plan(10)).await;
    app.ask(event.reserve(2)).await;
    app.change_held(event.types[0], 1).await;
    one_of(&operator, LIST).await;

    let ends = "UPDATE events.event SET starts_at = now() - interval '40 days',
        ends_at = now() - interval '39 days' WHERE event_id = $1";
    let ends = sqlx::query(ends).bind(event.id.0).execute(app.environment.superuser()).await;
    assert_eq!(ends.expect("it can be changed").rows_affected(), 1);
    app.change_held(event.types[0], -1).await;
    eventually(async || items(&operator, LIST).await.len()).is(0).await;
    app.stop().await;
}

impl TestApp {
    async fn metrics(&self) -> String {
        let metrics = self.person(Role::Operator).get("/metrics").await.is(200).body;
        metrics.as_str().expect("a text").to_owned()
    }

    /// As if a bug counted wrongly.
    async fn change_held(&self, of: TicketTypeId, by: i32) {
        let change = "UPDATE events.ticket_type SET held = held + $2 WHERE ticket_type_id = $1";
        let change = sqlx::query(change).bind(of.0).bind(by);
        change.execute(self.environment.superuser()).await.expect("it can be changed");
    }
}
