//! What the use cases need of the world outside.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use karcis_database::{KeyUse, Loaded, PrivilegedAct, RequestKey, StoreError};
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{
    Booking, DecisionContext, EventSnapshot, Input, LogEntry, Message, Names, Refusal, Resend,
    Status, Transition, Verdict, decide,
};

/// A message with how often it was sent; 1 is the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What the people of a new booking are called. They are stored with it and sent nowhere.
    pub names: Arc<Names>,
    /// What an operator did.
    pub act: Option<PrivilegedAct>,
}

impl Change {
    /// A new booking.
    pub fn new(created: Transition, names: Arc<Names>, key: Option<KeyUse>) -> Self {
        let Transition { booking, messages, log } = created;
        let messages = messages.into_iter().map(|message| Sent { message, attempt: 1 }).collect();
        Self { before: None, after: booking, messages, log: vec![log], key, names, act: None }
    }

    /// A booking as it was loaded.
    pub fn unchanged(booking: Booking) -> Self {
        let before = Some(booking.clone());
        let (messages, log, names) = (vec![], vec![], Arc::default());
        Self { before, after: booking, messages, log, key: None, names, act: None }
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

/// All bookings.
#[async_trait]
pub trait Bookings: Send + Sync {
    /// The bookings with these ids; unknown ids are left out, unreadable ones are named.
    async fn load(&self, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError>;

    /// Saves every change with the messages it sends, in one transaction. A change whose booking
    /// was changed since it was loaded or is not new any more, or whose key is used, is left out, and
    /// its id is returned: load it and decide again.
    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError>;

    /// What these keys were used for in the 24 h before `now`; unused keys are left out.
    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError>;
}

/// The bookings of one buyer that can still be cancelled for an erased person.
#[async_trait]
pub trait UnconfirmedBookings: Send + Sync {
    /// Up to `limit` of the buyer's bookings that are neither confirmed nor cancelled by the buyer
    /// or the organiser, in the order of ids, after the one given.
    async fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<BookingId>, StoreError>;
}

/// A booking one of whose timers is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTimer {
    pub booking_id: BookingId,
    /// Whether its deadline is over; otherwise a resend is due.
    pub is_deadline: bool,
}

/// The deadlines and resends of all bookings.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Claims up to `limit` bookings with a timer that is due at `at`, the longest overdue first,
    /// without those of `skipped` and those that another instance has claimed or locked. A claim ends
    /// with the booking's next change, or after 5 s.
    async fn due(
        &self,
        at: Timestamp,
        skipped: &[BookingId],
        limit: u16,
    ) -> Result<Vec<DueTimer>, StoreError>;
}

/// An event in one of its versions, as event-service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventEdit {
    pub event_id: EventId,
    pub organiser: UserId,
    pub event: EventSnapshot,
    /// `None` if it is not said: then what is known stays.
    pub refundable_until: Option<Timestamp>,
    /// `None` if it is not said: then nothing is known.
    pub ends_at: Option<Timestamp>,
}

/// What is known of events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Keeps the newest version of each event. One that looks otherwise than before is open until its
    /// holders know.
    async fn record_edits(&self, edits: &[EventEdit], at: Timestamp) -> Result<(), StoreError>;

    /// Records that these events do not take place, why, and that their bookings have to be cancelled.
    async fn record_cancelled(
        &self,
        events: &[(EventId, String)],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets events that are deleted.
    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError>;
}

/// An event some of whose bookings have yet to take an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenEvent {
    pub event_id: EventId,
    /// Since it was last recorded.
    pub since: Timestamp,
}

/// The events that are open for one reason: they are cancelled, or their holders do not know how they look.
#[async_trait]
pub trait OpenEvents: Send + Sync {
    /// One of them, the longest open first, without those of `skipped`.
    async fn next(&self, skipped: &[EventId]) -> Result<Option<OpenEvent>, StoreError>;

    /// Up to `limit` of its bookings that can take the input now, without those of `skipped`; fewer, but
    /// at least one, if together they have more than `seats`.
    async fn bookings_of(
        &self,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError>;

    /// Whether one of its bookings has to take the input later. `rejected` are those that the store rejects.
    async fn is_awaited(&self, event: EventId, rejected: &[BookingId]) -> Result<bool, StoreError>;

    /// Records that no booking is left, unless the event was recorded again meanwhile.
    async fn done(&self, event: OpenEvent) -> Result<(), StoreError>;
}

/// A transition of a booking's saga, as it was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Counts from 1.
    pub seq: i64,
    pub at: Timestamp,
    pub input: String,
    /// The stage before; `None` for the first entry.
    pub from: Option<String>,
    /// The stage after.
    pub to: String,
    /// The messages sent.
    pub sent: Vec<String>,
    /// Leads to the log lines of what happened; `None` if an older release logged it.
    pub trace_id: Option<String>,
}

/// What the people of bookings are called.
#[async_trait]
pub trait BookingNames: Send + Sync {
    /// Those of the event's booking; nobody if nothing is known.
    async fn names(&self, event: EventId, booking: BookingId) -> Result<Names, StoreError>;
}

/// A booking and what its people are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBooking {
    pub booking_id: BookingId,
    pub names: Names,
}

/// A part of an event's bookings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedBookings {
    pub found: Vec<NamedBooking>,
    pub has_more: bool,
}

/// What is shown of bookings.
#[async_trait]
pub trait BookingQueries: Send + Sync {
    /// Up to `limit` bookings of the buyer, newest first, after the one given, without unreadable
    /// ones.
    async fn list(
        &self,
        buyer: UserId,
        status: Option<Status>,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError>;

    /// Who organises the event; `None` if that is not known.
    async fn organiser(&self, event: EventId) -> Result<Option<UserId>, StoreError>;

    /// Up to `limit` confirmed bookings of the event in which somebody is named, newest first, after the
    /// one given; fewer, but at least one, if together they have more than `bytes`.
    async fn named_bookings(
        &self,
        event: EventId,
        after: Option<BookingId>,
        limit: u16,
        bytes: u32,
    ) -> Result<NamedBookings, StoreError>;

    /// The transitions of the booking, in their order.
    async fn timeline(&self, id: BookingId) -> Result<Vec<TimelineEntry>, StoreError>;
}

/// Which sagas an operator asks for.
#[derive(Clone, Copy, Debug)]
pub struct SagaFilter {
    /// Those that need an operator, or those that do not.
    pub stuck: Option<bool>,
    /// The name of their stage.
    pub stage: Option<&'static str>,
    /// Those that did not change after this time.
    pub unchanged_since: Option<Timestamp>,
}

/// A message of a booking that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub booking_id: BookingId,
    pub id: Uuid,
    /// Where it is: `dead_letter`, `parked` or `outbox`.
    pub place: &'static str,
    pub kind: Option<String>,
    /// `None` of one that was not tried yet.
    pub error: Option<String>,
    pub at: Timestamp,
}

/// What operators see of sagas.
#[async_trait]
pub trait SagaQueries: Send + Sync {
    /// Up to `limit` bookings that wait for an answer, those first that did not change for the longest
    /// time, after the one with this time and id; without unreadable ones.
    async fn sagas(
        &self,
        filter: SagaFilter,
        after: Option<(Timestamp, BookingId)>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError>;

    /// Up to 100 messages of these bookings that did not arrive, the newest first.
    async fn set_aside(&self, ids: &[BookingId]) -> Result<Vec<SetAside>, StoreError>;
}
