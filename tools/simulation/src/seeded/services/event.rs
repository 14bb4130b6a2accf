//! event-service: its consumer (`adapters/kafka/consumer.rs`) and its announcer (`adapters/workers.rs`).

use std::time::Duration;

use async_trait::async_trait;
use karcis_event_service::{
    application::{DecisionContext, TakeCommandsError, announce_cancelled, take_commands},
    domain::Command,
};
use karcis_kernel::TicketCode;
use karcis_messaging::HandleError;
use karcis_process::timer::wait;

use super::consumer::{Handler, consume};
use crate::seeded::{
    broker::Group,
    messages::{Content, Message},
    ports::Ports,
    world::{Signal, Task},
};

const TICK: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const AT_A_TIME: u16 = 100;
/// How many unpaid holds a buyer may have of an event: the default of the service.
const MAX_UNPAID_HOLDS: u32 = 2;

pub(super) fn tasks(ports: &Ports) -> Vec<Task> {
    let commands = Commands(ports.clone());
    vec![
        Box::pin(consume(ports.clone(), Group::Event, commands)),
        Box::pin(announce_cancelled_events(ports.clone())),
    ]
}

struct Commands(Ports);

#[async_trait]
impl Handler for Commands {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let ports = &self.0;
        let commands: Vec<&Command> = batch
            .iter()
            .filter_map(|message| match &message.content {
                Content::ToEventService(command) | Content::Poison(_, Some(command)) => {
                    Some(command)
                }
                _ => None,
            })
            .collect();
        let at = ports.world.lock().now(Some(ports.instance));
        let mint = || TicketCode::from_bits(ports.world.lock().draw_id().as_u128());
        let context = DecisionContext { max_unpaid_holds: MAX_UNPAID_HOLDS, at, mint: &mint };
        match take_commands(ports, &commands, &context).await {
            Ok(taken) => HandleError::all_but(taken.open),
            Err(error @ TakeCommandsError::Mismatch { .. }) => {
                Err(HandleError::Poison(error.to_string()))
            }
            Err(TakeCommandsError::Store(error)) => Err(error.into()),
        }
    }
}

async fn announce_cancelled_events(ports: Ports) {
    let world = ports.world.clone();
    loop {
        let pause = {
            let state = world.lock();
            let now = state.now(Some(ports.instance));
            let next = state.tables.events.next_announcement();
            next.map(|next| (next - now).to_std().unwrap_or_default()).unwrap_or(LOOK_AGAIN)
        };
        if pause > TICK {
            world.wait_for(Signal::Work(Group::Event), pause.min(LOOK_AGAIN)).await;
            continue;
        }
        wait(TICK).await;
        let at = world.lock().now(Some(ports.instance));
        if let Ok(rejected) = announce_cancelled(&ports, at, AT_A_TIME).await
            && let Some((_, error)) = rejected.first()
        {
            world.lock().violate(14, || format!("the store rejects an announcement: {error}"));
        }
    }
}
