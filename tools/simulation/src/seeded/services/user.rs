//! user-service: its consumer (`adapters/kafka/consumer.rs`) and the sending of e-mails (`adapters/workers.rs`).

use std::time::Duration;

use async_trait::async_trait;
use karcis_messaging::HandleError;
use karcis_process::timer::wait;
use karcis_user_service::{
    application::{Notifications, send_mails},
    domain::Notification,
};

use super::consumer::{Handler, consume};
use crate::seeded::{
    broker::Group,
    messages::{Content, Message},
    ports::Ports,
    world::{Signal, Task},
};

const TICK: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_secs(60);

pub(super) fn tasks(ports: &Ports) -> Vec<Task> {
    let facts = BookingFacts(ports.clone());
    vec![Box::pin(consume(ports.clone(), Group::User, facts)), Box::pin(send(ports.clone()))]
}

struct BookingFacts(Ports);

#[async_trait]
impl Handler for BookingFacts {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let notifications = batch.iter().filter_map(|message| match &message.content {
            Content::Notification(notification) => Some((**notification).clone()),
            _ => None,
        });
        let notifications: Vec<Notification> = notifications.collect();
        let at = self.0.world.lock().now(Some(self.0.instance));
        Notifications::add(&self.0, &notifications, at).await?;
        self.0.world.lock().notify(Signal::Work(Group::User));
        Ok(())
    }
}

/// Sends what is due. E-mails about accounts, which the real loop sends too, do not exist here.
async fn send(ports: Ports) {
    let world = ports.world.clone();
    loop {
        let (at, next) = {
            let state = world.lock();
            (state.now(Some(ports.instance)), state.tables.users.next_due())
        };
        let pause = next.map_or(LOOK_AGAIN, |next| (next - at).to_std().unwrap_or_default());
        if pause.is_zero() {
            // What fails here is due again.
            let _ = send_mails(&ports, &ports, &ports, at).await;
        } else {
            world.wait_for(Signal::Work(Group::User), pause.min(LOOK_AGAIN)).await;
        }
        wait(TICK).await;
    }
}
