//! Takes booking-service's commands from Kafka.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{Message, PaymentCommand};
use karcis_kernel::PaymentId;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::trace;
use serde::de::Error as _;
use uuid::Uuid;

use super::messages::command;
use crate::{
    adapters::{metrics, postgres::PgPayments},
    application::{ArrivedCommand, Taken, take_commands},
    domain::Command,
};

/// Hands each batch of commands to its use case.
pub(crate) struct Commands {
    /// Not [`BatchedPayments`](crate::adapters::postgres::BatchedPayments): a batch of commands must
    /// not wait for HTTP requests.
    pub(crate) payments: Arc<PgPayments>,
}

#[async_trait]
impl Consumer for Commands {
    type Message = Command;

    fn decode(&self, _topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<Command>> {
        let message = PaymentCommand::decode(kind, body)?;
        message.map(command).transpose().map_err(serde_json::Error::custom)
    }

    async fn handle(&self, batch: &[Received<Command>]) -> Result<(), HandleError> {
        let batch: Vec<ArrivedCommand> = batch
            .iter()
            .map(|received| ArrivedCommand {
                command: received.message.clone(),
                new_id: PaymentId(Uuid::now_v7()),
            })
            .collect();
        let taking = take_commands(&*self.payments, &batch);
        let Taken { alerts, open } = trace::span("take_commands", taking).await?;
        metrics::count_alerts(alerts.len());
        for booking in alerts {
            tracing::error!(
                booking_id = %booking,
                "a refund was asked of a payment that holds no money: compare with its booking"
            );
        }
        HandleError::all_but(open)
    }
}
