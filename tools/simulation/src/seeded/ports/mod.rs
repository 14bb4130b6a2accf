//! The ports of the use cases on the tables in memory. Each call takes two steps of time, one before its effect
//! and one before its caller knows of it, and in both the caller's process may die.

mod accounts;
mod bookings;
mod events;
mod gateway;
mod mails;
mod payments;

use std::sync::Arc;

use karcis_booking_service::application::OpenEvents;
use karcis_database::StoreError;
use karcis_kernel::BookingId;
use uuid::Uuid;

pub(crate) use bookings::Opened;
pub(crate) use gateway::act;

use super::{
    faults::FaultKind,
    processes::group_of,
    rows::Open,
    world::{State, World, start},
};

/// What one instance of a service has at hand: it implements the ports of all four.
#[derive(Clone)]
pub struct Ports {
    pub(crate) world: Arc<World>,
    pub(crate) instance: usize,
    /// Where faults strike: what a statement is about, so that the same ones do when others are left out.
    place: u64,
}

impl Ports {
    pub(crate) fn new(world: Arc<World>, instance: usize) -> Self {
        Self { world, instance, place: instance as u64 }
    }

    /// The same, for a statement about this.
    fn about(&self, id: Option<Uuid>) -> Self {
        let place = id.map_or(self.place, |id| id.as_u128() as u64);
        Self { place, ..self.clone() }
    }

    async fn step(&self) {
        self.world.step(Some(self.instance), self.place).await;
    }

    /// Empty tables of a service by itself: nothing goes wrong, and nothing takes time.
    pub fn still() -> Self {
        Self::new(World::still(), 0)
    }

    /// At the provider the buyer approves or declines what it waits for.
    pub fn buyer_acts(&self, intent: BookingId, approves: bool) -> bool {
        self.world.lock().tables.provider.buyer_acts(intent, approves, start())
    }

    /// At the provider the intent's pending refunds are done.
    pub fn refunds_are_done(&self, intent: BookingId) -> bool {
        self.world.lock().tables.provider.end_refunds(intent)
    }

    /// booking-service's port of the events whose bookings have to be cancelled.
    pub fn cancelled_events(&self) -> impl OpenEvents + use<> {
        Opened(self.clone(), Open::Cancelled)
    }

    /// booking-service's port of the events whose holders do not know how they look.
    pub fn moved_events(&self) -> impl OpenEvents + use<> {
        Opened(self.clone(), Open::Moved)
    }

    /// What an operator does with a dead letter, as `dead_letter.rs` of `crates/messaging`: sends it again, or throws
    /// it away. `false`: it was none any more.
    pub(crate) async fn end_dead_letter(&self, id: u64, is_sent: bool) -> Result<bool, StoreError> {
        self.write(|state| {
            let Some((group, message)) = state.obstacles.take_dead_letter(id) else { return false };
            let what = if is_sent { "sends again" } else { "throws away" };
            let about = state.name(message.subject());
            state.tell(|| format!("an operator {what} {} of {about}", message.name()));
            if is_sent {
                state.send(group, [message]);
            }
            true
        })
        .await
    }

    /// A statement that reads.
    async fn read<T>(&self, read: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.step().await;
        let done = {
            let state = &mut *self.world.lock();
            match self.fault(state, false) {
                Some(error) => Err(error),
                None => Ok(read(state)),
            }
        };
        self.step().await;
        done
    }

    /// A transaction: all of it or nothing is done, and its caller may not be told which.
    async fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.step().await;
        let done = {
            let state = &mut *self.world.lock();
            match self.fault(state, true) {
                Some(error) => Err(error),
                None => self.told(state, write),
            }
        };
        self.step().await;
        done
    }

    /// Why the store does not do what it is asked, if so.
    fn fault(&self, state: &mut State, writes: bool) -> Option<StoreError> {
        let group = group_of(self.instance);
        let fault = state.store_fault(group, self.instance, self.place, writes);
        state.processes[self.instance].faults += u64::from(fault.is_some());
        fault
    }

    fn told<T>(
        &self,
        state: &mut State,
        write: impl FnOnce(&mut State) -> T,
    ) -> Result<T, StoreError> {
        let done = write(state);
        if state.faults.strikes(FaultKind::CommitLost, self.place) {
            state.processes[self.instance].faults += 1;
            let instance = super::processes::instance_name(self.instance);
            state.tell(|| format!("the answer to a commit of {instance} is lost"));
            state.progress.store_failed(group_of(self.instance));
            return Err(StoreError::unavailable("the answer to the commit is lost"));
        }
        Ok(done)
    }
}
