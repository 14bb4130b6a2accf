//! What the use cases need of the world.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use karcis_kernel::{BookingId, EventId, TicketTypeId, Timestamp, UserId};

use crate::domain::{Address, Answer, CancelReason, Command, Event, Hold, Stock};

/// Why nothing was read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work in a moment.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// It will never work with this data.
    #[error("the store refuses the data: {0}")]
    Refused(String),
}

/// What the world is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It can be booked.
    Published,
    /// What buyers see has changed.
    Updated,
    /// It does not take place.
    Cancelled,
    /// It is no longer to be seen.
    Gone,
}

/// All events, for those who edit them.
#[async_trait]
pub trait Events: Send + Sync {
    /// Adds one, with its news.
    async fn add(&self, event: &Event, news: Option<News>) -> Result<(), StoreError>;

    /// The event, with nobody else changing it or its stock until the answer is saved or
    /// dropped. Decide at once: buyers wait.
    async fn lock(&self, id: EventId) -> Result<Option<Box<dyn LockedEvent>>, StoreError>;
}

/// An event that nobody else changes meanwhile.
#[async_trait]
pub trait LockedEvent: Send {
    /// As it is.
    fn event(&self) -> &Event;

    /// What it becomes, with its news.
    async fn save(self: Box<Self>, event: &Event, news: Option<News>) -> Result<(), StoreError>;

    /// It vanishes, with its news.
    async fn delete(self: Box<Self>, news: News) -> Result<(), StoreError>;
}

/// Which events to list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventFilter {
    /// Of what kind.
    pub kind: Kind,
    /// Text in title or venue.
    pub text: Option<String>,
    /// The earliest start.
    pub from: Option<Timestamp>,
    /// The latest start.
    pub to: Option<Timestamp>,
    /// The start and id of the last event of the page before.
    pub after: Option<(Timestamp, EventId)>,
    /// How many at most.
    pub limit: u16,
}

/// Kinds of events that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Drafts of this organiser; `None`: of all.
    DraftsOf(Option<UserId>),
    /// Published and to come, or going on.
    Upcoming,
    /// Cancelled.
    Cancelled,
    /// Published and over.
    Ended,
}

/// Events to look at, with their stock.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// The event.
    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// The events of a page, soonest first.
    async fn list(&self, filter: &EventFilter, at: Timestamp) -> Result<Vec<Event>, StoreError>;
}

/// Seats and holds, many at a time.
#[async_trait]
pub trait Stocks: Send + Sync {
    /// All that these commands are decided on.
    async fn load(&self, commands: &[&Command]) -> Result<Books, StoreError>;

    /// Writes every change with its answers, in one transaction, and returns the events that are
    /// no longer as they were loaded: nothing is written for those.
    async fn commit(
        &self,
        changes: Vec<StockChange>,
        at: Timestamp,
    ) -> Result<HashSet<EventId>, StoreError>;
}

/// What a batch of commands is decided on.
#[derive(Default)]
pub struct Books {
    /// The events there are, each with its stock version.
    pub events: HashMap<EventId, (Event, i64)>,
    /// The bookings' holds, with the events they are of.
    pub holds: HashMap<BookingId, (EventId, Hold)>,
    /// The buyers' unpaid holds.
    pub unpaid: HashMap<(EventId, UserId), u32>,
}

/// What a batch does to one event.
pub struct StockChange {
    /// The event.
    pub event_id: EventId,
    /// The stock version it was decided on; `None`: there was no such event.
    pub loaded: Option<i64>,
    /// Whether it was booked for the first time.
    pub first_booked: bool,
    /// The ticket types whose seats moved.
    pub stocks: Vec<(TicketTypeId, Stock)>,
    /// The holds that changed, each in its last state.
    pub holds: Vec<HoldChange>,
    /// The answers, in the order of the commands.
    pub replies: Vec<Reply>,
}

/// What becomes of one hold.
pub struct HoldChange {
    /// The booking.
    pub booking_id: BookingId,
    /// What was stored before.
    pub before: Option<Hold>,
    /// What is stored now.
    pub after: Hold,
}

/// An answer and whom it is for.
pub struct Reply {
    /// The booking and its event.
    pub to: Address,
    /// The answer.
    pub answer: Answer,
}

/// Cancelled events whose bookings are not all undone yet.
#[async_trait]
pub trait CancelledEvents: Send + Sync {
    /// Those to be announced again at `at`, the longest waiting first.
    async fn due(&self, at: Timestamp, limit: i64) -> Result<Vec<CancelledEvent>, StoreError>;

    /// Announces those that say when to come again, and forgets the others. What was announced
    /// by somebody else meanwhile is left alone.
    async fn announce(&self, announcements: &[Announcement]) -> Result<(), StoreError>;
}

/// A cancelled event.
pub struct CancelledEvent {
    /// Its id.
    pub id: EventId,
    /// Why it is cancelled.
    pub reason: CancelReason,
    /// How often that was announced.
    pub announced: u32,
    /// Seats that are held or sold still.
    pub taken: u64,
}

/// One more announcement of a cancelled event.
pub struct Announcement {
    /// The event.
    pub event: CancelledEvent,
    /// When the next one is due; `None`: no seat is taken any more.
    pub next: Option<Timestamp>,
}
