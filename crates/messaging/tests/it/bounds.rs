//! What is read, kept and sent at a time has a bound of bytes as well as of messages.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use karcis_messaging::{HandleError, Outgoing};
use karcis_testkit::eventually;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use uuid::Uuid;

use crate::harness::{TestApp, note, note_of};

const MIB: usize = 1024 * 1024;
/// A message of a booking with very many seats.
const LARGE: usize = 300_000;
/// As many bookings as spread well over the partitions.
const BOOKINGS: usize = 50;

#[tokio::test]
async fn large_messages_are_handled_and_sent_four_mebibytes_at_a_time() {
    let app = TestApp::start().await;
    remember_what_is_sent_at_once(&app).await;
    let notes: Vec<_> = (0..40).map(|n| note_of(Uuid::now_v7(), n, LARGE)).collect();
    let outbox = karcis_messaging::Outbox::new(app.pool.clone(), "booking-service");
    app.send(&outbox, &notes).await;
    let _relay = app.relay();
    eventually(|| app.unsent()).is(0).await;
    let most: i64 = sqlx::query_scalar("SELECT max(bytes) FROM bookings.sent_at_once")
        .fetch_one(app.environment.superuser())
        .await
        .unwrap();
    assert!((LARGE..=4 * MIB).contains(&(most as usize)), "{most} bytes were sent at once");

    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = sizes.clone();
    let reader = app.reader_that(move |notes| {
        seen.lock().unwrap().push(notes.len());
        Ok(())
    });
    eventually(|| async { reader.part.seen().len() }).is(40).await;
    let sizes = sizes.lock().unwrap().clone();
    let fit = 4 * MIB / LARGE;
    assert!(
        sizes.iter().all(|size| *size <= fit),
        "more than {fit} were handled at once: {sizes:?}"
    );
    assert!(sizes.iter().any(|size| *size > 1), "and not one by one: {sizes:?}");
}

#[tokio::test]
async fn a_busy_reader_keeps_ten_thousand_messages_and_its_group_goes_on() {
    let app = TestApp::start().await;
    let notes: Vec<_> = numbered(500, note);
    keeps_within(&app, &notes, |kept| {
        (kept("karcis_consumer_kept_messages"), 10_000, 10_000 + 2) // a last one of each partition
    })
    .await;
}

#[tokio::test]
async fn a_busy_reader_keeps_eight_mebibytes_and_its_group_goes_on() {
    let app = TestApp::start().await;
    let notes: Vec<_> = numbered(2, |booking, n| note_of(booking, n, LARGE));
    keeps_within(&app, &notes, |kept| {
        (kept("karcis_consumer_kept_bytes"), 8 * MIB, 8 * MIB + 3 * (LARGE + 1_000))
    })
    .await;
}

/// So many notes about each booking.
fn numbered(notes: usize, note: impl Fn(Uuid, usize) -> Outgoing) -> Vec<(Uuid, Outgoing)> {
    let bookings: Vec<Uuid> = (0..BOOKINGS).map(|_| Uuid::now_v7()).collect();
    let all = (0..notes).flat_map(|n| bookings.iter().map(move |booking| (*booking, n)));
    all.map(|(booking, n)| (booking, note(booking, n))).collect()
}

/// A reader that cannot work keeps what comes between these bounds, lets another instance have its
/// share, and handles all in order once it can work.
async fn keeps_within(
    app: &TestApp,
    notes: &[(Uuid, Outgoing)],
    look: impl Fn(&dyn Fn(&str) -> usize) -> (usize, usize, usize),
) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    // The test and all that it runs share one thread.
    let _recording = metrics::set_default_local_recorder(&recorder);
    let kept = || look(&|name: &str| gauge(&metrics, name));
    let relay = app.relay();
    let can_work = Arc::new(AtomicBool::new(false));
    let works = can_work.clone();
    let reader = app.reader_that(move |_| match works.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(HandleError::Unavailable("not yet".to_owned())),
    });
    let outgoing: Vec<_> = notes.iter().map(|(_, note)| note.clone()).collect();
    for part in outgoing.chunks(5_000) {
        app.send(&relay.part, part).await;
    }
    eventually(|| app.unsent()).is(0).await;
    let is_full = || async {
        let (kept, least, most) = kept();
        assert!(kept <= most, "it keeps {kept}, more than {most}");
        if kept >= least { Ok(()) } else { Err(kept) }
    };
    eventually(is_full).await;

    // The other has the same gauges. Less than the 60 s after which the group goes on without a member that does not answer.
    let other = app.reader_of(&app.instance("1"), |_| Ok(()));
    let has_its_share = || async { !other.part.seen().is_empty() };
    eventually(has_its_share).within(Duration::from_secs(30)).is(true).await;
    assert!(reader.part.seen().is_empty());
    can_work.store(true, Ordering::SeqCst);

    let all: BTreeSet<(Uuid, usize)> = {
        let per_booking = notes.len() / BOOKINGS;
        let bookings: BTreeSet<Uuid> = notes.iter().map(|(booking, _)| *booking).collect();
        bookings.into_iter().flat_map(|it| (0..per_booking).map(move |n| (it, n))).collect()
    };
    let handled = || async {
        let seen = [&reader.part, &other.part].map(|reader| reader.seen());
        let seen: BTreeSet<(Uuid, usize)> = seen.into_iter().flatten().collect();
        all.difference(&seen).count()
    };
    eventually(handled).is(0).await;
    for booking in all.iter().map(|(booking, _)| *booking).collect::<BTreeSet<_>>() {
        for reader in [&reader.part, &other.part] {
            assert!(reader.first_notes(booking).is_sorted());
        }
    }
}

fn gauge(metrics: &PrometheusHandle, name: &str) -> usize {
    let rendered = metrics.render();
    let value =
        rendered.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    value.unwrap_or_default() as usize
}

/// Writes down how many bytes the relay deletes, and so has sent, in one statement.
async fn remember_what_is_sent_at_once(app: &TestApp) {
    let trigger = "
        CREATE TABLE bookings.sent_at_once (bytes bigint);
        CREATE FUNCTION bookings.remember() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO bookings.sent_at_once SELECT sum(octet_length(body)) FROM gone;
            RETURN NULL;
        END $$;
        CREATE TRIGGER remember AFTER DELETE ON bookings.outbox
            REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION bookings.remember();";
    sqlx::raw_sql(trigger).execute(app.environment.superuser()).await.unwrap();
}
