//! What the use cases need of the world.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use karcis_database::{KeyUse, PrivilegedAct, StoreError, UnreadableRow};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp, UserId};

use uuid::Uuid;

use crate::domain::{
    CancelReason, CheckIn, Command, DoorTicket, Editor, Event, Hold, HoldRef, IssuedTicket, Reply,
    Sales, Stock, Ticket, TicketStatus, TimeZone,
};

/// What is published with a change. The adapters turn it into wire form.
pub enum Message<'a> {
    Reply(HoldRef, &'a Reply),
    /// The tickets of a confirmed reply, with their codes, for booking-service alone.
    Codes(HoldRef, &'a [Ticket]),
    Event(&'a Event, EventFact),
    /// The event is announced as cancelled again.
    StillCancelled(&'a CancelledEvent),
}

/// What is published about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFact {
    Published,
    /// What buyers see has changed.
    Updated,
    Cancelled {
        /// When this is due to be announced again.
        next: Timestamp,
    },
    /// It can no longer be seen.
    Deleted,
}

/// All events, for those who edit them.
#[async_trait]
pub trait Events: Send + Sync {
    /// What the same user's same key was used for in the 24 h before.
    async fn key_use(&self, key: &KeyUse) -> Result<Option<KeyUse>, StoreError>;

    /// Adds an event with the key of its request, and publishes the fact. `false`: the key is used, and
    /// nothing is added.
    async fn add(
        &self,
        event: &Event,
        fact: Option<EventFact>,
        key: Option<&KeyUse>,
    ) -> Result<bool, StoreError>;

    /// The event. Nobody else changes it or its stock until it is saved or dropped. Decide at once:
    /// buyers wait.
    async fn lock(&self, id: EventId) -> Result<Option<Box<dyn LockedEvent>>, StoreError>;
}

impl dyn Events + '_ {
    /// The event as [`Self::lock`] gives it, if `editor` may edit it.
    pub(super) async fn lock_for(
        &self,
        editor: Editor,
        id: EventId,
    ) -> Result<Option<Box<dyn LockedEvent>>, StoreError> {
        let locked = self.lock(id).await?;
        Ok(locked.filter(|locked| editor.may_edit(locked.event())))
    }
}

/// An event that nobody else changes meanwhile. Dropped, it is unchanged.
#[async_trait]
pub trait LockedEvent: Send {
    /// The event as it was when it was locked.
    fn event(&self) -> &Event;

    /// Records the act, if the event is then saved, copied or deleted.
    async fn record(&mut self, act: &PrivilegedAct) -> Result<(), StoreError>;

    /// Stores what the event is now, and publishes the fact.
    async fn save(
        self: Box<Self>,
        event: &Event,
        fact: Option<EventFact>,
    ) -> Result<(), StoreError>;

    /// Adds a copy of the event, which stays as it is.
    async fn add_copy(self: Box<Self>, copy: &Event) -> Result<(), StoreError>;

    /// Deletes the event, and publishes that.
    async fn delete(self: Box<Self>) -> Result<(), StoreError>;
}

impl dyn LockedEvent + '_ {
    /// Records what an admin does to another's event; what organisers do to their own is not recorded.
    pub(super) async fn record_of(
        &mut self,
        editor: Editor,
        action: &'static str,
        reason: Option<&CancelReason>,
    ) -> Result<(), StoreError> {
        if editor.user_id == self.event().organiser_id {
            return Ok(());
        }
        let (actor, subject) = (Some(editor.user_id), self.event().id.0);
        let reason = reason.map(|reason| reason.as_str().to_owned());
        self.record(&PrivilegedAct { actor, action, subject, detail: None, reason }).await
    }
}

/// Which events to list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventFilter {
    pub kind: Kind,
    /// Only what is this organiser's, who may see all of it.
    pub organiser: Option<UserId>,
    /// Words in title, venue or description, in any order.
    pub text: Option<String>,
    /// The earliest start.
    pub from: Option<Timestamp>,
    /// All starts are before.
    pub to: Option<Timestamp>,
    /// The start and id of the last event of the page before.
    pub after: Option<(Timestamp, EventId)>,
    pub limit: u16,
}

/// Kinds of events that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Whatever its stage.
    All,
    Drafts,
    /// Published, and not over.
    Upcoming,
    Cancelled,
    /// Published, and over.
    Ended,
}

impl Kind {
    /// What is to come is listed soonest first, all else newest first.
    pub fn is_newest_first(self) -> bool {
        self != Self::Upcoming
    }
}

/// Events to look at, with their stock.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// The event with this id.
    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// The events of a page in the order of their kind, without their descriptions and without unreadable ones.
    async fn list(&self, filter: &EventFilter, at: Timestamp) -> Result<Vec<Event>, StoreError>;
}

/// Tickets to look at.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// The ticket with this code.
    async fn find(&self, code: &TicketCode) -> Result<Option<IssuedTicket>, StoreError>;
}

/// Tickets at the door.
#[async_trait]
pub trait Doors: Send + Sync {
    /// The ticket with this code, unless its event is gone. Nobody else uses it or changes its event until it
    /// is saved or dropped. Decide at once: buyers wait.
    async fn lock(&self, code: &TicketCode) -> Result<Option<Box<dyn LockedTicket>>, StoreError>;
}

/// Lists of an event's tickets.
#[async_trait]
pub trait TicketLists: Send + Sync {
    /// The first tickets that changed after this position: they were sold, became void or were at a door.
    /// Nothing is ever added before a position that was read.
    async fn changed(
        &self,
        event_id: EventId,
        after: TicketPosition,
        limit: u16,
    ) -> Result<Vec<ListedTicket>, StoreError>;

    /// The first tickets before this position that are sold now, those sold last first; of these only what has
    /// this text in the ticket type's name, or begins with it as a code or a booking's id.
    async fn sold(
        &self,
        event_id: EventId,
        text: Option<&str>,
        before: TicketPosition,
        limit: u16,
    ) -> Result<Vec<ListedTicket>, StoreError>;
}

/// A ticket of a list.
#[derive(Clone, Debug)]
pub struct ListedTicket {
    pub position: TicketPosition,
    pub code: TicketCode,
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
    /// As the door goes by it.
    pub status: TicketStatus,
    pub used: Option<CheckIn>,
}

/// Where a ticket is in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketPosition {
    /// The event's stock version at the last change that the list is about.
    pub version: i64,
    pub booking_id: BookingId,
    /// Among the tickets of its booking.
    pub place: i32,
}

impl TicketPosition {
    /// Before the first.
    pub const START: Self = Self { version: -1, booking_id: BookingId(Uuid::nil()), place: 0 };
    /// Behind the last.
    pub const END: Self =
        Self { version: i64::MAX, booking_id: BookingId(Uuid::max()), place: i32::MAX };
}

/// A ticket that nobody else uses meanwhile. Dropped, it is unchanged.
#[async_trait]
pub trait LockedTicket: Send {
    /// The ticket as it was when it was locked.
    fn ticket(&self) -> &DoorTicket;

    /// Stores its use now.
    async fn save(self: Box<Self>, ticket: &DoorTicket) -> Result<(), StoreError>;
}

/// What events have sold.
#[async_trait]
pub trait SalesQueries: Send + Sync {
    /// The sales of the event with this id.
    async fn find(&self, id: EventId) -> Result<Option<Sales>, StoreError>;
}

/// Seats and holds, many at a time.
#[async_trait]
pub trait Stocks: Send + Sync {
    /// Everything that these commands are decided on.
    async fn load(&self, commands: &[&Command]) -> Result<StockSnapshot, StoreError>;

    /// How many seats these commands' bookings hold or have bought; none if absent.
    async fn seats(&self, commands: &[&Command]) -> Result<HashMap<BookingId, usize>, StoreError>;

    /// Writes every change with its replies, in one transaction. Returns the conflicts: the events
    /// that another instance or request has changed since they were loaded. Nothing is written for
    /// those.
    async fn commit(
        &self,
        changes: Vec<StockChange>,
        at: Timestamp,
    ) -> Result<HashSet<EventId>, StoreError>;
}

/// What a batch of commands is decided on.
#[derive(Default)]
pub struct StockSnapshot {
    /// The events that exist, each with its stock version.
    pub events: HashMap<EventId, (Event, i64)>,
    /// The bookings' holds, each with its event.
    pub holds: HashMap<BookingId, (EventId, Hold)>,
    /// What the buyers who reserve have of the events; nothing if absent.
    pub buyers: HashMap<(EventId, UserId), BuyerCount>,
    /// The events, and the bookings' holds, that cannot be read, by event and booking.
    pub unreadable: HashMap<Uuid, UnreadableRow>,
}

/// What a buyer has of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuyerCount {
    /// Unpaid holds.
    pub unpaid: u32,
    /// Seats, held and sold; they are counted only where the event limits them.
    pub seats: u32,
}

/// What a batch changes of one event.
pub struct StockChange {
    pub event_id: EventId,
    /// The stock version that it was decided on; `None`: there was no such event.
    pub loaded: Option<i64>,
    /// The event's, if there is one: its sales are counted by day.
    pub time_zone: Option<TimeZone>,
    /// Whether the event was booked for the first time.
    pub first_booked: bool,
    /// The ticket types whose stock changed.
    pub stocks: Vec<(TicketTypeId, Stock)>,
    /// The holds that changed, each in its last state.
    pub holds: Vec<HoldChange>,
    /// In the order of the commands.
    pub replies: Vec<(HoldRef, Reply)>,
}

impl StockChange {
    /// What is sent with it, in the order of the commands.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.replies.iter().flat_map(|(hold, reply)| {
            let codes = match reply {
                Reply::Confirmed(tickets) => Some(Message::Codes(*hold, tickets)),
                _ => None,
            };
            [Message::Reply(*hold, reply)].into_iter().chain(codes)
        })
    }
}

/// The change of one hold.
pub struct HoldChange {
    pub booking_id: BookingId,
    pub before: Option<Hold>,
    pub after: Hold,
}

/// Cancelled events whose seats are not all free yet.
#[async_trait]
pub trait CancelledEvents: Send + Sync {
    /// The events that are due to be announced again at `at`, the longest waiting first. What cannot
    /// be read is left out.
    async fn due(&self, at: Timestamp, limit: u16) -> Result<Vec<CancelledEvent>, StoreError>;

    /// Announces the events that have a next time, and ends the announcing of the others. Events
    /// that another instance has announced meanwhile are left unchanged.
    async fn announce(&self, announcements: &[Announcement]) -> Result<(), StoreError>;
}

/// A cancelled event that is announced until its seats are free.
pub struct CancelledEvent {
    pub id: EventId,
    pub reason: CancelReason,
    /// How many times it was announced.
    pub announced: u32,
    /// Seats that are still held or sold.
    pub taken: u64,
}

/// Another announcement of a cancelled event.
pub struct Announcement {
    pub event: CancelledEvent,
    /// When the next one is due; `None`: all seats are free.
    pub next: Option<Timestamp>,
}

/// What operators see of holds.
#[async_trait]
pub trait Holds: Send + Sync {
    /// The hold of this booking.
    async fn find(&self, booking: BookingId) -> Result<Option<HoldStory>, StoreError>;
}

/// A booking's hold as it is stored.
#[derive(Clone, Debug)]
pub struct HoldStory {
    pub booking_id: BookingId,
    pub event_id: EventId,
    /// `None` if it was released before anything was reserved.
    pub user_id: Option<UserId>,
    pub state: String,
    /// Why it is rejected.
    pub reason: Option<String>,
    pub items: Vec<HeldItem>,
    /// How many tickets were ever made for it.
    pub tickets: i64,
    pub used_tickets: i64,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// Seats of one ticket type.
#[derive(Clone, Debug)]
pub struct HeldItem {
    pub ticket_type_id: TicketTypeId,
    pub name: String,
    pub quantity: u32,
}
