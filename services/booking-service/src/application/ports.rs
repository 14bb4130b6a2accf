//! What the use cases need of the world outside.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{KeyUse, RequestKey, StoreError};
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};

use super::Change;
use crate::domain::{Booking, Status};

/// All bookings.
#[async_trait]
pub trait Bookings: Send + Sync {
    /// The bookings with these ids; unknown ids are left out.
    async fn load(&self, ids: &[BookingId]) -> Result<Vec<Booking>, StoreError>;

    /// Saves every change with the messages it sends, in one transaction. A change whose booking
    /// was changed since it was loaded, or whose key is used, is left out, and its id is returned:
    /// load it and decide again.
    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError>;

    /// What these keys were used for in the last 24 h; unused keys are left out.
    async fn key_uses(&self, keys: &[RequestKey]) -> Result<Vec<KeyUse>, StoreError>;
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
    /// Up to `limit` bookings with a timer that is due at `at`, the longest overdue first, without
    /// those that another instance has locked.
    async fn due(&self, at: Timestamp, limit: u16) -> Result<Vec<DueTimer>, StoreError>;
}

/// An event whose bookings have to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelledEvent {
    pub event_id: EventId,
    /// When its cancellation was last announced.
    pub announced_at: Timestamp,
}

/// The cancelled events.
#[async_trait]
pub trait CancelledEvents: Send + Sync {
    /// Records that the bookings of these events have to be cancelled.
    async fn record(&self, events: &[EventId], at: Timestamp) -> Result<(), StoreError>;

    /// One that may still have bookings to cancel.
    async fn next(&self) -> Result<Option<CancelledEvent>, StoreError>;

    /// Up to `limit` of its bookings that are not yet being cancelled for it.
    async fn bookings_of(&self, event: EventId, limit: u16) -> Result<Vec<BookingId>, StoreError>;

    /// Records that no booking is left to cancel, unless the event was announced again meanwhile.
    async fn done(&self, event: CancelledEvent) -> Result<(), StoreError>;
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
}

/// What is shown of bookings.
#[async_trait]
pub trait BookingQueries: Send + Sync {
    /// Up to `limit` bookings of the buyer, newest first, after the one given.
    async fn list(
        &self,
        buyer: UserId,
        status: Option<Status>,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError>;

    /// The transitions of the booking, in their order.
    async fn timeline(&self, id: BookingId) -> Result<Vec<TimelineEntry>, StoreError>;
}
