//! user-service's tables of accounts and of e-mails about bookings, as its `adapters/postgres` reads and writes
//! them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
};

use chrono::TimeDelta;
use karcis_kernel::{BookingId, Timestamp, UserId};
use karcis_user_service::{
    application::Erasure,
    domain::{Account, Content, Email, Language, Mail, Notification, Recipient},
};

/// The primary key of a notification.
type Key = (BookingId, String);

#[derive(Debug)]
struct Notice {
    notification: Notification,
    noted_at: Timestamp,
    try_at: Timestamp,
    told_at: Option<Timestamp>,
}

/// How many e-mails an address got since a day before `ends_at`.
#[derive(Clone, Copy, Debug)]
struct Count {
    mails: u32,
    ends_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct UserRows {
    accounts: BTreeMap<UserId, Account>,
    notices: BTreeMap<Key, Notice>,
    /// Those that are not told, by when they are due.
    due: BTreeSet<(Timestamp, Key)>,
    counts: HashMap<String, Count>,
}

impl UserRows {
    pub(crate) fn account(&self, id: UserId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    pub(crate) fn add_account(&mut self, account: Account) {
        self.accounts.insert(account.user_id, account);
    }

    /// `accounts.rs`. Nobody here is an admin.
    pub(crate) fn erase(&mut self, account: &Account) -> Erasure {
        let stored = self.accounts.get(&account.user_id);
        if stored.is_none_or(|stored| stored.password_hash != account.password_hash) {
            return Erasure::Changed;
        }
        self.accounts.remove(&account.user_id);
        Erasure::Erased
    }

    /// `notifications.rs`, the first statement of `add`.
    pub(crate) fn add(&mut self, notifications: &[Notification], at: Timestamp) {
        for notification in notifications {
            let key = key(notification);
            if !self.notices.contains_key(&key) {
                let try_at = at + notification.kind.delay();
                let notification = notification.clone();
                self.due.insert((try_at, key.clone()));
                let notice = Notice { notification, noted_at: at, try_at, told_at: None };
                self.notices.insert(key, notice);
            }
        }
    }

    /// The second one: who has paid, or cannot pay any more, is not told to.
    pub(crate) fn drop_reserved(&mut self, booking: BookingId, at: Timestamp) {
        self.change((booking, "reserved".to_owned()), |notice| notice.told_at = Some(at));
    }

    /// Changes a notification that is not told.
    fn change(&mut self, key: Key, change: impl FnOnce(&mut Notice)) {
        let untold = self.notices.get_mut(&key).filter(|notice| notice.told_at.is_none());
        let Some(notice) = untold else { return };
        let due = (notice.try_at, key);
        self.due.remove(&due);
        change(notice);
        if notice.told_at.is_none() {
            self.due.insert((notice.try_at, due.1));
        }
    }

    pub(crate) fn claim_due(
        &mut self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Vec<Mail> {
        let due = self.due.iter().take_while(|(try_at, _)| *try_at <= at);
        let due = due.map(|(_, key)| key.clone());
        let (old, mut due): (Vec<Key>, Vec<Key>) =
            due.partition(|key| self.notices[key].noted_at <= since);
        due.truncate(limit);
        for key in old {
            self.change(key, |notice| notice.try_at = Timestamp::MAX_UTC);
        }
        for key in &due {
            self.change(key.clone(), |notice| notice.try_at = until);
        }
        due.sort_by_key(|key| (key.0, self.notices[key].notification.kind.order()));
        due.iter().map(|key| self.mail(&self.notices[key].notification)).collect()
    }

    fn mail(&self, notification: &Notification) -> Mail {
        let recipient = self.account(notification.user_id).map(|account| {
            let (email, name) = (account.email.clone(), account.name.clone());
            Recipient::owner(email, account.email_verified, name, Language::default())
        });
        Mail { content: Content::Booking(notification.clone()), recipient, trace: None }
    }

    pub(crate) fn record(
        &mut self,
        outcomes: &[(&Mail, bool)],
        at: Timestamp,
        pause: &RangeInclusive<TimeDelta>,
    ) {
        for (mail, is_done) in outcomes {
            let Some(of) = mail.content.notification() else { continue };
            self.change(key(of), |notice| match is_done {
                true => notice.told_at = Some(at),
                false => {
                    let waited = at - notice.noted_at;
                    notice.try_at = at + waited.max(*pause.start()).min(*pause.end());
                }
            });
        }
    }

    /// When the next e-mail is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(try_at, _)| *try_at)
    }

    /// An e-mail that waits for something else than the end of the day.
    pub(crate) fn waiting(&self) -> Option<BookingId> {
        let waiting = self.due.iter().find(|(_, key)| !self.is_held(&self.notices[key]));
        waiting.map(|(_, (booking, _))| *booking)
    }

    fn is_held(&self, notice: &Notice) -> bool {
        let mail = self.mail(&notice.notification);
        mail.daily_limit().is_some_and(|(email, most)| {
            self.counts.get(&mailbox(email)).is_some_and(|count| count.mails >= most)
        })
    }

    /// Whether the e-mail waits for the end of the day.
    pub(crate) fn waits_for_tomorrow(&self, booking: BookingId, kind: &str) -> bool {
        let notice = self.notices.get(&(booking, kind.to_owned()));
        notice.is_some_and(|notice| notice.told_at.is_none() && self.is_held(notice))
    }

    /// `mail_counts.rs`.
    pub(crate) fn admit(&mut self, mails: &[Mail], at: Timestamp) -> Vec<bool> {
        let mut admit = |email: &Email, most: u32| {
            let fresh = Count { mails: 0, ends_at: at + TimeDelta::days(1) };
            let count = self.counts.entry(mailbox(email)).or_insert(fresh);
            if count.ends_at <= at {
                *count = fresh;
            }
            let is_admitted = count.mails < most;
            count.mails += u32::from(is_admitted);
            is_admitted
        };
        let limits = mails.iter().map(Mail::daily_limit);
        limits.map(|limit| limit.is_none_or(|(email, most)| admit(email, most))).collect()
    }

    pub(crate) fn uncount(&mut self, mails: &[&Mail]) {
        for (email, _) in mails.iter().filter_map(|mail| mail.daily_limit()) {
            if let Some(count) = self.counts.get_mut(&mailbox(email)) {
                count.mails = count.mails.saturating_sub(1);
            }
        }
    }
}

fn key(of: &Notification) -> Key {
    (of.booking_id, of.kind.key())
}

/// The same for all addresses that differ only in what many providers let people add.
fn mailbox(email: &Email) -> String {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    let mailbox = local.split('+').next().unwrap_or_default();
    format!("{mailbox}@{domain}")
}
