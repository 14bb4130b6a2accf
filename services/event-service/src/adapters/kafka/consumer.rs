//! Takes booking-service's commands, a batch at a time.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{EventCommand, Message};
use karcis_kernel::TicketCode;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::{now, trace};

use super::messages::command;
use crate::{
    adapters::metrics,
    application::{DecisionContext, Stocks, TakeCommandsError, take_commands},
    domain::Command,
};

/// The reader of `karcis.event-commands.v1`.
pub(crate) struct Commands {
    pub stocks: Arc<dyn Stocks>,
    /// How many unpaid holds a buyer may have of an event.
    pub max_unpaid_holds: u32,
}

#[async_trait]
impl Consumer for Commands {
    type Message = Command;

    fn decode(&self, _topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<Command>> {
        EventCommand::decode(kind, body)?.map(command).transpose()
    }

    async fn handle(&self, batch: &[Received<Command>]) -> Result<(), HandleError> {
        let commands: Vec<&Command> = batch.iter().map(|received| &received.message).collect();
        let context = DecisionContext {
            max_unpaid_holds: self.max_unpaid_holds,
            at: now(),
            mint: &|| TicketCode::from_bits(rand::random()),
        };
        let taking = take_commands(&*self.stocks, &commands, &context);
        let replies = trace::span("take_commands", taking).await?;
        metrics::count_replies(&replies);
        Ok(())
    }
}

impl From<TakeCommandsError> for HandleError {
    fn from(error: TakeCommandsError) -> Self {
        match error {
            TakeCommandsError::Mismatch { .. } => Self::Poison(error.to_string()),
            TakeCommandsError::Store(error) => error.into(),
        }
    }
}
