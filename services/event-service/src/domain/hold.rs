//! What an event keeps for a booking, and the commands that change it.

use std::{collections::HashSet, sync::Arc};

use karcis_kernel::{BookingId, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId};

use super::TimeZone;

/// What stands between a booking and its event. There is none before the first command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The seats wait for their payment.
    Held(Arc<Reservation>),
    /// The seats are sold.
    Sold(Arc<Reservation>, Arc<[Ticket]>),
    /// The seats are free again, for good; also of a booking that never had any.
    Released,
    /// There were no seats, for good.
    Rejected(Rejection),
}

/// What a buyer was promised: later edits of the event leave it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Whose booking it is.
    pub user_id: UserId,
    /// The event as it was.
    pub event: EventSnapshot,
    /// The seats with their prices.
    pub items: Vec<ReservedItem>,
    /// What they cost together.
    pub total: Money,
    /// Until when the booking may be cancelled for its money.
    pub refundable_until: Timestamp,
}

/// What a buyer sees of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSnapshot {
    /// Its title.
    pub title: String,
    /// Where it takes place.
    pub venue: String,
    /// When it starts.
    pub starts_at: Timestamp,
    /// The venue's time zone.
    pub time_zone: TimeZone,
}

/// Seats of one ticket type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedItem {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

/// One sold seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The code that opens the door.
    pub code: TicketCode,
    /// What it is for.
    pub ticket_type_id: TicketTypeId,
    /// The type's name.
    pub name: String,
}

/// Why there are no seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// No such published event, or no such ticket type of it.
    EventNotFound,
    /// The event is cancelled.
    EventCancelled,
    /// Outside the sales window, or the ticket type is closed.
    SalesClosed,
    /// More than one booking may have.
    OverLimit,
    /// The total is not the expected one.
    PriceChanged,
    /// The buyer has too many unpaid holds for this event.
    TooManyHolds,
    /// Too few free seats.
    SoldOut,
}

/// What a booking asks for: at least one ticket type, each once, each at least one seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(Vec<(TicketTypeId, u32)>);

/// Seats that nobody can be meant to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name at least one ticket type, each once, with a quantity of at least 1")]
pub struct BadOrder;

impl Order {
    /// The types with their quantities.
    pub fn items(&self) -> &[(TicketTypeId, u32)] {
        &self.0
    }
}

impl TryFrom<Vec<(TicketTypeId, u32)>> for Order {
    type Error = BadOrder;

    fn try_from(items: Vec<(TicketTypeId, u32)>) -> Result<Self, BadOrder> {
        let mut seen = HashSet::new();
        if items.is_empty() || !items.iter().all(|(id, n)| *n >= 1 && seen.insert(*id)) {
            return Err(BadOrder);
        }
        Ok(Self(items))
    }
}

/// What booking-service asks for. A booking sends each kind at most once in its life, so booking
/// and kind identify a command.
#[derive(Clone, Debug)]
pub enum Command {
    /// Hold seats, all or none.
    Reserve(Reserve),
    /// Sell the held seats.
    Confirm(Address),
    /// Free the seats, whatever their state.
    Release(Address),
}

/// Which booking, of which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
}

/// Hold seats, all or none.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// The booking and its event.
    pub to: Address,
    /// Who books.
    pub user_id: UserId,
    /// What is asked for.
    pub order: Order,
    /// The total the buyer saw.
    pub expected_total: Option<Money>,
}

impl Command {
    /// Whom it is about.
    pub fn address(&self) -> Address {
        match self {
            Self::Reserve(reserve) => reserve.to,
            Self::Confirm(address) | Self::Release(address) => *address,
        }
    }
}

/// What a command is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The seats are held.
    Reserved(Arc<Reservation>),
    /// No seat is held, nor will be.
    Rejected(Rejection),
    /// The seats are sold.
    Confirmed(Arc<[Ticket]>),
    /// There is no hold to sell.
    ConfirmRefused,
    /// The seats are free.
    Released,
}

impl Reservation {
    /// The seats by type.
    pub fn seats(&self) -> impl Iterator<Item = (TicketTypeId, u32)> + Clone {
        self.items.iter().map(|item| (item.ticket_type_id, item.quantity))
    }
}
