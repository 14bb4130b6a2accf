//! event → booking and anyone: what organisers do with their events.

use karcis_kernel::{EventId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Tickets can be booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPublished {
    /// The event.
    pub event_id: EventId,
    /// Rises with each edit.
    pub version: i64,
    /// Whose event it is.
    pub organiser_id: UserId,
    /// Its title.
    pub title: String,
    /// Where it takes place.
    pub venue: String,
    /// When it starts.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// The venue's IANA time zone.
    pub time_zone: String,
    /// Until when bookings may be cancelled for their money; absent from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub refundable_until: Option<Timestamp>,
    /// When it ends; absent if that is not said, and from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub ends_at: Option<Timestamp>,
}

/// What buyers see has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventUpdated {
    /// The event.
    pub event_id: EventId,
    /// Rises with each edit.
    pub version: i64,
    /// Whose event it is.
    pub organiser_id: UserId,
    /// Its title.
    pub title: String,
    /// Where it takes place.
    pub venue: String,
    /// When it starts.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// The venue's IANA time zone.
    pub time_zone: String,
    /// Until when bookings may be cancelled for their money; absent from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub refundable_until: Option<Timestamp>,
    /// When it ends; absent if that is not said, and from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub ends_at: Option<Timestamp>,
}

/// It does not take place. Announced again while any seat is still held or sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventCancelled {
    /// The event.
    pub event_id: EventId,
    /// What the organiser gives as the reason.
    pub reason: String,
}

/// It is gone; it never had a booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventDeleted {
    /// The event.
    pub event_id: EventId,
}
