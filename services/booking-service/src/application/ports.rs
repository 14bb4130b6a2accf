//! What the use cases need of the world outside.

use async_trait::async_trait;
use karcis_kernel::{BookingId, EventId, TicketCode, Timestamp, UserId};

use crate::domain::{Booking, EventSnapshot, LogEntry, Message, Status, Step};

pub use karcis_database::StoreError;

/// A message with how often it was sent; 1 is the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What is sent.
    pub message: Message,
    /// For the how-manyth time.
    pub attempt: u32,
}

/// A booking's way from what was loaded to what is to be stored.
#[derive(Clone, Debug)]
pub struct Change {
    /// As it was loaded; `None` if it is new.
    pub before: Option<Booking>,
    /// As it is to be.
    pub after: Booking,
    /// What it sends, in this order.
    pub messages: Vec<Sent>,
    /// What is added to its log.
    pub log: Vec<LogEntry>,
}

impl Change {
    /// A new booking.
    pub fn new(step: Step) -> Self {
        let messages = step.messages.into_iter().map(|message| Sent { message, attempt: 1 });
        Self {
            before: None,
            after: step.booking,
            messages: messages.collect(),
            log: step.log.into_iter().collect(),
        }
    }

    /// A booking as it was loaded.
    pub fn unchanged(booking: Booking) -> Self {
        Self { before: Some(booking.clone()), after: booking, messages: vec![], log: vec![] }
    }

    /// The same with one more step at its end.
    pub fn then(mut self, step: Step) -> Self {
        // A step without an entry is a resend: its messages were sent before.
        let resend = step.booking.resend.filter(|_| step.log.is_none());
        let attempt = resend.map_or(1, |resend| resend.attempt);
        let sent = step.messages.into_iter().map(|message| Sent { message, attempt });
        self.messages.extend(sent);
        self.log.extend(step.log);
        self.after = step.booking;
        self
    }
}

/// A client's name for a request, so that it can be repeated without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Whose it is.
    pub user_id: UserId,
    /// The name.
    pub key: String,
    /// What the request says, hashed.
    pub fingerprint: Vec<u8>,
}

/// What became of a new booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is stored.
    Placed,
    /// Its key was used before.
    Known {
        /// For this booking.
        booking_id: BookingId,
        /// By a request that said this.
        fingerprint: Vec<u8>,
    },
}

/// All bookings.
#[async_trait]
pub trait Bookings: Send + Sync {
    /// The bookings with these ids; unknown ids are left out.
    async fn load(&self, ids: &[BookingId]) -> Result<Vec<Booking>, StoreError>;

    /// Saves every change with the messages it sends, in one transaction. A change whose booking
    /// moved since it was loaded is left out and its id comes back: load it and decide again.
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<BookingId>, StoreError>;

    /// Saves a new booking, and its request's key in the same transaction.
    async fn create(&self, change: Change, key: Option<RequestKey>)
    -> Result<Creation, StoreError>;

    /// Up to `limit` of the buyer's bookings that are neither confirmed nor on their way out, in
    /// order of id, after the one given.
    async fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<BookingId>, StoreError>;
}

/// A booking whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ringing {
    /// The booking.
    pub booking_id: BookingId,
    /// Whether its deadline is over; otherwise a resend is due.
    pub is_due: bool,
}

/// The deadlines and resends of all bookings.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// Up to `limit` bookings whose time has come by `at`, the longest overdue first, without those
    /// another instance is at work on.
    async fn ringing(&self, at: Timestamp, limit: u16) -> Result<Vec<Ringing>, StoreError>;
}

/// An event whose bookings have to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelledEvent {
    /// The event.
    pub event_id: EventId,
    /// When its cancellation was last announced.
    pub announced_at: Timestamp,
}

/// The events that do not take place.
#[async_trait]
pub trait CancelledEvents: Send + Sync {
    /// Remembers that their bookings have to be undone.
    async fn record(&self, events: &[EventId], at: Timestamp) -> Result<(), StoreError>;

    /// One that may still have bookings to undo.
    async fn next(&self) -> Result<Option<CancelledEvent>, StoreError>;

    /// Up to `limit` of its bookings that are not on their way out.
    async fn bookings_of(&self, event: EventId, limit: u16) -> Result<Vec<BookingId>, StoreError>;

    /// It has no more bookings to undo, unless it was announced again meanwhile.
    async fn done(&self, event: CancelledEvent) -> Result<(), StoreError>;
}

/// A ticket as its holder sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldTicket {
    /// The event's id.
    pub event_id: EventId,
    /// The event as it was booked.
    pub event: EventSnapshot,
    /// What the ticket is for.
    pub name: String,
    /// Whether it still opens the door.
    pub is_valid: bool,
}

/// A turn in a booking's life, as it was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Counts from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub input: String,
    /// The stage before; `None` for the first entry.
    pub from: Option<String>,
    /// The stage after.
    pub to: String,
    /// The messages sent.
    pub sent: Vec<String>,
}

/// What is shown of bookings.
#[async_trait]
pub trait BookingQueries: Send + Sync {
    /// The booking.
    async fn find(&self, id: BookingId) -> Result<Option<Booking>, StoreError>;

    /// Up to `limit` bookings of the buyer, newest first, after the one given.
    async fn list(
        &self,
        buyer: UserId,
        status: Option<Status>,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError>;

    /// Everything that happened to the booking, in order.
    async fn timeline(&self, id: BookingId) -> Result<Vec<TimelineEntry>, StoreError>;

    /// The ticket with this code.
    async fn ticket(&self, code: &TicketCode) -> Result<Option<SoldTicket>, StoreError>;
}
