//! The other services as the test plays them: it speaks through an outbox and hears topics.

use async_trait::async_trait;
use karcis_contracts::Message;
use karcis_database::{Pool, connect_to};
use karcis_messaging::{Consumer, HandleError, Outbox, Outgoing, Received};
use karcis_process::CancellationToken;
use karcis_schemas::Service;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{Inbox, TestEnvironment, eventually};

/// A message as it was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    pub topic: String,
    /// The CloudEvents type, such as `karcis.ReserveTickets.v1`.
    pub kind: String,
    pub body: Vec<u8>,
    /// The booking it belongs to.
    pub correlation: Option<Uuid>,
}

/// A service that the test plays, beside the one under test.
pub struct Peer {
    inbox: Inbox<Heard>,
    outbox: Outbox,
    pool: Pool,
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Peer {
    /// Speaks through this service's outbox, which must not run itself, and hears these topics.
    pub async fn start(
        environment: &TestEnvironment,
        service: &Service,
        topics: &'static [&'static str],
    ) -> Self {
        let database_url = environment.role_url(*service.schema);
        let pool = connect_to("DATABASE_URL", &database_url, 4).await;
        let pool = pool.expect("the database answers");
        let stopping = CancellationToken::new();
        let outbox = Outbox::new(pool.clone(), service.full_name());
        let kafka = environment.kafka();
        let speaking = outbox.clone().relay(kafka.clone(), stopping.clone());
        let (inbox, group) = (Inbox::default(), "tests");
        let listener = Listener(inbox.clone());
        let hearing =
            kafka.clone().consume(group, topics, pool.clone(), listener, stopping.clone());
        let tasks = vec![
            tokio::spawn(async { speaking.await.expect("the outbox can be read") }),
            tokio::spawn(async { hearing.await.expect("the topics can be read") }),
        ];
        Self { inbox, outbox, pool, stopping, tasks }
    }

    /// Sends these messages, in this order and in one transaction.
    pub async fn say<M: Message>(&self, messages: impl IntoIterator<Item = M>) {
        let messages: Vec<_> = messages.into_iter().map(|it| Outgoing::new(&it)).collect();
        // The pool gives up after 5 s.
        let mut transaction = eventually(|| self.pool.begin()).await;
        self.outbox.insert(&mut transaction, &messages).await.expect("the outbox takes them");
        transaction.commit().await.expect("the transaction commits");
        self.outbox.notify();
    }

    /// The messages of this topic so far, in their order.
    pub fn heard<M: Message>(&self) -> Vec<M> {
        self.inbox.pick(decode)
    }

    /// The messages of this topic so far that belong to this booking, in their order.
    pub fn heard_about<M: Message>(&self, booking: Uuid) -> Vec<M> {
        let is_its = |heard: &Heard| heard.correlation == Some(booking);
        self.inbox.pick(|heard| if is_its(heard) { decode(heard) } else { None })
    }

    /// The types of the messages so far that belong to this booking, such as
    /// `karcis.ReserveTickets.v1`.
    pub fn kinds_of(&self, booking: Uuid) -> Vec<String> {
        let is_its = |heard: &Heard| heard.correlation == Some(booking);
        self.inbox.pick(|heard| is_its(heard).then(|| heard.kind.clone()))
    }

    /// Stops in order.
    pub async fn stop(self) {
        self.stopping.cancel();
        for task in self.tasks {
            task.await.expect("it stops in order");
        }
    }
}

/// `None`: it is of another topic.
fn decode<M: Message>(heard: &Heard) -> Option<M> {
    let message = || M::decode(&heard.kind, &heard.body).expect("it has its type's shape");
    if heard.topic == M::TOPIC { message() } else { None }
}

struct Listener(Inbox<Heard>);

#[async_trait]
impl Consumer for Listener {
    type Message = (String, String, Vec<u8>);

    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Self::Message>> {
        Ok(Some((topic.to_owned(), kind.to_owned(), body.to_owned())))
    }

    async fn handle(&self, batch: &[Received<Self::Message>]) -> Result<(), HandleError> {
        for Received { message: (topic, kind, body), id, correlation } in batch {
            let (topic, kind, body) = (topic.clone(), kind.clone(), body.clone());
            self.0.keep_one(id, &Heard { topic, kind, body, correlation: *correlation });
        }
        Ok(())
    }
}
