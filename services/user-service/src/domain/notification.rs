//! What a buyer is notified of.

use karcis_kernel::{BookingId, EventId, UserId};

use super::{Email, PersonName};

/// A change of a booking's status. Its buyer is notified of it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub booking_id: BookingId,
    pub kind: NotificationKind,
    pub user_id: UserId,
    pub event_id: EventId,
    /// The contract's word for why a booking was rejected or cancelled.
    pub reason: Option<String>,
}

/// A notification that is due, and whom it is for.
pub(crate) struct DueNotification {
    pub notification: Notification,
    /// `None` if the account is gone.
    pub buyer: Option<Buyer>,
    /// The `traceparent` header of the message it follows from.
    pub trace: Option<String>,
}

/// Whom a notification is for.
pub(crate) struct Buyer {
    pub email: Email,
    pub name: PersonName,
}

/// The new status of a booking, in the order of a booking's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NotificationKind {
    Created,
    Confirmed,
    Rejected,
    Cancelled,
}

impl NotificationKind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Created, Self::Confirmed, Self::Rejected, Self::Cancelled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}
