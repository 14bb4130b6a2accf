//! Takes booking-service's commands, a batch at a time.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_contracts::{EventCommand, Message};
use karcis_kernel::TicketCode;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::trace;
use serde::de::Error;

use crate::{
    adapters::metrics,
    application::{
        ports::{Stocks, StoreError},
        take_commands::{TakeCommandsError, Terms, take_commands},
    },
    domain::{Address, Command, Order, Reserve},
};

/// The reader of `karcis.event-commands.v1`.
pub struct Commands {
    /// What they change.
    pub stocks: Arc<dyn Stocks>,
    /// How many unpaid holds a buyer may have for an event.
    pub most_unpaid: u32,
}

#[async_trait]
impl Consumer for Commands {
    type Message = Command;

    fn topics(&self) -> &'static [&'static str] {
        &[EventCommand::TOPIC]
    }

    fn decode(&self, _topic: &str, kind: &str, body: &[u8]) -> serde_json::Result<Option<Command>> {
        EventCommand::decode(kind, body)?.map(command).transpose()
    }

    async fn handle(&self, batch: &[Received<Command>]) -> Result<(), HandleError> {
        let commands: Vec<&Command> = batch.iter().map(|received| &received.message).collect();
        let terms = Terms {
            most_unpaid: self.most_unpaid,
            at: karcis_process::now(),
            mint: &|| TicketCode::from_bits(rand::random()),
        };
        let taking = take_commands(&*self.stocks, &commands, &terms);
        let answers = trace::span("take_commands", taking).await?;
        metrics::count_answers(&answers);
        Ok(())
    }
}

fn command(command: EventCommand) -> serde_json::Result<Command> {
    Ok(match command {
        EventCommand::ReserveTickets(asked) => {
            let items = asked.items.iter().map(|item| (item.ticket_type_id, item.quantity));
            let order = Order::try_from(items.collect::<Vec<_>>());
            Command::Reserve(Reserve {
                to: Address { booking_id: asked.booking_id, event_id: asked.event_id },
                user_id: asked.user_id,
                order: order.map_err(serde_json::Error::custom)?,
                expected_total: asked.expected_total,
            })
        }
        EventCommand::ConfirmTickets(asked) => {
            Command::Confirm(Address { booking_id: asked.booking_id, event_id: asked.event_id })
        }
        EventCommand::ReleaseTickets(asked) => {
            Command::Release(Address { booking_id: asked.booking_id, event_id: asked.event_id })
        }
    })
}

impl From<TakeCommandsError> for HandleError {
    fn from(error: TakeCommandsError) -> Self {
        match error {
            TakeCommandsError::Unfit { .. } | TakeCommandsError::Store(StoreError::Refused(_)) => {
                Self::Poison(error.to_string())
            }
            TakeCommandsError::KeepsChanging
            | TakeCommandsError::Store(StoreError::Unavailable(_)) => {
                Self::Unavailable(error.to_string())
            }
        }
    }
}
