//! What a buyer is notified of.

use karcis_kernel::{BookingId, EventId, UserId};

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
