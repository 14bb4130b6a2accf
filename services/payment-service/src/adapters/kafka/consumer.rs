//! Takes booking-service's commands from Kafka.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{Message, PaymentCommand};
use karcis_kernel::PaymentId;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::trace;
use uuid::Uuid;

use super::messages::command;
use crate::{
    adapters::metrics,
    application::{ArrivedCommand, ports::Payments, take_commands},
    domain::InvalidAmount,
};

/// Hands each batch of commands to its use case.
pub(crate) struct Commands(pub Arc<dyn Payments>);

#[async_trait]
impl Consumer for Commands {
    type Message = PaymentCommand;

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<PaymentCommand>> {
        PaymentCommand::decode(kind, body)
    }

    async fn handle(&self, batch: &[Received<PaymentCommand>]) -> Result<(), HandleError> {
        let batch: Vec<ArrivedCommand> = batch
            .iter()
            .map(|received| {
                let command = command(&received.message)?;
                Ok(ArrivedCommand { command, new_id: PaymentId(Uuid::now_v7()) })
            })
            .collect::<Result<_, InvalidAmount>>()
            .map_err(|error| HandleError::Poison(error.to_string()))?;
        let taking = take_commands(&*self.0, &batch);
        let alerts = trace::span("take_commands", taking).await?;
        metrics::count_alerts(alerts.len());
        for booking in alerts {
            tracing::error!(
                booking_id = %booking,
                "a refund was asked of a payment that holds no money: compare with its booking"
            );
        }
        Ok(())
    }
}
