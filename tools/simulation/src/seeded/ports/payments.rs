//! The ports of payment-service, but for the provider.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{KeyUse, Loaded, PrivilegedAct, RequestKey, StoreError};
use karcis_kernel::{BookingId, Timestamp};
use karcis_payment_service::{
    application::{
        Change, Claimed, Payments, ReleasedClaim, Unsettled, UnsettledPayments, WaitingPayments,
    },
    domain::PaymentRecord,
};
use uuid::Uuid;

use super::Ports;
use crate::seeded::{
    broker::Group,
    messages,
    people::BY_HAND,
    processes::instance_name,
    random::hash,
    world::{Signal, State},
};

#[async_trait]
impl Payments for Ports {
    async fn load(&self, bookings: &[BookingId]) -> Result<Loaded<PaymentRecord>, StoreError> {
        let ports = self.about(bookings.first().map(|id| id.0));
        let load = |state: &mut State| {
            let mut found = state.tables.payments.load(bookings);
            let stored = found.iter().map(|record| record.booking_id().0).collect::<Vec<_>>();
            let unreadable = state.unreadable(Group::Payment, "payment", stored);
            found.retain(|record| unreadable.iter().all(|row| row.id != record.booking_id().0));
            Loaded { found, unreadable }
        };
        ports.read(load).await
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        self.read(|state| state.tables.payments.key_uses(keys, now)).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let ports = self.about(changes.first().map(|change| change.after.booking_id().0));
        ports.write(|state| commit(state, self.instance, changes)).await
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError> {
        self.read(|state| state.tables.payments.was_answered_processing(key)).await
    }

    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        self.write(|state| state.tables.payments.mark_answered_processing(key)).await
    }

    async fn release(&self, claims: &[ReleasedClaim]) -> Result<(), StoreError> {
        self.write(|state| {
            let now = state.now(None);
            state.tables.payments.release(claims, now);
            state.notify(Signal::Work(Group::Payment));
        })
        .await
    }

    async fn ask_soon(&self, booking: BookingId, look_up: bool) -> Result<bool, StoreError> {
        self.write(|state| {
            let now = state.now(None);
            state.notify(Signal::Work(Group::Payment));
            state.tables.payments.ask_soon(booking, look_up, now)
        })
        .await
    }
}

fn commit(state: &mut State, instance: usize, changes: Vec<Change>) -> HashSet<BookingId> {
    let now = state.now(None);
    let State { faults, obstacles, .. } = state;
    let is_locked = |id: BookingId| obstacles.is_locked(faults, Group::Payment, id.0);
    let (written, conflicts) = state.tables.payments.commit(changes, now, is_locked);
    for change in &written {
        let booking = change.after.booking_id();
        let version = change.after.payment().map_or(1, |payment| payment.version);
        for fact in &change.facts {
            let checked = state.answers.of_payment(booking, version, fact);
            state.check_answer(booking, checked);
        }
        let facts = change.facts.iter().filter_map(|fact| messages::of_payment(booking, fact));
        tell(state, instance, change);
        if let Some(act) = &change.act {
            recorded(state, act, change);
        }
        state.send(Group::Payment, facts);
        state.trace = hash(&[state.trace, booking.0.as_u128() as u64]);
    }
    state.notify(Signal::Work(Group::Payment));
    let ids: Vec<BookingId> = written.iter().map(|change| change.after.booking_id()).collect();
    state.check(&ids, None);
    conflicts
}

/// An act of an operator is recorded, once if it settles something. Who says that money went back by hand pays it.
fn recorded(state: &mut State, act: &PrivilegedAct, change: &Change) {
    let booking = change.after.booking_id();
    let (times, detail) = (state.tables.payments.recorded(act), act.detail.as_deref());
    let is_repeated = times > 1 && detail.is_some_and(|detail| !detail.starts_with("ask_again"));
    if is_repeated {
        let name = state.name(booking.0);
        state.violate(10, || format!("{name} is settled twice: {act:?}"));
    }
    if detail.is_some_and(|detail| detail.ends_with(BY_HAND))
        && let Some(payment) = change.after.payment()
    {
        state.tables.provider.paid_by_hand(booking, payment.terms.amount().amount);
    }
}

fn tell(state: &mut State, instance: usize, change: &Change) {
    let name = state.name(change.after.booking_id().0);
    let instance = instance_name(instance);
    state.tell(|| {
        let status = change
            .after
            .payment()
            .map_or("cancelled before it was asked for", |payment| payment.state.status().as_str());
        let facts: Vec<_> = change.facts.iter().map(|fact| format!("{fact:?}")).collect();
        let facts = if facts.is_empty() { "nothing".to_owned() } else { facts.join(", ") };
        format!("{instance} commits: the payment of {name} is {status}, publishes {facts}")
    });
}

#[async_trait]
impl WaitingPayments for Ports {
    async fn claim(&self, _refunds: bool, limit: u16) -> Result<Vec<Claimed>, StoreError> {
        self.write(|state| {
            let now = state.now(None);
            let mut claimed = state.tables.payments.claim(limit, now);
            let ids = claimed.iter().map(|it| it.payment.booking_id.0).collect::<Vec<_>>();
            let unreadable = state.unreadable(Group::Payment, "payment", ids);
            claimed.retain(|it| unreadable.iter().all(|row| row.id != it.payment.booking_id.0));
            claimed
        })
        .await
    }
}

#[async_trait]
impl UnsettledPayments for Ports {
    async fn unsettled(
        &self,
        before: Timestamp,
        after: Option<(BookingId, Uuid)>,
        limit: u16,
    ) -> Result<Vec<Unsettled>, StoreError> {
        self.read(|state| state.tables.payments.unsettled(before, state.now(None), after, limit))
            .await
    }

    async fn hold(&self, booking: BookingId) -> Result<Option<bool>, StoreError> {
        self.about(Some(booking.0))
            .write(|state| {
                let now = state.now(None);
                state.tables.payments.hold(booking, now)
            })
            .await
    }

    async fn is_recorded(&self, act: &PrivilegedAct) -> Result<bool, StoreError> {
        self.about(Some(act.subject)).read(|state| state.tables.payments.recorded(act) > 0).await
    }
}
