//! The ports of user-service with which buyers are told, and the mail server as it reaches it: it refuses
//! e-mails, is down, and loses answers.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Timestamp};
use karcis_process::timer::monotonic;
use karcis_user_service::{
    application::{Delivery, MailCounts, MailQueue, Notifications, Notifier},
    domain::{Mail, Notification},
};
use uuid::Uuid;

use super::Ports;
use crate::seeded::{faults::FaultKind, processes::Ground, random::hash, world::State};

#[async_trait]
impl Notifications for Ports {
    /// Two statements: others may commit between them.
    async fn add(&self, notifications: &[Notification], at: Timestamp) -> Result<(), StoreError> {
        if notifications.is_empty() {
            return Ok(());
        }
        let ports = self.about(notifications.first().map(|of| of.booking_id.0));
        ports.write(|state| state.tables.users.add(notifications, at)).await?;
        let later = notifications.iter().filter(|of| of.kind.as_str() != "reserved");
        let later: Vec<BookingId> = later.map(|of| of.booking_id).collect();
        ports
            .write(|state| {
                later.iter().for_each(|id| state.tables.users.drop_reserved(*id, at));
                state.told.need_not_pay(later);
            })
            .await
    }
}

#[async_trait]
impl MailQueue for Ports {
    async fn claim_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError> {
        self.write(|state| {
            let mails = state.tables.users.claim_due(at, until, since, limit);
            let faults = state.processes[self.instance].faults;
            let claimed = state.told.claimed(self.instance, monotonic(), faults, &mails);
            state.hold(claimed);
            mails
        })
        .await
    }

    async fn record(
        &self,
        outcomes: &[(&Mail, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError> {
        let Some((first, _)) = outcomes.first() else { return Ok(()) };
        let ports = self.about(booking(first));
        ports.write(|state| state.tables.users.record(outcomes, at, &pause)).await
    }
}

#[async_trait]
impl MailCounts for Ports {
    async fn admit(&self, mails: &[Mail], at: Timestamp) -> Result<Vec<bool>, StoreError> {
        if mails.iter().all(|mail| mail.daily_limit().is_none()) {
            return Ok(vec![true; mails.len()]);
        }
        self.write(|state| state.tables.users.admit(mails, at)).await
    }

    async fn uncount(&self, mails: &[&Mail]) -> Result<(), StoreError> {
        if mails.iter().all(|mail| mail.daily_limit().is_none()) {
            return Ok(());
        }
        self.write(|state| state.tables.users.uncount(mails)).await
    }
}

fn booking(mail: &Mail) -> Option<Uuid> {
    mail.content.notification().map(|of| of.booking_id.0)
}

#[async_trait]
impl Notifier for Ports {
    async fn notify(&self, mails: &[Mail]) -> Vec<Delivery> {
        let mut sent = vec![];
        for mail in mails {
            self.about(booking(mail)).step().await;
            sent.push(deliver(&mut self.world.lock(), self.instance, mail));
        }
        self.step().await;
        sent
    }
}

fn deliver(state: &mut State, instance: usize, mail: &Mail) -> Delivery {
    let Some((of, to)) = mail.content.notification().zip(mail.recipient.as_ref()) else {
        return Delivery::Done;
    };
    let place = of.booking_id.0.as_u128() as u64;
    let (name, kind) = (state.name(of.booking_id.0), of.kind.key());
    if state.is_down(Ground::MailServer, FaultKind::MailServerDown, place)
        || state.faults.strikes(FaultKind::MailRefused, place)
    {
        state.tell(|| format!("the mail server does not take {kind} of {name}"));
        return Delivery::NotSent;
    }
    let is_answered = !state.faults.strikes(FaultKind::MailAnswerLost, place);
    state.tell(|| {
        let lost = if is_answered { "" } else { "; the answer is lost" };
        format!("the buyer of {name} gets an e-mail: {kind}{lost}")
    });
    state.trace = hash(&[state.trace, place]);
    let sent = state.told.sent(instance, &state.processes, of, to.is_verified, is_answered);
    state.hold(sent);
    if is_answered { Delivery::Done } else { Delivery::Unknown }
}
