//! A message that cannot be handled is dead-lettered with its error, and nothing waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use karcis_contracts::{BookingFact, Message};
use karcis_database::audit;
use karcis_messaging::{Acted, DeadLetter, DeadLetters, HandleError, Outbox};
use karcis_schemas as schemas;
use karcis_testkit::eventually;
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use uuid::Uuid;

use crate::harness::{TestApp, by, note};

#[tokio::test]
async fn a_poisonous_note_is_dead_lettered_and_the_others_are_handled_in_order() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let booking = Uuid::now_v7();
    let notes: Vec<_> = (0..100).map(|n| note(booking, n)).collect();
    app.send(&relay.part, &notes).await;
    eventually(|| app.unsent()).is(0).await;

    let reader = app.reader_that(|notes| match notes.iter().any(|(_, n)| *n == 41 || *n == 77) {
        true => Err(HandleError::Poison("there is a bad number".to_owned())),
        false => Ok(()),
    });

    let good: Vec<_> = (0..100).filter(|n| *n != 41 && *n != 77).collect();
    eventually(|| async { reader.part.notes(booking) }).is(good).await;
    let dead = dead_letters_of(&app, &relay.part).await;
    let bodies: Vec<String> = dead.iter().map(body).collect();
    assert_eq!(dead.len(), 2);
    assert_eq!(pages_of(&app, &relay.part).await, dead);
    assert!(bodies[0].contains(r#""reason":"77""#) && bodies[1].contains(r#""reason":"41""#));
    for one in dead {
        assert_eq!(one.topic, BookingFact::TOPIC);
        assert_eq!(one.kind.as_deref(), Some("karcis.BookingCancelled.v1"));
        assert_eq!(one.key, Some(booking.to_string().into_bytes()));
        assert_eq!(one.error, "there is a bad number");
        assert_eq!(one.headers["ce_source"], "booking-service");
    }
}

#[tokio::test]
async fn a_redriven_note_is_handled_and_a_discarded_one_is_gone() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = mended.clone();
    let reader = app.reader_that(move |_| match is_mended.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(HandleError::Poison("not yet".to_owned())),
    });
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 1), note(booking, 2)]).await;
    let dead = eventually(|| async {
        let dead = dead_letters_of(&app, &relay.part).await;
        if dead.len() == 2 { Ok(dead) } else { Err(dead) }
    })
    .await;

    mended.store(true, Ordering::SeqCst);
    let dead_letters = DeadLetters::new(app.pool.clone(), relay.part.clone());
    let [second, first] = [dead[0].id, dead[1].id];
    let id_of_first = dead[1].headers["ce_id"].as_str().unwrap().to_owned();
    assert_eq!(dead_letters.redrive(first, &by()).await.unwrap(), Acted::Now);
    assert_eq!(dead_letters.discard(second, &by()).await.unwrap(), Acted::Now);

    eventually(|| async { reader.part.notes(booking) }).is(vec![1]).await;
    assert_eq!(reader.part.ids(booking), [id_of_first], "it is the same message");
    assert_eq!(dead_letters_of(&app, &relay.part).await, []);
    // Again changes nothing, nor does what cannot be any more.
    assert_eq!(dead_letters.redrive(first, &by()).await.unwrap(), Acted::Before);
    assert_eq!(dead_letters.discard(second, &by()).await.unwrap(), Acted::Before);
    assert_eq!(dead_letters.redrive(second, &by()).await.unwrap(), Acted::NotFound);
    let acts = audit(&app.pool, None, 100).await.unwrap();
    let acts: Vec<_> = acts.iter().map(|act| (&*act.action, act.subject_id)).collect();
    assert_eq!(acts, [("discard_dead_letter", second), ("redrive_dead_letter", first)]);
}

#[tokio::test]
async fn two_operators_who_redrive_a_note_at_once_send_it_once() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = mended.clone();
    let reader = app.reader_that(move |_| match is_mended.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(HandleError::Poison("not yet".to_owned())),
    });
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 1)]).await;
    eventually(|| async { dead_letters_of(&app, &relay.part).await.len() }).is(1).await;
    let id = dead_letters_of(&app, &relay.part).await[0].id;

    mended.store(true, Ordering::SeqCst);
    // Somebody has its row locked, so that both meet it at the same time.
    let mut lock = app.environment.superuser().begin().await.unwrap();
    let locked = "SELECT id FROM bookings.dead_letter FOR UPDATE";
    sqlx::query(locked).execute(&mut *lock).await.unwrap();
    let redrive = || {
        let dead_letters = DeadLetters::new(app.pool.clone(), relay.part.clone());
        tokio::spawn(async move { dead_letters.redrive(id, &by()).await.unwrap() })
    };
    let (one, other) = (redrive(), redrive());
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = async || {
        let waiting = sqlx::query_scalar::<_, i64>(waiting);
        waiting.fetch_one(app.environment.superuser()).await.unwrap()
    };
    eventually(waiting).is(2).await;
    lock.commit().await.unwrap();

    let mut acted = [one.await.unwrap(), other.await.unwrap()];
    acted.sort_by_key(|acted| *acted == Acted::Before);
    assert_eq!(acted, [Acted::Now, Acted::Before]);
    eventually(|| async { reader.part.notes(booking) }).is(vec![1]).await;
    assert_eq!(audit(&app.pool, None, 100).await.unwrap().len(), 1);
    eventually(|| app.unsent()).is(0).await;
}

#[tokio::test]
async fn a_note_that_is_sent_again_updates_its_dead_letter() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let tries = Arc::new(AtomicU32::new(0));
    let tried = tries.clone();
    let _reader = app.reader_that(move |_| {
        let tried = tried.fetch_add(1, Ordering::SeqCst) + 1;
        Err(HandleError::Poison(format!("failed {tried} times")))
    });
    let booking = Uuid::now_v7();
    let dead_after = async |times: u32| {
        app.send(&relay.part, &[note(booking, 1)]).await;
        eventually(|| async {
            match &dead_letters_of(&app, &relay.part).await[..] {
                [one] if one.error == format!("failed {times} times") => Ok(one.clone()),
                others => Err(others.to_vec()),
            }
        })
        .await
    };

    let first = dead_after(1).await;
    let second = dead_after(2).await;

    assert_eq!((second.id, second.first_seen_at), (first.id, first.first_seen_at));
    assert!(second.last_seen_at > first.last_seen_at && second.offset > first.offset);
    // A note that differs has a dead letter of its own.
    app.send(&relay.part, &[note(booking, 2)]).await;
    eventually(|| async { dead_letters_of(&app, &relay.part).await.len() }).is(2).await;
}

#[tokio::test]
async fn what_is_no_json_is_dead_lettered_and_what_is_unknown_is_skipped() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    // Also characters that Postgres refuses: they must not stop the table from taking it.
    produce(&app, "karcis.BookingCancelled.v1", "no\0t json", "a\0b").await;
    produce(&app, "karcis.NotInventedYet.v1", "{}", "x").await;
    produce(&app, "", "{}", "x").await;
    app.send(&relay.part, &[note(booking, 1)]).await;

    eventually(|| async { reader.part.notes(booking) }).is(vec![1]).await;
    let dead = || app.environment.dead_letters(schemas::BOOKINGS);
    eventually(async || dead().await.len()).is(1).await;
    let [(kind, error)] = &dead().await[..] else { panic!() };
    assert_eq!(kind.as_deref(), Some("karcis.BookingCancelled.v1"));
    assert!(error.contains("line 1 column 2"), "{error}");
    let dead = dead_letters_of(&app, &relay.part).await;
    assert_eq!(dead[0].headers["remark"], "a\u{fffd}b");
    let dead_letters = DeadLetters::new(app.pool.clone(), relay.part.clone());
    let acted = dead_letters.redrive(dead[0].id, &by()).await.unwrap();
    assert_eq!((acted, dead[0].can_be_redriven), (Acted::Impossible, false), "it has no key");
    assert_eq!(audit(&app.pool, None, 100).await.unwrap(), []);
}

async fn dead_letters_of(app: &TestApp, outbox: &Outbox) -> Vec<DeadLetter> {
    let dead_letters = DeadLetters::new(app.pool.clone(), outbox.clone());
    dead_letters.list(None, None, 100, 1_000).await.unwrap()
}

/// The same in pages of one.
async fn pages_of(app: &TestApp, outbox: &Outbox) -> Vec<DeadLetter> {
    let dead_letters = DeadLetters::new(app.pool.clone(), outbox.clone());
    let mut dead: Vec<DeadLetter> = Vec::new();
    loop {
        let after = dead.last().map(|one| (one.first_seen_at, one.id));
        let page = dead_letters.list(None, after, 1, 1_000).await.unwrap();
        if page.is_empty() {
            return dead;
        }
        dead.extend(page);
    }
}

fn body(dead: &DeadLetter) -> String {
    String::from_utf8(dead.body.clone().unwrap()).unwrap()
}

/// Another system's message.
async fn produce(app: &TestApp, kind: &str, body: &str, remark: &str) {
    let producer: FutureProducer = app.environment.kafka_client().create().unwrap();
    let headers = OwnedHeaders::new()
        .insert(Header { key: "ce_type", value: Some(kind) })
        .insert(Header { key: "remark", value: Some(remark) });
    let topic = app.environment.kafka().topic(BookingFact::TOPIC);
    let record = FutureRecord::<(), _>::to(&topic).payload(body).headers(headers);
    producer.send(record, None).await.unwrap();
}
