//! Sends rows of an outbox: hands them to the producer, waits for the acks, deletes what was sent and
//! parks what never can be.
//!
//! Guarantees: a row that was acknowledged is sent once, whatever becomes of the others, unless an
//! earlier one of its key is still to be sent: then it is sent again after that one, so that the last
//! word of a key is its newest. A parked row holds up nothing.

use std::{collections::HashSet, future::ready, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use karcis_process::{
    crash_point,
    trace::{self, Context},
};
use rdkafka::{
    error::KafkaError as ClientError,
    message::{Header, OwnedHeaders},
    producer::{FutureRecord, future_producer::DeliveryFuture},
};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Kafka,
    bounds::BATCH,
    kafka::Producer,
    outbox::Shared,
    parked::{Unsendable, park},
    probe::Probe,
    refusals::{Refusal, TELL, UNTELL, refusal},
    relay_session::{GOES_ON, RelayError, answered},
    spans::{self, Described},
};

/// A sign of life while acks are awaited, and a look whether the broker can answer.
const PING: Duration = Duration::from_secs(2);
/// How long a stopping relay waits for acks.
const GRACE: Duration = Duration::from_secs(3);

/// A message of the outbox.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: i64,
    message_id: Uuid,
    topic: String,
    key: Uuid,
    kind: String,
    correlation: Option<Uuid>,
    attempt: i32,
    trace: Option<String>,
    pub(crate) body: Vec<u8>,
    created_at: DateTime<Utc>,
}

/// What became of a row.
enum Delivery {
    Sent,
    /// Sent by itself, after the others.
    SentLate,
    Refused(Refusal, ClientError),
    Parked,
    /// Nothing is known.
    Failed(ClientError),
}

/// The connection and the producer of the instance that owns an outbox.
pub(crate) struct Sender<'a> {
    outbox: &'a Shared,
    kafka: &'a Kafka,
    producer: &'a Producer,
    connection: &'a mut PgConnection,
    stopping: &'a CancellationToken,
    pings: Interval,
    probe: Probe,
    /// The refused topics that the other instances know of.
    told: HashSet<String>,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        outbox: &'a Shared,
        kafka: &'a Kafka,
        producer: &'a Producer,
        connection: &'a mut PgConnection,
        stopping: &'a CancellationToken,
    ) -> Self {
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let probe = Probe::new(kafka);
        Self { outbox, kafka, producer, connection, stopping, pings, probe, told: HashSet::new() }
    }

    /// The next rows, within the bound and at least one. From the very beginning each time: a row with a
    /// lower id may have been committed since. Those of refused topics are left out.
    pub(crate) async fn read(&mut self) -> Result<Vec<Row>, RelayError> {
        const READ: &str = "
            SELECT id, message_id, topic, key, kind, correlation, attempt, trace, body, created_at
            FROM (
                SELECT *, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
                FROM (
                    SELECT * FROM outbox WHERE topic <> ALL($1) ORDER BY id LIMIT $2
                ) AS first
            ) AS weighed
            WHERE before + octet_length(body) <= $3 OR before = 0
            ORDER BY id";
        self.tell_refused().await?;
        let rows = sqlx::query_as(READ)
            .bind(self.outbox.refused().held_back(Instant::now()))
            .bind(BATCH.messages as i64)
            .bind(BATCH.bytes as i64);
        answered(rows.fetch_all(&mut *self.connection)).await
    }

    /// Tells the other instances which topics are refused, for as long as this session lives.
    async fn tell_refused(&mut self) -> Result<(), RelayError> {
        let refused: HashSet<String> =
            self.outbox.refused().all(Instant::now()).into_iter().collect();
        for (changed, statement) in
            [(refused.difference(&self.told), TELL), (self.told.difference(&refused), UNTELL)]
        {
            for topic in changed {
                let told = sqlx::query(statement).bind(topic).execute(&mut *self.connection);
                answered(told).await?;
            }
        }
        self.told = refused;
        Ok(())
    }

    /// Hands all rows to the producer at once and waits for all acks. An error means that the broker is
    /// away, or that the session is lost.
    pub(crate) async fn send(&mut self, rows: &[Row]) -> Result<(), RelayError> {
        crash_point("relay.read");
        let mut deliveries = self.deliver(rows).await?;
        crash_point("relay.acknowledged");
        for (row, delivery) in rows.iter().zip(&mut deliveries) {
            if let Delivery::Refused(Refusal::OfMessage, _) = delivery {
                *delivery = self.send_alone(row).await?;
            }
        }
        let done = done(rows, &deliveries);
        let delete = sqlx::query("DELETE FROM outbox WHERE id = ANY($1)").bind(&done);
        answered(delete.execute(&mut *self.connection)).await?;
        crash_point("relay.deleted");
        self.outbox.count_sent(done.len());
        ::metrics::counter!("karcis_outbox_sent_total").increment(done.len() as u64);
        self.judge_topics(rows, &deliveries).await?;
        if deliveries.len() < rows.len() {
            return Err(RelayError::Stopped);
        }
        let failed = deliveries.into_iter().find_map(|delivery| match delivery {
            Delivery::Failed(error) => Some(error),
            _ => None,
        });
        failed.map_or(Ok(()), |error| Err(RelayError::NotAcknowledged(error)))
    }

    /// What became of the rows, in their order; of the first ones alone if the service stops meanwhile.
    async fn deliver(&mut self, rows: &[Row]) -> Result<Vec<Delivery>, RelayError> {
        let enqueued: Vec<_> = rows
            .iter()
            .map(|row| enqueue(self.outbox.source, self.kafka, self.producer, row))
            .collect();
        crash_point("relay.handed_over");
        let mut deliveries = Vec::with_capacity(rows.len());
        let mut grace = std::pin::pin!(grace(self.stopping));
        let mut is_lost = false;
        for handed in enqueued {
            let (mut delivery, span) = match handed {
                Ok(handed) => handed,
                Err(error) => {
                    deliveries.push(failed(error));
                    continue;
                }
            };
            let delivered = loop {
                tokio::select! {
                    biased;
                    delivered = &mut delivery => break Some(delivered),
                    () = ready(()), if is_lost => break None,
                    _ = self.pings.tick() => {
                        self.kafka.progress.goes_on("outbox", GOES_ON);
                        answered(self.connection.ping()).await?;
                        is_lost = is_lost || self.is_lost().await;
                    }
                    () = &mut grace => return Ok(deliveries),
                }
            };
            deliveries.push(match delivered {
                Some(Ok(Ok(_))) => Delivery::Sent,
                Some(Ok(Err((error, _)))) => {
                    span.inspect(|span| trace::fail(span, &error));
                    failed(error)
                }
                Some(Err(_)) | None => Delivery::Failed(ClientError::Canceled),
            });
        }
        Ok(deliveries)
    }

    /// Whether the broker answers others, and the producer has no connection to it.
    pub(crate) async fn is_lost(&mut self) -> bool {
        let is_lost = !self.producer.is_connected()
            && self.stopping.run_until_cancelled(self.probe.answers()).await == Some(true)
            && !self.producer.is_connected();
        if is_lost {
            tracing::warn!("the broker answers, but not to this producer");
        }
        is_lost
    }

    /// A row that was refused with its batch: the broker may mean another one. By itself, it is sent or
    /// parked.
    async fn send_alone(&mut self, row: &Row) -> Result<Delivery, RelayError> {
        let mut alone = self.deliver(std::slice::from_ref(row)).await?;
        Ok(match alone.pop().ok_or(RelayError::Stopped)? {
            Delivery::Sent => Delivery::SentLate,
            Delivery::Refused(Refusal::OfMessage, error) => {
                self.park(Unsendable::Row(row.id), &row.topic, &error).await?;
                Delivery::Parked
            }
            other => other,
        })
    }

    /// Holds refused topics back, and parks what waits for those that were refused for too long.
    async fn judge_topics(
        &mut self,
        rows: &[Row],
        deliveries: &[Delivery],
    ) -> Result<(), RelayError> {
        let mut refused: HashSet<&str> = HashSet::new();
        for (row, delivery) in rows.iter().zip(deliveries) {
            match delivery {
                Delivery::Sent | Delivery::SentLate => self.outbox.refused().accepted(&row.topic),
                Delivery::Refused(_, error) if refused.insert(&row.topic) => {
                    let is_over = self.outbox.refused().refused(&row.topic, Instant::now());
                    if is_over {
                        self.park(Unsendable::Topic(&row.topic), &row.topic, error).await?;
                    } else {
                        tracing::warn!(topic = row.topic, %error, "the broker refuses a topic");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn park(
        &mut self,
        unsendable: Unsendable<'_>,
        topic: &str,
        error: &ClientError,
    ) -> Result<(), RelayError> {
        let why = error.to_string();
        let messages = answered(park(self.connection, &unsendable, &why)).await?;
        if let Unsendable::Row(_) = unsendable {
            // Those of a refused topic are not measured.
            self.outbox.count_sent(messages as usize);
        }
        ::metrics::counter!("karcis_messages_parked_total").increment(messages);
        tracing::error!(topic, messages, %error, "messages were parked: the broker never takes them");
        Ok(())
    }
}

/// The ids of the rows that are sent and need not be sent again.
fn done(rows: &[Row], deliveries: &[Delivery]) -> Vec<i64> {
    // Keys of which a row was sent late, and of which one has to be sent again.
    let (mut late, mut again) = (HashSet::new(), HashSet::new());
    let mut done = Vec::with_capacity(rows.len());
    for (row, delivery) in rows.iter().zip(deliveries) {
        let key: (&str, Uuid) = (&row.topic, row.key);
        let is_in_order = match delivery {
            Delivery::Sent => !late.contains(&key) && !again.contains(&key),
            Delivery::SentLate => {
                late.insert(key);
                !again.contains(&key)
            }
            Delivery::Parked => continue,
            Delivery::Refused(..) | Delivery::Failed(_) => false,
        };
        if is_in_order {
            done.push(row.id);
        } else {
            again.insert(key);
        }
    }
    done
}

fn failed(error: ClientError) -> Delivery {
    match refusal(&error) {
        Some(refusal) => Delivery::Refused(refusal, error),
        None => Delivery::Failed(error),
    }
}

async fn grace(stopping: &CancellationToken) {
    stopping.cancelled().await;
    sleep(GRACE).await;
}

/// Hands the row to the producer, with the span that lasts until its ack. CloudEvents 1.0 in
/// Kafka's binary mode. Source:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>.
fn enqueue(
    source: &str,
    kafka: &Kafka,
    producer: &Producer,
    row: &Row,
) -> Result<(DeliveryFuture, Option<Context>), ClientError> {
    let topic = kafka.topic(&row.topic);
    let key = row.key.to_string();
    let time = row.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let attempt = row.attempt.to_string();
    let id = row.message_id.to_string();
    let correlation = row.correlation.map(|booking| booking.to_string());
    let message = Described { topic: &topic, kind: &row.kind, id: &id, booking: row.correlation };
    let span = spans::send(row.trace.as_deref(), message, row.created_at);
    let own = span.as_ref().and_then(trace::header);
    let headers = [
        ("ce_specversion", Some("1.0")),
        ("ce_id", Some(id.as_str())),
        ("ce_type", Some(row.kind.as_str())),
        ("ce_source", Some(source)),
        ("ce_time", Some(time.as_str())),
        ("ce_subject", Some(key.as_str())),
        ("ce_attempt", Some(attempt.as_str())),
        ("ce_correlationid", correlation.as_deref()),
        ("traceparent", own.as_deref().or(row.trace.as_deref())),
        ("content-type", Some("application/json")),
    ];
    let mut owned = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in headers {
        if value.is_some() {
            owned = owned.insert(Header { key, value });
        }
    }
    let record = FutureRecord::to(&topic).key(&key).payload(&row.body).headers(owned);
    let delivery = producer.send_result(record).map_err(|(error, _)| error)?;
    Ok((delivery, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, key: u128) -> Row {
        Row {
            id,
            message_id: Uuid::nil(),
            topic: "karcis.bookings.v1".to_owned(),
            key: Uuid::from_u128(key),
            kind: String::new(),
            correlation: None,
            attempt: 1,
            trace: None,
            body: Vec::new(),
            created_at: karcis_process::now(),
        }
    }

    #[test]
    fn what_is_acknowledged_is_sent_again_only_behind_another_of_its_key() {
        use Delivery::{Failed, Parked, Refused, Sent, SentLate};
        let failed = || Failed(ClientError::Canceled);
        let refused = || Refused(Refusal::OfTopic, ClientError::Canceled);
        for (deliveries, expected) in [
            (vec![(1, Sent), (1, Sent), (2, Sent)], vec![0, 1, 2]),
            (vec![(1, failed()), (1, Sent), (2, Sent)], vec![2]),
            (vec![(1, refused()), (2, Sent), (1, Sent)], vec![1]),
            (vec![(1, Parked), (1, Sent)], vec![1]),
            (vec![(1, SentLate), (1, SentLate), (2, Sent)], vec![0, 1, 2]),
            (vec![(1, SentLate), (1, Sent), (1, SentLate)], vec![0]),
            (vec![(1, Sent), (1, SentLate), (2, failed())], vec![0, 1]),
        ] {
            let (keys, deliveries): (Vec<u128>, Vec<_>) = deliveries.into_iter().unzip();
            let rows: Vec<Row> = (0..).zip(keys).map(|(id, key)| row(id, key)).collect();
            assert_eq!(done(&rows, &deliveries), expected);
        }
    }
}
