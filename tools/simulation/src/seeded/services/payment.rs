//! payment-service: its consumer (`adapters/kafka/consumer.rs`) and the worker that asks the provider
//! (`adapters/workers.rs`).

use std::time::Duration;

use async_trait::async_trait;
use karcis_kernel::PaymentId;
use karcis_messaging::HandleError;
use karcis_payment_service::application::{ArrivedCommand, AskReport, ask_provider, take_commands};
use karcis_process::timer::wait;

use super::consumer::{Handler, consume};
use crate::seeded::{
    broker::Group,
    messages::{Content, Message},
    ports::Ports,
    world::{Signal, Task},
};

const LOOK_AGAIN: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(100);
const AT_A_TIME: u16 = 64;

pub(super) fn tasks(ports: &Ports) -> Vec<Task> {
    let commands = Commands(ports.clone());
    vec![
        Box::pin(consume(ports.clone(), Group::Payment, commands)),
        Box::pin(run_asking(ports.clone())),
    ]
}

struct Commands(Ports);

#[async_trait]
impl Handler for Commands {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let world = &self.0.world;
        let commands = batch.iter().filter_map(|message| match &message.content {
            Content::ToPaymentService(command) => {
                let new_id = PaymentId(world.lock().draw_id());
                Some(ArrivedCommand { command: command.clone(), new_id })
            }
            _ => None,
        });
        let commands: Vec<ArrivedCommand> = commands.collect();
        let taken = take_commands(&self.0, &commands).await?;
        if let Some(booking) = taken.alerts.first() {
            let state = &mut *world.lock();
            let name = state.name(booking.0);
            state.violate(5, || {
                format!("a refund is asked of the payment of {name}, which has no money")
            });
        }
        HandleError::all_but(taken.open)
    }
}

async fn run_asking(ports: Ports) {
    let world = ports.world.clone();
    loop {
        let pause = {
            let state = world.lock();
            let next = state.tables.payments.next_try();
            next.map(|next| (next - state.now(None)).to_std().unwrap_or_default())
        };
        match pause {
            Some(Duration::ZERO) => {}
            pause => {
                let pause = pause.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN);
                world.wait_for(Signal::Work(Group::Payment), pause).await;
                wait(TICK).await;
                continue;
            }
        }
        // Whatever fails here, the provider is asked again.
        let mut report = AskReport::default();
        let asking = ask_provider(&ports, &ports, true, AT_A_TIME, &mut report);
        if asking.await.is_err() {
            wait(TICK).await;
        }
    }
}
