//! A large catalogue and many readers: what they ask for is found by indexes, kept for all of them in
//! little memory, and delays no buyer.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use karcis_contracts::TicketFact;
use karcis_kernel::Timestamp;
use karcis_testkit::{eventually, together};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Concert, TestApp, in_days, plan, with};

/// So many more events, an hour apart, half of them over; each tenth goes on for a month.
async fn fill(app: &TestApp, events: i32) {
    let insert = "
        WITH made AS (
            INSERT INTO events.event (event_id, version, organiser_id, stage, title, venue, starts_at,
                                      ends_at, time_zone, currency)
            SELECT gen_random_uuid(), 1, gen_random_uuid(), 'published',
                   'Concert ' || n % 1000, 'Hall ' || n % 100,
                   now() + (n - $1 / 2) * interval '1 hour',
                   now() + (n - $1 / 2) * interval '1 hour'
                       + CASE WHEN n % 1000 = 0 THEN interval '30 days' ELSE interval '2 hours' END,
                   'Asia/Jakarta', 'IDR'
            FROM generate_series(1, $1) AS n
            RETURNING event_id
        )
        INSERT INTO events.ticket_type (ticket_type_id, event_id, place, name, price, capacity,
                                        max_per_booking)
        SELECT gen_random_uuid(), event_id, 1, 'Seat', 1000, 100, 10 FROM made";
    let database = app.environment.superuser();
    sqlx::query(insert).bind(events).execute(database).await.expect("events are stored");
    sqlx::query("ANALYZE events.event").execute(database).await.expect("they are counted");
}

async fn page(app: &TestApp, query: &str) -> Value {
    app.visitor().get(&format!("/events?{query}")).await.is(200).body
}

fn column<'a>(page: &'a Value, name: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().expect("a page has items");
    items.iter().map(|item| item[name].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn lists_carry_no_descriptions() {
    let app = TestApp::start().await;
    let described = with(plan(1), json!({"description": "Pop and rock"}));
    let event = app.made(&app.organiser(), &described).await;
    let page = page(&app, "").await;
    let row = page["items"][0].as_object().expect("an event is listed");
    assert!(!row.contains_key("description"), "{row:?}");
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(seen["description"], "Pop and rock");
    app.stop().await;
}

#[tokio::test]
async fn a_thousand_readers_with_another_microsecond_each_share_a_few_pages() {
    let app = TestApp::start().await;
    fill(&app, 500).await;
    let now = karcis_process::now();
    let readers = (0..1_000).map(|n| {
        let from = now + chrono::Duration::microseconds(n);
        let from = from.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let app = &app;
        async move { page(app, &format!("limit=100&from={from}")).await }
    });
    let pages = together(20, readers).await;
    let loads: HashSet<&str> = pages.iter().flat_map(|page| column(page, "as_of")).collect();
    assert!(loads.len() < 200, "{} of 1,000 pages were read from the database", loads.len());
    // One page is of about 100 kB.
    eventually(async || match metric(&app, "karcis_catalogue_cache_bytes").await {
        kept if kept < 2_000_000.0 => Ok(()),
        kept => Err(format!("{kept} bytes are kept")),
    })
    .await;
    assert!(metric(&app, "karcis_catalogue_reads_total{of=\"list\"}").await >= 1_000.0);
    app.stop().await;
}

async fn metric(app: &TestApp, name: &str) -> f64 {
    let metrics = app.visitor().get("/metrics").await.is(200).body;
    let metrics = metrics.as_str().expect("metrics are text");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn times_in_lists_are_exact_to_the_microsecond_however_many_start_in_a_minute() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let minute: Timestamp = in_days(30).parse().expect("a time");
    let minute = minute - chrono::Duration::seconds(minute.timestamp() % 60);
    let at = |microseconds: i64| {
        let at = minute + chrono::Duration::microseconds(microseconds);
        at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    };
    // 130 in one minute, 100 µs apart, and one in the next.
    let mut expected = Vec::new();
    for n in 0..131 {
        let starts_at = at(if n < 130 { n * 100 } else { 60_000_000 });
        let changes = json!({"title": format!("Event {n}"), "starts_at": starts_at});
        app.made(&organiser, &with(plan(1), changes)).await;
        expected.push(format!("Event {n}"));
    }
    for (from, first, limit) in [
        (0, 0, 100),
        (1, 1, 100),
        (100, 1, 20),
        (1_900, 19, 20),
        (1_901, 20, 1),
        (12_801, 129, 100),
        (12_900, 129, 1),
        (12_901, 130, 2),
        (59_999_999, 130, 100),
        (60_000_000, 130, 1),
        (60_000_001, 131, 100),
    ] {
        let page = page(&app, &format!("from={}&limit={limit}", at(from))).await;
        let end = expected.len().min(first + limit);
        assert_eq!(column(&page, "title"), expected[first..end], "from {from} µs, {limit}");
        assert_eq!(page["next_cursor"].is_null(), end == expected.len(), "from {from} µs");
    }
    for (to, end) in [
        (0, 0),
        (1, 1),
        (100, 1),
        (101, 2),
        (59_999_999, 130),
        (60_000_000, 130),
        (60_000_001, 131),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = page(&app, &format!("to={}&limit=100{cursor}", at(to))).await;
            seen.extend(column(&page, "title").into_iter().map(str::to_owned));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected[..end], "to {to} µs");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_list_that_the_database_does_not_find_in_time_is_given_up() {
    let app = TestApp::start().await;
    app.made(&app.organiser(), &plan(1)).await;
    let mut lock = app.environment.superuser().begin().await.expect("a transaction begins");
    let take = "LOCK TABLE events.event IN ACCESS EXCLUSIVE MODE";
    sqlx::query(take).execute(&mut *lock).await.expect("the table is locked");
    for query in ["q=dewa", "limit=7"] {
        let answer = app.visitor().get(&format!("/events?{query}")).await;
        let answer = answer.is_problem(503, "unavailable");
        assert!(answer.headers.contains_key("retry-after"), "{query}");
    }
    lock.rollback().await.expect("the table is unlocked");
    assert_eq!(column(&page(&app, "q=dewa").await, "title"), ["Dewa 19"]);
    app.stop().await;
}

#[tokio::test]
async fn who_hangs_up_makes_no_room_for_another_search() {
    let app = TestApp::start().await;
    let mut lock = app.environment.superuser().begin().await.expect("a transaction begins");
    let take = "LOCK TABLE events.event IN ACCESS EXCLUSIVE MODE";
    sqlx::query(take).execute(&mut *lock).await.expect("the table is locked");
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut most = 0;
    for number in 0..20 {
        let path = format!("/events?q=hung+up+{number}");
        let hung_up = timeout(Duration::from_millis(50), app.visitor().get(&path)).await;
        assert!(hung_up.is_err(), "it was answered");
        let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut *lock).await.expect("counts");
        most = most.max(count);
    }
    assert!((1..=2).contains(&most), "{most} searches at once");
    lock.rollback().await.expect("the table is unlocked");
    app.stop().await;
}

#[tokio::test]
async fn a_hundred_thousand_events_and_who_looks_for_them_delay_no_buyer() {
    let app = TestApp::start().await;
    fill(&app, 100_000).await;
    pages_are_found_by_indexes(&app).await;
    searches_do_not_delay_reservations(&app).await;
    app.stop().await;
}

async fn pages_are_found_by_indexes(app: &TestApp) {
    let rare = with(plan(1), json!({"title": "Gamelan Degung", "starts_at": in_days(900)}));
    app.made(&app.organiser(), &rare).await;
    let indexes = ["event_words", "event_going_on", "event_by_stage"];
    let used = async || {
        let mut used = Vec::new();
        for index in indexes {
            used.push(read(app, index).await.1);
        }
        used
    };
    let (rows_before, used_before) = (read(app, indexes[0]).await.0, used().await);
    for query in ["q=gamelan", "q=DEGUNG", "q=gamelan+degung"] {
        assert_eq!(column(&page(app, query).await, "title"), ["Gamelan Degung"], "{query}");
    }
    // A word that all have beside one that none has.
    for query in ["q=nobody+plays+this", "q=concert+degung", "status=cancelled"] {
        assert_eq!(column(&page(app, query).await, "title"), [""; 0], "{query}");
    }
    for query in ["limit=20", "limit=20&status=ended"] {
        assert_eq!(column(&page(app, query).await, "title").len(), 20, "{query}");
    }
    // The server counts late. What goes on is little, so that at least what is to come is searched.
    eventually(async || {
        let now = used().await;
        let risen: Vec<_> =
            now.iter().zip(&used_before).map(|(now, before)| now - before).collect();
        let all = risen.iter().zip([5, 1, 1]).all(|(risen, least)| *risen >= least);
        if all { Ok(()) } else { Err(format!("{risen:?}")) }
    })
    .await;
    let rows = read(app, indexes[0]).await.0 - rows_before;
    assert!(rows < 3_000, "{rows} rows were read for eight pages");
}

/// How many rows of events were read so far, and how often this index was used.
async fn read(app: &TestApp, index: &str) -> (i64, i64) {
    let read = "
        SELECT (SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables
                WHERE schemaname = 'events' AND relname = 'event'),
               (SELECT idx_scan FROM pg_stat_user_indexes
                WHERE schemaname = 'events' AND indexrelname = $1)";
    let read = sqlx::query_as(read).bind(index).fetch_one(app.environment.superuser()).await;
    read.unwrap_or_else(|error| panic!("{index}: {error}"))
}

async fn searches_do_not_delay_reservations(app: &TestApp) {
    let event = app.made(&app.organiser(), &plan(1_000)).await;
    let alone = median(app, &event).await;
    let stopping = AtomicBool::new(false);
    let search = async |reader: usize| {
        let mut answers = (0, 0);
        while !stopping.load(Ordering::SeqCst) {
            // Each looks for something else, every other one without a trigram: the worst there is.
            let number = answers.0 + answers.1;
            let text = if number % 2 == 0 { "%21%3F" } else { "nobody" };
            let query = format!("/events?q={text}{}-{number}", reader);
            match app.visitor().get(&query).await.status.as_u16() {
                200 => answers.0 += 1,
                503 => answers.1 += 1,
                other => panic!("{other}"),
            }
        }
        answers
    };
    let searches = together(128, (0..128).map(search));
    let reserve = async {
        let beside = median(app, &event).await;
        stopping.store(true, Ordering::SeqCst);
        beside
    };
    let (answers, beside) = tokio::join!(searches, reserve);
    let found: u32 = answers.iter().map(|(found, _)| found).sum();
    let refused: u32 = answers.iter().map(|(_, refused)| refused).sum();
    println!("alone {alone:?}, beside {beside:?}: {found} searches answered, {refused} refused");
    assert!(found > 0, "searches were answered meanwhile");
    let most = alone * 20 + Duration::from_millis(200);
    assert!(beside < most, "{beside:?} beside 128 searches, {alone:?} alone");
}

/// How long a reservation takes: the median of some.
async fn median(app: &TestApp, event: &Concert) -> Duration {
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        let reply = app.ask(event.reserve(1)).await;
        assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
        times.push(start.elapsed());
    }
    times.sort();
    times[10]
}
