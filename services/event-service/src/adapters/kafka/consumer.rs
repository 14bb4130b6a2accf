//! Takes booking-service's commands, a batch at a time.

use std::{collections::HashSet, ops::Range, sync::Arc};

use async_trait::async_trait;
use karcis_contracts::{EventCommand, Message};
use karcis_kernel::TicketCode;
use karcis_messaging::{Consumer, HandleError, Received, SEATS_AT_ONCE, parts};
use karcis_process::{now, trace};

use super::messages::command;
use crate::{
    adapters::metrics,
    application::{DecisionContext, Stocks, TakeCommandsError, take_commands},
    domain::{Command, MAX_SEATS},
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
        let (mut open, mut locked) = (Vec::new(), HashSet::new());
        for part in self.parts_of(&commands).await? {
            // What an earlier part left open waits in front of the commands of its event.
            let (waiting, free): (Vec<usize>, Vec<usize>) =
                part.partition(|index| locked.contains(&commands[*index].hold().event_id));
            let part: Vec<&Command> = free.iter().map(|index| commands[*index]).collect();
            let taking = take_commands(&*self.stocks, &part, &context);
            let taken = trace::span("take_commands", taking).await?;
            metrics::count_replies(&taken.replies);
            locked.extend(taken.open.iter().map(|at| part[*at].hold().event_id));
            open.extend(taken.open.into_iter().map(|at| free[at]).chain(waiting));
        }
        HandleError::all_but(open)
    }
}

impl Commands {
    /// The parts that are committed one after another: a ticket for each seat is read, made and sent.
    async fn parts_of(&self, commands: &[&Command]) -> Result<Vec<Range<usize>>, HandleError> {
        if commands.len() <= SEATS_AT_ONCE / MAX_SEATS as usize {
            return Ok(parts(commands.iter().map(|_| 0)));
        }
        let stored = self.stocks.seats(commands).await?;
        let seats = commands.iter().map(|command| {
            match (stored.get(&command.hold().booking_id), command) {
                (Some(seats), _) => *seats,
                (None, Command::Reserve(request)) => request.items.seats(),
                (None, Command::Confirm(_) | Command::Release(_)) => 0,
            }
        });
        Ok(parts(seats))
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
