//! A booking carries its buyer's name and those of who comes, until the buyer is erased.

use karcis_contracts::{UserErased, UserFact};
use karcis_http::{AUDIENCE, Claims, ISSUER};
use karcis_kernel::{EventId, Role, TicketTypeId, UserId};
use karcis_process::now;
use karcis_testkit::{Answer, Person, eventually, token_of};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Booked, TestApp, concert, id_of, order},
    moved::updated,
};

impl TestApp {
    /// A buyer whose token says this name.
    fn named(&self, name: &str) -> Person {
        let mut person = self.person(UserId(Uuid::now_v7()), Role::Buyer);
        let iat = now().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: person.user_id,
            role: Role::Buyer,
            iat,
            exp: iat + 900,
            sid: None,
            email_verified: false,
            name: Some(name.to_owned()),
        };
        person.token = Some(token_of(&claims));
        person
    }

    /// Two tickets for these people.
    async fn books_for(&self, buyer: &Person, event_id: EventId, names: &[&str]) -> Booked {
        let ticket_type_id = TicketTypeId(Uuid::now_v7());
        let order = for_people(order(event_id, ticket_type_id), names);
        let answer = buyer.post("/booking/create", &order).await.is(202);
        assert_eq!(answer.body["attendees"], order["attendees"]);
        Booked { id: id_of(&answer.body), event_id, ticket_type_id }
    }

    async fn confirms(&self, buyer: &Person, booking: Booked) {
        self.makes_payable(booking).await;
        self.sells(booking).await;
        let path = format!("/bookings/{}", booking.id);
        eventually(async || buyer.get(&path).await.body["status"].clone())
            .is(json!("confirmed"))
            .await;
    }

    /// How many bookings of this event somebody is named in.
    async fn named_bookings(&self, event: EventId) -> i64 {
        let count = "SELECT count(*) FROM bookings.booking_names WHERE event_id = $1";
        let count = sqlx::query_scalar(count).bind(event.0);
        count.fetch_one(self.environment.superuser()).await.expect("names can be counted")
    }
}

/// The order, for these people.
fn for_people(mut order: Value, names: &[&str]) -> Value {
    let kind = order["items"][0]["ticket_type_id"].clone();
    let people = names.iter().map(|name| json!({"ticket_type_id": kind, "name": name}));
    order["attendees"] = people.collect();
    order
}

async fn reads(person: &Person, query: &str) -> Answer {
    person.get(&format!("/bookings/attendees?{query}")).await
}

#[tokio::test]
async fn the_organiser_reads_who_comes_and_the_buyer_reads_the_own_names() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    let sari = app.named("Sari Dewi");
    let sold = app.books_for(&sari, event, &["Budi", "Citra"]).await;
    app.confirms(&sari, sold).await;
    let plain = app.buyer();
    let alone = app.books_for(&plain, event, &["Eka"]).await;
    app.confirms(&plain, alone).await;
    // Neither one that is not confirmed nor one of another event is among them.
    app.books_for(&sari, event, &["Fajar"]).await;
    let other = app.books_for(&sari, EventId(Uuid::now_v7()), &["Gita"]).await;
    app.confirms(&sari, other).await;

    let shown = sari.get(&format!("/bookings/{}", sold.id)).await.is(200);
    let people =
        ["Budi", "Citra"].map(|name| json!({"ticket_type_id": sold.ticket_type_id, "name": name}));
    assert_eq!(shown.body["attendees"], json!(people));
    assert_eq!(sari.get("/bookings").await.is(200).body["items"][0]["attendees"], json!([]));

    let organiser = app.person(UserId(Uuid::nil()), Role::Organiser);
    let of_event = format!("event_id={event}");
    reads(&organiser, &of_event).await.is_problem(404, "not-found");
    app.publishes([updated(event, concert(2), None)]).await;
    eventually(|| app.knows(event)).is(Some(2)).await;
    let all = json!([
        {
            "booking_id": alone.id, "buyer_name": null,
            "attendees": [{"ticket_type_id": alone.ticket_type_id, "name": "Eka"}],
        },
        {"booking_id": sold.id, "buyer_name": "Sari Dewi", "attendees": people},
    ]);
    let person = |role| app.person(UserId(Uuid::now_v7()), role);
    for reader in [&organiser, &person(Role::Door), &person(Role::Admin)] {
        let list = reads(reader, &of_event).await.is(200);
        assert_eq!(list.body, json!({"items": all, "next_cursor": null}));
        assert_eq!(list.headers["cache-control"], "no-store");
    }
    let first = reads(&organiser, &format!("{of_event}&limit=1")).await.is(200).body;
    assert_eq!(first["items"], json!([all[0]]));
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = reads(&organiser, &format!("{of_event}&limit=1&cursor={cursor}")).await.is(200);
    assert_eq!(rest.body, json!({"items": [all[1]], "next_cursor": null}));

    reads(&person(Role::Organiser), &of_event).await.is_problem(404, "not-found");
    for role in [Role::Buyer, Role::Operator] {
        reads(&person(role), &of_event).await.is_problem(403, "wrong-role");
    }
    reads(&app.visitor, &of_event).await.is_problem(401, "not-logged-in");
    reads(&organiser, "").await.is_problem(422, "invalid-input").is_about("event_id");
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_long_names_is_cut_short_and_goes_on() {
    let app = TestApp::start().await;
    let (event, admin) = (EventId(Uuid::now_v7()), app.person(UserId(Uuid::nil()), Role::Admin));
    let mut order = order(event, TicketTypeId(Uuid::nil()));
    order["items"][0]["quantity"] = json!(80);
    let order = for_people(order, &[&*"孫".repeat(200); 80]);
    let (buyer, mut ids) = (app.buyer(), vec![]);
    for _ in 0..3 {
        let created = buyer.post("/booking/create", &order).await.is(202);
        ids.insert(0, json!(id_of(&created.body)));
    }
    let confirm = "UPDATE bookings.booking SET stage = 'confirmed', wake_at = NULL, due_at = NULL";
    sqlx::query(confirm).execute(app.environment.superuser()).await.expect("they are confirmed");
    let (mut seen, mut cursor) = (vec![], String::new());
    loop {
        let page = reads(&admin, &format!("event_id={event}{cursor}")).await.is(200).body;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 1, "two would be too much");
        seen.extend(items.iter().map(|item| item["booking_id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ids);
    app.stop().await;
}

#[tokio::test]
async fn who_is_erased_and_who_came_along_are_named_nowhere_any_more() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    let (gone, stays) = (app.named("Sari Dewi"), app.named("Budi"));
    let sold = app.books_for(&gone, event, &["Citra"]).await;
    app.confirms(&gone, sold).await;
    let other = app.books_for(&stays, event, &[]).await;
    assert_eq!(app.named_bookings(event).await, 2);
    app.publishes([UserFact::from(UserErased { user_id: gone.user_id })]).await;
    eventually(|| app.named_bookings(event)).is(1).await;
    let path = format!("/bookings/{}", sold.id);
    let kept = gone.get(&path).await.is(200).body;
    assert_eq!((&kept["status"], &kept["attendees"]), (&json!("confirmed"), &json!([])));
    // The token is still good for a while; what it names is erased again.
    app.books_for(&gone, event, &["Citra"]).await;
    eventually(|| app.named_bookings(event)).is(1).await;
    app.publishes([UserFact::from(UserErased { user_id: stays.user_id })]).await;
    eventually(|| app.named_bookings(event)).is(0).await;
    stays.get(&format!("/bookings/{}", other.id)).await.is(200);
    app.stop().await;
}

#[tokio::test]
async fn names_are_part_of_the_request_that_a_key_belongs_to_and_in_no_message() {
    let app = TestApp::start().await;
    let buyer = app.named("Zwitscherling");
    let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let sends = async |names: &[&str]| {
        let request = buyer.request(Method::POST, "/booking/create");
        let request = request.json(&for_people(order.clone(), names));
        Answer::to(request.header("idempotency-key", "once")).await
    };
    let first = sends(&["Kanarienvogel"]).await.is(202);
    sends(&["Dewi"]).await.is_problem(422, "idempotency-key-reused");
    let again = sends(&["Kanarienvogel"]).await.is(202);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.body["attendees"], first.body["attendees"]);
    let booking = Booked {
        id: id_of(&first.body),
        event_id: EventId(Uuid::nil()),
        ticket_type_id: TicketTypeId(Uuid::nil()),
    };
    app.receives(booking, "ReserveTickets").await;
    let kept = "SELECT count(*) FROM (
        SELECT booking::text FROM bookings.booking UNION ALL SELECT saga_log::text FROM bookings.saga_log
        UNION ALL SELECT idempotency_key::text FROM bookings.idempotency_key) AS kept (said)
        WHERE said ~ 'Zwitscherling|Kanarienvogel'";
    let kept: i64 = sqlx::query_scalar(kept)
        .fetch_one(app.environment.superuser())
        .await
        .expect("tables can be searched");
    assert_eq!(kept, 0);
    let said = format!("{:?} {:?}", app.facts(booking), app.commands(booking));
    assert!(!said.contains("Zwitscherling") && !said.contains("Kanarienvogel"), "{said}");
    app.stop().await;
}
