//! A sender's outbox and readers of what it sends, in a test's own database and topics.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use karcis_contracts::{BookingCancelled, BookingFact, Message};
use karcis_database::{ByOperator, Pool, connect_to};
use karcis_kernel::{BookingId, EventId, UserId};
use karcis_messaging::{Consumer, HandleError, Kafka, KafkaConfig, Outbox, Outgoing, Received};
use karcis_schemas as schemas;
use karcis_testkit::{TestEnvironment, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// booking-service's messaging, without booking-service.
pub(crate) struct TestApp {
    pub(crate) environment: TestEnvironment,
    pub(crate) pool: Pool,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::on(TestEnvironment::start().await).await
    }

    pub(crate) async fn on(environment: TestEnvironment) -> Self {
        let pool = pool_of(environment.role_url(schemas::BOOKINGS)).await;
        Self { environment, pool }
    }

    /// An outbox with a relay, as one instance has them.
    pub(crate) fn relay(&self) -> Running<Outbox> {
        self.relay_to(self.environment.kafka())
    }

    pub(crate) fn relay_to(&self, kafka: &Kafka) -> Running<Outbox> {
        self.relay_of(Outbox::new(self.pool.clone(), "booking-service"), kafka)
    }

    pub(crate) fn relay_of(&self, outbox: Outbox, kafka: &Kafka) -> Running<Outbox> {
        let stopping = CancellationToken::new();
        let task = outbox.clone().relay(kafka.clone(), stopping.clone());
        let task = tokio::spawn(async move {
            task.await.unwrap();
        });
        Running { part: outbox, stopping, task }
    }

    /// The same broker, as another instance of the same service sees it.
    pub(crate) fn instance(&self, name: &str) -> Kafka {
        let own = self.environment.kafka_config().clone();
        Kafka::connect(&KafkaConfig { instance: name.to_owned(), ..own }).unwrap()
    }

    pub(crate) fn flag(&self, name: &str) -> String {
        let flags = self.environment.flags(schemas::BOOKINGS);
        let at = flags.iter().position(|flag| flag == name).unwrap();
        flags[at + 1].clone()
    }

    /// What waits in the outbox.
    pub(crate) async fn unsent(&self) -> i64 {
        self.environment.unsent(schemas::BOOKINGS).await
    }

    /// A reader of `karcis.bookings.v1`.
    pub(crate) fn reader(&self) -> Running<Reader> {
        self.reader_that(|_| Ok(()))
    }

    /// A reader that may refuse a batch.
    pub(crate) fn reader_that(&self, judge: impl Judge) -> Running<Reader> {
        self.reader_of(self.environment.kafka(), judge)
    }

    pub(crate) fn reader_of(&self, kafka: &Kafka, judge: impl Judge) -> Running<Reader> {
        self.reader_in("reader", kafka, judge)
    }

    /// A reader in this group.
    pub(crate) fn reader_in(
        &self,
        group: &'static str,
        kafka: &Kafka,
        judge: impl Judge,
    ) -> Running<Reader> {
        let reader = Reader { seen: Arc::default(), ids: Arc::default(), judge: Arc::new(judge) };
        let stopping = CancellationToken::new();
        let task = kafka.clone().consume(
            group,
            &[BookingFact::TOPIC],
            self.pool.clone(),
            reader.clone(),
            stopping.clone(),
        );
        Running { part: reader, stopping, task: tokio::spawn(async { task.await.unwrap() }) }
    }

    /// Commits these messages in one transaction.
    pub(crate) async fn send(&self, outbox: &Outbox, messages: &[Outgoing]) {
        // The pool gives up after 5 s.
        let mut transaction = eventually(|| self.pool.begin()).await;
        outbox.insert(&mut transaction, messages).await.unwrap();
        transaction.commit().await.unwrap();
        outbox.notify();
    }
}

/// The connections of one instance.
pub(crate) async fn pool_of(database_url: String) -> Pool {
    connect_to("DATABASE_URL", &database_url, 8).await.unwrap()
}

/// Note number `n` about a booking.
pub(crate) fn note(booking: Uuid, n: usize) -> Outgoing {
    note_of(booking, n, 1)
}

/// The same with a body that is so many bytes long, or a few more.
pub(crate) fn note_of(booking: Uuid, n: usize, bytes: usize) -> Outgoing {
    Outgoing::new(&BookingFact::from(BookingCancelled {
        booking_id: BookingId(booking),
        user_id: UserId(Uuid::nil()),
        event_id: EventId(Uuid::nil()),
        reason: format!("{}{n}", "0".repeat(bytes - 1)),
        booked: None,
        refunded: None,
        event_cancel_reason: None,
    }))
}

/// An operator who says why.
pub(crate) fn by() -> ByOperator {
    ByOperator { actor: UserId(Uuid::nil()), reason: "it is mended".to_owned() }
}

/// A part that runs beside the test.
pub(crate) struct Running<T> {
    pub(crate) part: T,
    pub(crate) stopping: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl<T> Running<T> {
    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap();
    }

    /// Ends it as a crash would: it finishes nothing.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// What a reader makes of a batch: where it is contended, it handles the others.
pub(crate) trait Judge:
    Fn(&[(Uuid, usize)]) -> Result<(), HandleError> + Send + Sync + 'static
{
}
impl<F: Fn(&[(Uuid, usize)]) -> Result<(), HandleError> + Send + Sync + 'static> Judge for F {}

/// Remembers the notes it has handled.
#[derive(Clone)]
pub(crate) struct Reader {
    seen: Arc<Mutex<Vec<(Uuid, usize)>>>,
    /// What these were called, booking by booking.
    ids: Arc<Mutex<Vec<(Uuid, String)>>>,
    judge: Arc<dyn Judge>,
}

impl Reader {
    /// All notes, in the order they were handled.
    pub(crate) fn seen(&self) -> Vec<(Uuid, usize)> {
        self.seen.lock().unwrap().clone()
    }

    /// The CloudEvents ids of the notes about one booking, in batches that were handled.
    pub(crate) fn ids(&self, booking: Uuid) -> Vec<String> {
        let ids = self.ids.lock().unwrap();
        ids.iter().filter(|(about, _)| *about == booking).map(|(_, id)| id.clone()).collect()
    }

    /// The notes about one booking, each where it arrived first.
    pub(crate) fn first_notes(&self, booking: Uuid) -> Vec<usize> {
        let mut firsts = Vec::new();
        for n in self.notes(booking) {
            if !firsts.contains(&n) {
                firsts.push(n);
            }
        }
        firsts
    }

    /// The notes about one booking.
    pub(crate) fn notes(&self, booking: Uuid) -> Vec<usize> {
        self.seen().into_iter().filter(|(about, _)| *about == booking).map(|(_, n)| n).collect()
    }
}

#[async_trait]
impl Consumer for Reader {
    type Message = BookingFact;

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<BookingFact>> {
        BookingFact::decode(kind, body)
    }

    async fn handle(&self, batch: &[Received<BookingFact>]) -> Result<(), HandleError> {
        let notes: Vec<_> = batch.iter().map(|received| number(&received.message)).collect();
        let judged = (self.judge)(&notes);
        let mut seen = self.seen.lock().unwrap();
        match &judged {
            Ok(()) => {
                let ids =
                    batch.iter().zip(&notes).map(|(one, (about, _))| (*about, one.id.clone()));
                self.ids.lock().unwrap().extend(ids);
                seen.extend(notes);
            }
            Err(HandleError::Contended { open: Some(open), .. }) => {
                let handled = notes.iter().enumerate().filter(|(at, _)| !open.contains(at));
                seen.extend(handled.map(|(_, note)| note));
            }
            Err(_) => {}
        }
        judged
    }
}

fn number(fact: &BookingFact) -> (Uuid, usize) {
    let BookingFact::BookingCancelled(note) = fact else { panic!("{fact:?} is no note") };
    (note.booking_id.0, note.reason.parse().unwrap())
}
