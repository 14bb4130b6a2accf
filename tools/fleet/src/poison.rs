//! Messages that somebody else wrote in a service's name.

use karcis_contracts::Channel;
use karcis_schemas::SERVICES;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::Fleet;

impl Fleet {
    /// The channel's writer sends a message of this type, without anything in it.
    pub async fn poisons(&self, channel: &Channel, kind: &str) {
        self.sends(channel, kind, Uuid::now_v7(), &json!({})).await;
    }

    /// The channel's writer sends a message of this type, with this in it.
    pub async fn sends(&self, channel: &Channel, kind: &str, key: Uuid, body: &Value) {
        let writer = SERVICES.into_iter().find(|service| service.full_name() == channel.writer);
        let schema = writer.unwrap().schema.name;
        let send =
            format!("INSERT INTO {schema}.outbox (topic, key, kind, body) VALUES ($1, $2, $3, $4)");
        let send = sqlx::query(AssertSqlSafe(send)).bind(channel.topic).bind(key).bind(kind);
        let send = send.bind(body.to_string().into_bytes());
        send.execute(self.environment().superuser()).await.unwrap();
    }
}
