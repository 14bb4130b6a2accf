//! Topics and brokers that begin again: whatever resets a topic, what is sent then is read within a
//! minute.

use std::{path::Path, process::Command, time::Duration};

use karcis_contracts::{BookingFact, Message as _};
use karcis_messaging::Outbox;
use karcis_process::Progress;
use karcis_testkit::{Broker, TestEnvironment, eventually};
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
};
use tokio::time::sleep;
use uuid::Uuid;

use crate::harness::{Reader, Running, TestApp, note};

const WITHIN: Duration = Duration::from_secs(60);
/// How long until a saga sends a command again; in services it is longer.
const RESENT_AFTER: Duration = Duration::from_secs(2);
/// How long deployments leave a topic away that they make again.
const AWAY: Duration = Duration::from_secs(2);

/// A sender and a reader on a broker that was killed once: its leaders' epochs are beyond the first.
struct Killed {
    broker: Broker,
    app: TestApp,
    relay: Running<Outbox>,
    reader: Running<Reader>,
}

impl Killed {
    async fn start() -> Self {
        let mut broker = Broker::start().await;
        let app = TestApp::on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await).await;
        let (relay, reader) = (app.relay(), app.reader());
        let [before, after] = [(); 2].map(|()| Uuid::now_v7());
        app.send(&relay.part, &[note(before, 0)]).await;
        eventually(async || reader.part.first_notes(before)).is(vec![0]).await;
        broker.kill().await;
        broker.start_again().await;
        app.send(&relay.part, &[note(after, 0)]).await;
        eventually(async || reader.part.first_notes(after)).is(vec![0]).await;
        eventually(|| app.unsent()).is(0).await;
        Self { broker, app, relay, reader }
    }

    /// What is sent to each partition now is sent and read. As a saga does, it is sent again until it is: a
    /// consumer that does not notice that a topic is another one goes on in it where it was in the old one.
    async fn goes_on(&self) {
        let bookings: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
        let unread = async || {
            let unread = bookings.iter().filter(|it| self.reader.part.notes(**it).is_empty());
            let notes: Vec<_> = unread.map(|booking| note(*booking, 0)).collect();
            if !notes.is_empty() {
                self.app.send(&self.relay.part, &notes).await;
                sleep(RESENT_AFTER).await;
            }
            notes.len()
        };
        eventually(unread).within(WITHIN).is(0).await;
        eventually(|| self.app.unsent()).within(WITHIN).is(0).await;
    }

    async fn makes_topics(&self, partitions: i32) {
        let kafka = self.app.environment.kafka();
        eventually(|| kafka.create_topics(partitions, 1)).await;
    }
}

#[tokio::test]
async fn a_topic_that_is_made_again_is_read_again() {
    let killed = Killed::start().await;
    killed.app.environment.delete_topics().await;
    sleep(AWAY).await;
    killed.makes_topics(2).await;
    killed.goes_on().await;
}

#[tokio::test]
async fn a_topic_that_is_made_again_with_more_or_fewer_partitions_is_read_again() {
    let killed = Killed::start().await;
    for partitions in [3, 1] {
        killed.app.environment.delete_topics().await;
        sleep(AWAY).await;
        killed.makes_topics(partitions).await;
        killed.goes_on().await;
    }
}

#[tokio::test]
async fn a_topic_whose_records_were_deleted_unread_is_read_again() {
    let mut killed = Killed::start().await;
    killed.reader.stop().await;
    let notes: Vec<_> = (0..20).map(|_| note(Uuid::now_v7(), 0)).collect();
    killed.app.send(&killed.relay.part, &notes).await;
    eventually(|| killed.app.unsent()).is(0).await;
    let mut all = TopicPartitionList::new();
    for partition in [0, 1] {
        let topic = killed.app.environment.kafka().topic(BookingFact::TOPIC);
        all.add_partition_offset(&topic, partition, Offset::End).unwrap();
    }
    let admin: AdminClient<DefaultClientContext> =
        killed.app.environment.kafka_client().create().unwrap();
    admin.delete_records(&all, &AdminOptions::new()).await.unwrap();

    killed.reader = killed.app.reader();
    killed.goes_on().await;
}

#[tokio::test]
async fn a_broker_whose_disk_was_wiped_is_worked_with_again() {
    let mut killed = Killed::start().await;
    killed.broker.wipe().await;
    killed.makes_topics(2).await;
    killed.goes_on().await;
}

#[tokio::test]
async fn a_broker_whose_disk_is_an_older_one_is_worked_with_again() {
    let mut killed = Killed::start().await;
    let Some(disk) = killed.broker.disk() else { return };
    let older = disk.with_extension("older");
    killed.broker.stop().await;
    copy(&disk, &older);
    killed.broker.start_again().await;
    killed.goes_on().await;
    // Its leaders' epochs are further on, and so are the offsets.
    killed.broker.kill().await;
    killed.broker.start_again().await;
    killed.goes_on().await;

    killed.broker.stop().await;
    std::fs::remove_dir_all(&disk).unwrap();
    copy(&older, &disk);
    killed.broker.start_again().await;
    killed.goes_on().await;
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

#[tokio::test]
async fn an_instance_for_which_messages_wait_is_not_ready_until_it_gets_them() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let ghost = ghost(&app).await;
    let (progress, booking) = (Progress::default(), Uuid::now_v7());
    let reader =
        app.reader_of(&app.environment.kafka().clone().watched_by(progress.clone()), |_| Ok(()));
    app.send(&relay.part, &[note(booking, 0)]).await;
    eventually(async || progress.overdue()).within(WITHIN * 3).is(vec!["hearing"]).await;
    assert!(reader.part.notes(booking).is_empty());

    drop(ghost);
    eventually(async || reader.part.first_notes(booking)).within(WITHIN).is(vec![0]).await;
    eventually(async || progress.overdue()).within(WITHIN).is(Vec::<&str>::new()).await;
    reader.stop().await;
}

/// A member that holds up every assignment of its group, as it shows that it lives and never agrees.
async fn ghost(app: &TestApp) -> BaseConsumer {
    let kafka = app.environment.kafka();
    let ghost: BaseConsumer = app
        .environment
        .kafka_client()
        .set("group.id", kafka.topic("reader"))
        .set("max.poll.interval.ms", "600000")
        .create()
        .unwrap();
    ghost.subscribe(&[&kafka.topic(BookingFact::TOPIC)]).unwrap();
    let has_all = async || {
        ghost.poll(Duration::from_millis(100));
        ghost.assignment().unwrap().count()
    };
    eventually(has_all).is(2).await;
    ghost
}
