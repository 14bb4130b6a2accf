//! What a buyer is notified of.

use chrono::TimeDelta;
use karcis_kernel::{BookingId, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId};

use super::TimeZone;

/// Something that happened to a booking. Its buyer is notified of it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub booking_id: BookingId,
    pub user_id: UserId,
    pub event_id: EventId,
    pub kind: NotificationKind,
}

/// What happened. An `Option` is `None` if older releases published or stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// The seats are held and wait for their payment.
    Reserved { booked: Booked, pay_by: Timestamp },
    /// `issued` is `None` if the codes come in an e-mail of their own, or not at all.
    Confirmed { booked: Option<Booked>, issued: Option<Issued> },
    /// The event, now in this version, is not as `agreed`, or is so again.
    EventChanged {
        version: i64,
        booked: Booked,
        agreed: EventSnapshot,
        refundable_until: Timestamp,
    },
    /// `reason` is the contract's word, here and below.
    Rejected { reason: String, event: Option<EventSnapshot> },
    /// `booked` is also `None` if no seats were held.
    Cancelled {
        reason: String,
        booked: Option<Booked>,
        refunded: Option<Money>,
        event_cancel_reason: Option<String>,
    },
}

/// What a buyer has booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub event: EventSnapshot,
    pub items: Vec<BookedItem>,
    pub total: Money,
}

/// The tickets of a booking that is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// One a seat.
    pub tickets: Vec<Ticket>,
    /// When the event ends, if it is known.
    pub ends_at: Option<Timestamp>,
    /// Of the entry in the buyer's calendar.
    pub sequence: i64,
    /// When the buyer asked for them again; `None` as the booking is confirmed.
    pub asked_at: Option<Timestamp>,
}

/// A seat's ticket. Who knows its code has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub code: TicketCode,
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
}

/// Tickets of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedItem {
    pub name: String,
    pub quantity: u32,
}

/// What a buyer sees of an event. The texts are its organiser's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSnapshot {
    pub title: String,
    pub venue: String,
    pub starts_at: Timestamp,
    pub time_zone: TimeZone,
}

impl NotificationKind {
    /// It as one word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reserved { .. } => "reserved",
            Self::Confirmed { .. } if self.asked_at().is_some() => "tickets_again",
            Self::Confirmed { .. } => "confirmed",
            Self::EventChanged { .. } => "event_changed",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// What a booking has at most one notification of: an event can change more than once, and tickets can be
    /// asked for again.
    pub fn key(&self) -> String {
        match self {
            Self::EventChanged { version, .. } => format!("{}.{version}", self.as_str()),
            _ => match self.asked_at() {
                Some(at) => format!("{}.{}", self.as_str(), at.timestamp_micros()),
                None => self.as_str().to_owned(),
            },
        }
    }

    /// When the buyer asked for the tickets again.
    fn asked_at(&self) -> Option<Timestamp> {
        match self {
            Self::Confirmed { issued: Some(issued), .. } => issued.asked_at,
            _ => None,
        }
    }

    /// How long after it happened the buyer is notified. Who pays at once needs no e-mail that says to pay.
    pub fn delay(&self) -> TimeDelta {
        match self {
            Self::Reserved { .. } => TimeDelta::seconds(10),
            _ => TimeDelta::zero(),
        }
    }

    /// Orders the notifications of a booking as they happen in its life.
    pub fn order(&self) -> (u8, i64) {
        match self {
            Self::Reserved { .. } => (0, 0),
            Self::Confirmed { .. } => (1, self.asked_at().map_or(0, |at| at.timestamp_micros())),
            Self::EventChanged { version, .. } => (2, *version),
            Self::Rejected { .. } => (3, 0),
            Self::Cancelled { .. } => (4, 0),
        }
    }

    /// What the buyer has booked, if it is known.
    pub fn booked(&self) -> Option<&Booked> {
        match self {
            Self::Reserved { booked, .. } | Self::EventChanged { booked, .. } => Some(booked),
            Self::Confirmed { booked, .. } | Self::Cancelled { booked, .. } => booked.as_ref(),
            Self::Rejected { .. } => None,
        }
    }

    /// The event as it is now, if it is known.
    pub fn event(&self) -> Option<&EventSnapshot> {
        match self {
            Self::Rejected { event, .. } => event.as_ref(),
            _ => self.booked().map(|booked| &booked.event),
        }
    }
}
