//! What a buyer is told of a booking.

use karcis_kernel::{BookingId, EventId, UserId};

use super::{Email, PersonName};

/// A turn in a booking's life that its buyer is told of, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The booking.
    pub booking_id: BookingId,
    /// The turn.
    pub kind: NoticeKind,
    /// The buyer.
    pub user_id: UserId,
    /// The event.
    pub event_id: EventId,
    /// Why, where there is a reason.
    pub reason: Option<String>,
}

/// A notice that is due, with where its buyer is reached; `None` for one who has no account any more.
pub struct Due {
    /// What there is to tell.
    pub notice: Notice,
    /// Whom.
    pub buyer: Option<Buyer>,
    /// What it follows from, as a `traceparent` header.
    pub trace: Option<String>,
}

/// Whom a notice is for.
pub struct Buyer {
    /// Where mail reaches them.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
}

/// A turn in a booking's life, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// Tickets were asked for.
    Created,
    /// The buyer has them.
    Confirmed,
    /// The buyer gets none.
    Rejected,
    /// It is undone.
    Cancelled,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Created, Self::Confirmed, Self::Rejected, Self::Cancelled];

    /// Its name, such as `confirmed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}
