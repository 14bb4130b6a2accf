//! A booking's way from what was loaded to what is to be stored.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use karcis_database::{KeyUse, StoreError};
use karcis_kernel::BookingId;

use super::Bookings;
use crate::domain::{
    Booking, DecisionContext, Input, LogEntry, Message, Refusal, Resend, Transition, Verdict,
    decide,
};

/// A message with how often it was sent; 1 is the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub message: Message,
    pub attempt: u32,
}

/// What is to be stored of one booking, all or nothing.
#[derive(Clone, Debug)]
pub struct Change {
    /// As it was loaded; `None` if it is new.
    pub before: Option<Booking>,
    pub after: Booking,
    /// In the order of sending.
    pub messages: Vec<Sent>,
    pub log: Vec<LogEntry>,
    /// The key of the request that creates it.
    pub key: Option<KeyUse>,
}

impl Change {
    /// A new booking.
    pub fn new(created: Transition, key: Option<KeyUse>) -> Self {
        let Transition { booking, messages, log } = created;
        let messages = messages.into_iter().map(|message| Sent { message, attempt: 1 }).collect();
        Self { before: None, after: booking, messages, log: vec![log], key }
    }

    /// A booking as it was loaded.
    pub fn unchanged(booking: Booking) -> Self {
        let before = Some(booking.clone());
        Self { before, after: booking, messages: vec![], log: vec![], key: None }
    }

    /// The booking's id.
    pub fn id(&self) -> BookingId {
        self.after.order.id
    }

    /// Adds what the input does. Returns whether it was accepted.
    pub(super) fn apply(
        &mut self,
        context: DecisionContext,
        input: &Input,
    ) -> Result<bool, Refusal> {
        let (booking, messages, attempt) = match decide(&self.after, context, input) {
            Verdict::Transition(Transition { booking, messages, log }) => {
                self.log.push(log);
                (booking, messages, 1)
            }
            Verdict::Resend(Resend { booking, messages, attempt }) => (booking, messages, attempt),
            Verdict::Ignored => return Ok(false),
            Verdict::Refused(refusal) => return Err(refusal),
        };
        self.after = booking;
        self.messages.extend(messages.into_iter().map(|message| Sent { message, attempt }));
        Ok(true)
    }
}

/// Loaded bookings, with what the inputs so far have changed of them.
pub(super) type UnitOfWork = BTreeMap<BookingId, Change>;

/// The bookings with these ids; unknown ids are left out.
pub(super) async fn load_unit(
    bookings: &dyn Bookings,
    ids: impl Iterator<Item = BookingId>,
) -> Result<UnitOfWork, StoreError> {
    let ids: Vec<BookingId> = BTreeSet::from_iter(ids).into_iter().collect();
    let loaded = bookings.load(&ids).await?.into_iter();
    Ok(loaded.map(|booking| (booking.order.id, Change::unchanged(booking))).collect())
}

/// Commits what was changed. Returns the ids of conflicts.
pub(super) async fn commit_unit(
    bookings: &dyn Bookings,
    unit: UnitOfWork,
) -> Result<HashSet<BookingId>, StoreError> {
    let changes: Vec<Change> = unit
        .into_values()
        .filter(|change| !change.messages.is_empty() || !change.log.is_empty())
        .collect();
    if changes.is_empty() { Ok(HashSet::new()) } else { bookings.commit(changes).await }
}
