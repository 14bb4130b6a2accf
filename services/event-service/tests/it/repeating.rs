//! Requests that are sent again, and requests about what has changed meanwhile.

use std::collections::HashSet;

use karcis_testkit::{Answer, Person, eventually, together};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, in_days, plan, with};

fn create(by: &Person, key: &str, plan: &Value) -> impl Future<Output = Answer> + use<> {
    let request = by.request(Method::POST, "/event/create");
    Answer::to(request.header("idempotency-key", key).json(plan))
}

fn is_repeated(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("a tag").to_owned()
}

#[tokio::test]
async fn the_same_key_twenty_times_at_once_makes_one_event() {
    let app = TestApp::start().await;
    let (organiser, other) = (app.organiser(), app.organiser());
    let wanted = plan(40);
    let answers = together(20, (0..20).map(|_| create(&organiser, "tour/7", &wanted))).await;
    let ids: HashSet<_> =
        answers.iter().map(|answer| answer.body["event_id"].to_string()).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !is_repeated(answer)).count(), 1);
    assert!(
        answers.iter().all(|answer| answer.headers["location"] == answers[0].headers["location"])
    );

    // Another body is another request, another organiser's key is another key.
    create(&organiser, "tour/7", &plan(41)).await.is_problem(422, "idempotency-key-reused");
    let same = with(wanted.clone(), json!({"ends_at": null}));
    assert!(is_repeated(&create(&organiser, "tour/7", &same).await.is(201)));
    let others = create(&other, "tour/7", &wanted).await.is(201);
    assert!(!is_repeated(&others) && !ids.contains(&others.body["event_id"].to_string()));
    for (key, makes) in [("tour/8", true), ("tour/8", false)] {
        assert_eq!(is_repeated(&create(&organiser, key, &wanted).await.is(201)), !makes);
    }
    let stored = "SELECT count(*) FROM events.event WHERE organiser_id = $1";
    let count: i64 = sqlx::query_scalar(stored)
        .bind(organiser.user_id.0)
        .fetch_one(app.environment.superuser())
        .await
        .expect("a count");
    assert_eq!(count, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_creation_is_answered_with_the_event_as_it_is_now() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    create(&organiser, "mine", &json!({"title": "T"})).await.is(422);
    create(&organiser, "k k", &plan(1)).await.is_about("Idempotency-Key");
    let plan = with(plan(5), json!({"status": "draft", "starts_at": in_days(3)}));
    let first = create(&organiser, "mine", &plan).await.is(201);
    let id = &first.body["event_id"];
    let renamed = json!({"event_id": id, "title": "Dewa 19, two nights"});
    organiser.post("/event/update", &renamed).await.is(200);

    // What was right then may be refused now.
    let past = "UPDATE events.event SET starts_at = now() - interval '1 day' WHERE title = $1";
    let past = sqlx::query(past).bind("Dewa 19, two nights");
    past.execute(app.environment.superuser()).await.expect("time passes");
    let again = create(&organiser, "mine", &plan).await.is(201);
    assert!(is_repeated(&again));
    assert_eq!(again.body["title"], "Dewa 19, two nights");
    assert_eq!(again.body["version"], 2);

    let delete = format!("/event/delete?event_id={}", id.as_str().expect("an id"));
    Answer::to(organiser.request(Method::DELETE, &delete)).await.is(204);
    create(&organiser, "mine", &plan).await.is_problem(404, "not-found");
    app.stop().await;
}

#[tokio::test]
async fn a_key_is_kept_for_a_day_and_a_creation_that_lost_its_answer_is_no_repetition() {
    let (app, proxy) = TestApp::losing_commits().await;
    let (organiser, wanted) = (app.organiser(), plan(10));
    proxy.lose("INSERT INTO event (");
    let first = create(&organiser, "once", &wanted).await.is(201);
    assert_eq!(proxy.lost(), 1);
    assert!(!is_repeated(&first), "it was this request that created it");
    let again = create(&organiser, "once", &wanted).await.is(201);
    assert_eq!(again.body["event_id"], first.body["event_id"]);

    let age = "UPDATE events.idempotency_key SET created_at = created_at - interval '1 day'";
    sqlx::query(age).execute(app.environment.superuser()).await.expect("time passes");
    let later = create(&organiser, "once", &wanted).await.is(201);
    assert_ne!(later.body["event_id"], first.body["event_id"]);
    assert!(!is_repeated(&later));
    app.stop().await;
}

#[tokio::test]
async fn an_event_that_is_known_is_not_sent_again_until_it_is_edited_or_sold() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let path = format!("/events/{}", event.id);
    let visitor = app.visitor();
    let known = async |tag: &str| {
        Answer::to(visitor.request(Method::GET, &path).header("if-none-match", tag)).await
    };
    let mut tags = vec![tag(&visitor.get(&path).await.is(200))];
    let unchanged = known(&tags[0]).await.is(304);
    assert_eq!((tag(&unchanged), unchanged.body), (tags[0].clone(), Value::Null));

    app.ask(event.reserve(3)).await;
    let sold = eventually(async || {
        let answer = known(&tags[0]).await;
        if answer.status == 200 { Ok(answer) } else { Err(answer) }
    });
    let sold = sold.await;
    assert_eq!(sold.body["ticket_types"][0]["available"], 7);
    tags.push(tag(&sold));

    let change = json!({"event_id": event.id, "venue": "Gelora Bung Karno"});
    let edited = organiser.post("/event/update", &change).await.is(200);
    let seen = eventually(async || {
        let answer = known(&tags[1]).await;
        if answer.status == 200 { Ok(answer) } else { Err(answer) }
    });
    let seen = seen.await;
    assert_eq!(seen.body["venue"], "Gelora Bung Karno");
    assert_eq!(tag(&seen), tag(&edited), "an update tells the next tag");
    app.stop().await;
}

#[tokio::test]
async fn if_match_is_another_way_to_say_which_version_is_edited() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let first = tag(&organiser.get(&format!("/events/{}", event.id)).await.is(200));
    let update = async |tag: &str, change: Value| {
        let change = with(event.named(), change);
        let request = organiser.request(Method::PUT, "/event/update");
        Answer::to(request.header("if-match", tag).json(&change)).await
    };
    app.ask(event.reserve(1)).await;
    let second = update(&first, json!({"title": "Dewa 20"})).await.is(200);
    assert_eq!(second.body["version"], 2, "a sale is no edit");
    let conflict = update(&first, json!({"title": "Dewa 21"})).await;
    let conflict = conflict.is_problem(409, "version-conflict");
    assert_eq!(conflict.body["version"], 2);
    update("\"another server's\"", json!({"title": "D"})).await.is_problem(409, "version-conflict");
    update("\"2-0\"", json!({"title": "D", "version": 1})).await.is_about("If-Match");
    update("2", json!({"title": "D"})).await.is_about("If-Match");
    update(&tag(&second), json!({"title": "Dewa 22", "version": 2})).await.is(200);
    update("*", json!({"title": "Dewa 23"})).await.is(200);
    app.stop().await;
}
