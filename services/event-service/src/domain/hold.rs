//! What an event keeps for a booking, the commands that change it, and their replies.

use std::{collections::HashSet, sync::Arc};

use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp, UserId};

use super::{EventSnapshot, Ticket};

/// A booking's seats. There is no hold before the first command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The seats wait for their payment.
    Held(Arc<Reservation>),
    Sold(Arc<Reservation>, Arc<[Ticket]>),
    /// Final: the seats are free again, or the booking never had any.
    Released,
    /// Final: there were no seats.
    Rejected(RejectReason),
}

/// What a buyer was promised: later edits of the event leave it unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub user_id: UserId,
    pub event: EventSnapshot,
    /// The event's version then; `None`: an older release stored it.
    pub event_version: Option<i64>,
    pub items: Vec<ReservedItem>,
    pub total: Money,
    /// Until when the booking may be cancelled for a refund.
    pub refundable_until: Timestamp,
    /// When the first of its ticket types is no longer on sale; `None`: an older release stored it.
    pub sales_end: Option<Timestamp>,
}

/// Reserved seats of one ticket type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedItem {
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
}

/// Why there are no seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// No such published event, or no such ticket type of it.
    EventNotFound,
    EventCancelled,
    /// Outside the sales window, or the ticket type is closed.
    SalesClosed,
    /// More than one booking or one buyer may have.
    OverLimit,
    /// The total is not the expected one.
    PriceChanged,
    /// The buyer has too many unpaid holds of this event.
    TooManyHolds,
    SoldOut,
}

impl RejectReason {
    pub const ALL: [Self; 7] = [
        Self::EventNotFound,
        Self::EventCancelled,
        Self::SalesClosed,
        Self::OverLimit,
        Self::PriceChanged,
        Self::TooManyHolds,
        Self::SoldOut,
    ];

    /// Its name, as it is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventNotFound => "event_not_found",
            Self::EventCancelled => "event_cancelled",
            Self::SalesClosed => "sales_closed",
            Self::OverLimit => "over_limit",
            Self::PriceChanged => "price_changed",
            Self::TooManyHolds => "too_many_holds",
            Self::SoldOut => "sold_out",
        }
    }
}

/// What a booking asks for: at least one ticket type, each once, each with at least one seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items(Vec<(TicketTypeId, u32)>);

/// Items that no booking can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name at least one ticket type, each once, with a quantity of at least 1")]
pub struct InvalidItems;

impl Items {
    /// The ticket types with their quantities.
    pub fn as_slice(&self) -> &[(TicketTypeId, u32)] {
        &self.0
    }

    /// The quantities together.
    pub fn seats(&self) -> usize {
        self.0.iter().map(|(_, quantity)| *quantity as usize).sum()
    }
}

impl TryFrom<Vec<(TicketTypeId, u32)>> for Items {
    type Error = InvalidItems;

    fn try_from(items: Vec<(TicketTypeId, u32)>) -> Result<Self, InvalidItems> {
        let mut seen = HashSet::new();
        if items.is_empty() || !items.iter().all(|(id, n)| *n >= 1 && seen.insert(*id)) {
            return Err(InvalidItems);
        }
        Ok(Self(items))
    }
}

/// What booking-service asks for. A booking sends each kind at most once in its life, so booking
/// and kind identify a command.
#[derive(Clone, Debug)]
pub enum Command {
    Reserve(Reserve),
    /// Sell the held seats.
    Confirm(HoldRef),
    /// Free the seats, whatever their state.
    Release(HoldRef),
}

/// Names a hold: the booking, and the event whose seats it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldRef {
    pub booking_id: BookingId,
    pub event_id: EventId,
}

/// Hold seats, all or none.
#[derive(Clone, Debug)]
pub struct Reserve {
    pub hold: HoldRef,
    pub user_id: UserId,
    pub items: Items,
    /// The total the buyer saw.
    pub expected_total: Option<Money>,
}

impl Command {
    /// The hold that it is about.
    pub fn hold(&self) -> HoldRef {
        match self {
            Self::Reserve(reserve) => reserve.hold,
            Self::Confirm(hold) | Self::Release(hold) => *hold,
        }
    }
}

/// What a command is replied with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Reserved(Arc<Reservation>),
    Rejected(RejectReason),
    Confirmed(Arc<[Ticket]>),
    /// There is no hold to sell.
    ConfirmRefused,
    Released,
}

impl Reservation {
    /// The seats by ticket type.
    pub fn seats(&self) -> impl Iterator<Item = (TicketTypeId, u32)> + Clone {
        self.items.iter().map(|item| (item.ticket_type_id, item.quantity))
    }

    /// How many seats it is of.
    pub fn seat_count(&self) -> u32 {
        self.items.iter().map(|item| item.quantity).sum()
    }
}
