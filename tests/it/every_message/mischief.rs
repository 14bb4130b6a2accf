//! What happens to messages between the services that send and those that read them.

use std::{collections::BTreeSet, time::Duration};

use karcis_fleet::Fleet;
use karcis_schemas::SERVICES;
use rdkafka::{
    Message,
    producer::{FutureProducer, FutureRecord},
};
use sqlx::AssertSqlSafe;

use crate::history::history;

/// What becomes of each message.
#[derive(Clone, Copy)]
pub(crate) enum Mischief {
    None,
    /// It is sent three times.
    Tripled,
    /// It is not sent, but for when its sender sends it again.
    LostOnce,
}

/// Does this from now on to what all services send.
pub(crate) async fn befalls(fleet: &Fleet, mischief: Mischief) {
    let superuser = fleet.environment().superuser();
    let table = "CREATE TABLE public.befallen (
        kind text, about uuid, message_id uuid, PRIMARY KEY (kind, about))";
    sqlx::query(table).execute(superuser).await.unwrap();
    for service in SERVICES {
        let schema = service.schema.name;
        // Of what is sent again all is sent.
        let body = match mischief {
            Mischief::Tripled => format!(
                "IF pg_trigger_depth() = 1 THEN
                     INSERT INTO {schema}.outbox (message_id, topic, key, kind, correlation, body)
                     SELECT NEW.message_id, NEW.topic, NEW.key, NEW.kind, NEW.correlation, NEW.body
                     FROM generate_series(1, 2);
                 END IF;"
            ),
            Mischief::None => String::new(),
            Mischief::LostOnce => "IF FOUND THEN RETURN NULL; END IF;".to_owned(),
        };
        let trigger = format!(
            "CREATE FUNCTION {schema}.befall() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 INSERT INTO public.befallen
                 VALUES (NEW.kind, coalesce(NEW.correlation, NEW.key), NEW.message_id)
                 ON CONFLICT DO NOTHING;
                 {body}
                 RETURN NEW;
             END $$;
             CREATE TRIGGER befall BEFORE INSERT ON {schema}.outbox
                 FOR EACH ROW EXECUTE FUNCTION {schema}.befall();"
        );
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(superuser).await.unwrap();
    }
}

/// The types of the messages that this has happened to.
pub(crate) async fn befallen(fleet: &Fleet) -> BTreeSet<String> {
    texts(fleet, "SELECT DISTINCT kind FROM public.befallen").await
}

/// The ids of the messages that this happened to first, one of each type about each thing.
pub(crate) async fn first_befallen(fleet: &Fleet) -> BTreeSet<String> {
    texts(fleet, "SELECT message_id::text FROM public.befallen").await
}

async fn texts(fleet: &Fleet, query: &'static str) -> BTreeSet<String> {
    let texts = sqlx::query_scalar(query).fetch_all(fleet.environment().superuser()).await;
    texts.unwrap().into_iter().collect()
}

/// Sends all messages of all topics once more, the newest first: each comes after all that followed from it.
/// Returns how many.
pub(crate) async fn all_come_again_backwards(fleet: &Fleet) -> usize {
    let messages = history(fleet.environment());
    let producer: FutureProducer = fleet.environment().kafka_client().create().unwrap();
    for message in messages.iter().rev() {
        let record = FutureRecord::to(message.topic())
            .key(message.key().unwrap())
            .payload(message.payload().unwrap())
            .headers(message.headers().unwrap().clone());
        producer.send(record, Duration::from_secs(60)).await.unwrap();
    }
    messages.len()
}
