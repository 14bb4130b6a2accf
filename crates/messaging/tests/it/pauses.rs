//! A broker stands still for longer than its sessions: all send and read again within seconds of its
//! return.

use std::time::Duration;

use karcis_testkit::{Broker, TestEnvironment, eventually};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::harness::{Reader, Running, TestApp, note};

/// Each with one reader, for which no other one can step in.
const GROUPS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Longer than the broker's own session at its controller: it comes back as one that knows of no broker, and
/// some clients lose all addresses, mostly after the second time.
const PAUSES: [Duration; 2] = [Duration::from_secs(12), Duration::from_secs(25)];
/// Time to come back: 10 s, twice as long on a busy machine.
const WITHIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn all_send_and_read_within_seconds_after_a_frozen_broker_thaws() {
    let broker = Broker::start().await;
    let on_broker =
        || async { TestApp::on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await).await };
    let (first, second) = tokio::join!(on_broker(), on_broker());
    let parts = [first, second].map(|app| {
        let relay = app.relay();
        let readers = GROUPS.map(|group| app.reader_in(group, app.environment.kafka(), |_| Ok(())));
        (app, relay, readers)
    });
    let round = async || {
        let booking = Uuid::now_v7();
        for (app, relay, _) in &parts {
            app.send(&relay.part, &[note(booking, 0)]).await;
        }
        booking
    };
    let behind = |booking: Uuid| {
        let readers = parts.iter().flat_map(|(.., readers)| readers);
        readers.filter(|it: &&Running<Reader>| it.part.notes(booking).is_empty()).count()
    };
    let booking = round().await;
    eventually(async || behind(booking)).is(0).await;
    for pause in PAUSES {
        broker.freeze().await;
        let under_way = round().await;
        sleep(pause).await;
        broker.thaw().await;
        let thawed = Instant::now();
        for booking in [under_way, round().await] {
            let left = WITHIN.saturating_sub(thawed.elapsed());
            eventually(async || behind(booking)).within(left).is(0).await;
        }
    }
}
