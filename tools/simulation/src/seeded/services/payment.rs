//! payment-service: its consumer (`adapters/kafka/consumer.rs`) and the workers that ask the provider
//! (`adapters/workers.rs`).

use std::time::Duration;

use async_trait::async_trait;
use karcis_kernel::PaymentId;
use karcis_messaging::HandleError;
use karcis_payment_service::application::{
    ArrivedCommand, RefundReport, Waiting, refund_payments, resolve_attempts, take_commands,
    void_attempts,
};
use karcis_process::timer::wait;

use super::consumer::{Handler, consume};
use crate::seeded::{
    broker::Group,
    messages::{Content, Message},
    ports::Ports,
    rows::PaymentRows,
    world::{Signal, Task},
};

const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How often the provider is asked again.
const REST: Duration = Duration::from_secs(5);
/// How long an attempt is left to the request that made it.
const AGE: Duration = Duration::from_secs(10);
const AT_A_TIME: u16 = 256;
const PASSES_PER_ACTION: u32 = 30;

pub(super) fn tasks(ports: &Ports) -> Vec<Task> {
    let commands = Commands(ports.clone());
    vec![
        Box::pin(consume(ports.clone(), Group::Payment, commands)),
        Box::pin(run_resolving(ports.clone())),
        Box::pin(run_voiding(ports.clone())),
        Box::pin(run_refunding(ports.clone())),
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

async fn run_resolving(ports: Ports) {
    let (mut page, mut pass) = (None, 0_u32);
    loop {
        rest(&ports, PaymentRows::has_unresolved).await;
        let now = ports.world.lock().now(Some(ports.instance));
        let with_actions = pass.is_multiple_of(PASSES_PER_ACTION);
        let waiting = Waiting::Outcome { before: now - AGE, with_actions };
        if let Ok(resolved) =
            resolve_attempts(&ports, &ports, waiting, page.take(), AT_A_TIME).await
        {
            page = resolved.next;
        }
        pass = pass.wrapping_add(1);
    }
}

async fn run_voiding(ports: Ports) {
    let mut page = None;
    loop {
        rest(&ports, PaymentRows::has_unresolved).await;
        if let Ok((_, next)) = void_attempts(&ports, &ports, page.take(), AT_A_TIME).await {
            page = next;
        }
    }
}

async fn run_refunding(ports: Ports) {
    let mut page = None;
    loop {
        rest(&ports, PaymentRows::has_refunds).await;
        let mut report = RefundReport::default();
        let refunding = refund_payments(&ports, &ports, page.take(), AT_A_TIME, &mut report);
        if let Ok(next) = refunding.await {
            page = next;
        }
    }
}

/// Until there is something to do, and then for as long as a pass takes to come round.
async fn rest(ports: &Ports, has_work: fn(&PaymentRows) -> bool) {
    while !has_work(&ports.world.lock().tables.payments) {
        ports.world.wait_for(Signal::Work(Group::Payment), LOOK_AGAIN).await;
    }
    wait(REST).await;
}
