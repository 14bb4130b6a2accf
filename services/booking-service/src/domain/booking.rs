//! A booking, the stage its saga has reached, what moves it and what it sends.

use std::sync::Arc;

use karcis_kernel::{Money, TicketCode, TicketTypeId, Timestamp};

use super::Order;

/// One order and how far its saga has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Booking {
    /// What was asked for.
    pub order: Arc<Order>,
    /// Counts what has happened to it; its log has as many entries.
    pub version: i64,
    /// Where the saga is.
    pub stage: Stage,
    /// When the stage's pending commands are sent again; `None` if nothing is pending.
    pub resend: Option<Resend>,
    /// Why an operator should look at it.
    pub stuck: Option<Stuck>,
    /// When something last happened to it.
    pub updated_at: Timestamp,
}

/// How often the pending commands were sent, and when they are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resend {
    /// 1 after the first sending.
    pub attempt: u32,
    /// When the next one is due.
    pub wake_at: Timestamp,
}

/// Where a saga is. A stage holds what is known in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// event-service is asked to hold the seats.
    Reserving,
    /// The seats are held and payment-service is asked for the money.
    Awaiting {
        /// What is held.
        offer: Arc<Offer>,
        /// Whether the buyer can pay yet.
        payable: bool,
    },
    /// payment-service is asked to take no money any more; it may have some already.
    Cancelling {
        /// What is held.
        offer: Arc<Offer>,
        /// Why.
        cause: Cause,
    },
    /// It is paid (or free) and event-service is asked to sell the seats.
    Confirming {
        /// What is held.
        offer: Arc<Offer>,
    },
    /// The buyer has the tickets.
    Confirmed {
        /// What is sold.
        offer: Arc<Offer>,
        /// One a seat.
        tickets: Arc<[Ticket]>,
    },
    /// No money was taken; event-service is asked for the seats back.
    Releasing {
        /// What was held, if it was known.
        offer: Option<Arc<Offer>>,
        /// Why.
        cause: Cause,
    },
    /// Money was taken; both services are asked to give back what they have.
    Refunding {
        /// What was held or sold.
        offer: Arc<Offer>,
        /// Why.
        cause: Cause,
        /// Whether the seats are free again.
        released: bool,
        /// Whether the money is back.
        refunded: bool,
    },
    /// There were no seats to hold. An end.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
    /// All is given back. An end.
    Cancelled {
        /// What was held or sold, if it was known.
        offer: Option<Arc<Offer>>,
        /// Why.
        cause: Cause,
        /// Whether money was taken and went back.
        refunded: bool,
    },
}

/// What event-service holds for a booking, as the buyer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    /// The event as it was.
    pub event: EventSnapshot,
    /// The tickets.
    pub items: Vec<OfferedItem>,
    /// What they cost together.
    pub total: Money,
    /// The last moment a cancellation gives the money back.
    pub refundable_until: Timestamp,
}

/// What a buyer sees of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSnapshot {
    /// Its title.
    pub title: String,
    /// Where it takes place.
    pub venue: String,
    /// When it starts.
    pub starts_at: Timestamp,
    /// The venue's IANA time zone.
    pub time_zone: String,
}

/// Held tickets of one type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferedItem {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

/// One seat's ticket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The code that opens the door.
    pub code: TicketCode,
    /// What it is for.
    pub ticket_type_id: TicketTypeId,
    /// The type's name.
    pub name: String,
}

/// Why a booking is undone. The last three rise in this order and never fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The payment was declined for good.
    PaymentFailed,
    /// event-service no longer held what was paid for.
    HoldLost,
    /// Nobody paid in time.
    Deadline,
    /// The buyer wants out.
    Buyer,
    /// The event does not take place.
    EventCancelled,
}

/// Why there are no seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// Too few free seats.
    SoldOut,
    /// Outside the sales window, or the ticket type is closed.
    SalesClosed,
    /// No such published event, or no such ticket type of it.
    EventNotFound,
    /// The event is cancelled.
    EventCancelled,
    /// The total is not the expected one.
    PriceChanged,
    /// More than one booking may hold.
    OverLimit,
    /// The buyer has too many unpaid holds for this event.
    TooManyHolds,
}

/// Why a saga needs an operator. Any accepted input clears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stuck {
    /// A command was sent many times without an answer.
    Unanswered,
    /// The provider refuses the refund.
    RefundRefused,
}

/// What can happen to a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// event-service holds the seats.
    TicketsReserved(Arc<Offer>),
    /// event-service holds none.
    TicketsRejected(RejectReason),
    /// event-service has sold the seats.
    TicketsConfirmed(Arc<[Ticket]>),
    /// event-service has no hold to sell.
    ConfirmRefused,
    /// event-service has the seats back.
    TicketsReleased,
    /// payment-service takes money now.
    PaymentRequested,
    /// payment-service has the money.
    PaymentSucceeded,
    /// payment-service was declined for good.
    PaymentFailed,
    /// payment-service took nothing and will not.
    PaymentCancelled,
    /// payment-service gave the money back.
    PaymentRefunded,
    /// The provider refuses to give the money back.
    RefundRefused,
    /// The buyer cancels.
    Cancel,
    /// The time to pay is over.
    Due,
    /// The event does not take place.
    EventCancelled,
    /// It is time to send the pending commands again.
    Wake,
}

/// What a booking sends: six commands, which (booking id, kind) identifies, and four facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// To event-service: hold the seats.
    ReserveTickets,
    /// To event-service: sell the held seats.
    ConfirmTickets,
    /// To event-service: take the seats back.
    ReleaseTickets,
    /// To payment-service: take this much until then.
    RequestPayment {
        /// How much.
        amount: Money,
        /// Until when.
        pay_by: Timestamp,
    },
    /// To payment-service: take no money any more.
    CancelPayment,
    /// To payment-service: give all money back.
    RefundPayment,
    /// To anyone: there is a booking.
    BookingCreated,
    /// To anyone: the buyer has the tickets.
    BookingConfirmed,
    /// To anyone: there were no seats.
    BookingRejected(RejectReason),
    /// To anyone: all is given back.
    BookingCancelled(Cause),
}

impl Booking {
    /// What is held or was, once event-service has told.
    pub fn offer(&self) -> Option<&Offer> {
        match &self.stage {
            Stage::Reserving | Stage::Rejected { .. } => None,
            Stage::Awaiting { offer, .. }
            | Stage::Cancelling { offer, .. }
            | Stage::Confirming { offer }
            | Stage::Confirmed { offer, .. }
            | Stage::Refunding { offer, .. } => Some(offer),
            Stage::Releasing { offer, .. } | Stage::Cancelled { offer, .. } => offer.as_deref(),
        }
    }

    /// The commands this stage waits for an answer to.
    pub fn pending(&self) -> Vec<Message> {
        match &self.stage {
            Stage::Reserving => vec![Message::ReserveTickets],
            Stage::Awaiting { offer, .. } => vec![self.request_payment(offer)],
            Stage::Cancelling { .. } => vec![Message::CancelPayment],
            Stage::Confirming { .. } => vec![Message::ConfirmTickets],
            Stage::Releasing { .. } => vec![Message::ReleaseTickets],
            Stage::Refunding { released, refunded, .. } => {
                let refund = (!refunded).then_some(Message::RefundPayment);
                let release = (!released).then_some(Message::ReleaseTickets);
                refund.into_iter().chain(release).collect()
            }
            Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. } => vec![],
        }
    }

    /// When the deadline strikes; `None` once it no longer matters.
    pub fn due_at(&self) -> Option<Timestamp> {
        matches!(self.stage, Stage::Reserving | Stage::Awaiting { .. }).then_some(self.order.pay_by)
    }

    pub(super) fn request_payment(&self, offer: &Offer) -> Message {
        Message::RequestPayment { amount: offer.total, pay_by: self.order.pay_by }
    }
}

impl Stage {
    /// The stage's name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reserving => "reserving",
            Self::Awaiting { .. } => "awaiting",
            Self::Cancelling { .. } => "cancelling",
            Self::Confirming { .. } => "confirming",
            Self::Confirmed { .. } => "confirmed",
            Self::Releasing { .. } => "releasing",
            Self::Refunding { .. } => "refunding",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Why the booking is being undone or was.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Cancelling { cause, .. }
            | Self::Releasing { cause, .. }
            | Self::Refunding { cause, .. }
            | Self::Cancelled { cause, .. } => Some(*cause),
            _ => None,
        }
    }
}

impl Offer {
    /// Whether there is nothing to pay.
    pub fn is_free(&self) -> bool {
        self.total.is_zero()
    }
}

impl Input {
    /// The input's name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TicketsReserved(_) => "TicketsReserved",
            Self::TicketsRejected(_) => "TicketsRejected",
            Self::TicketsConfirmed(_) => "TicketsConfirmed",
            Self::ConfirmRefused => "ConfirmRefused",
            Self::TicketsReleased => "TicketsReleased",
            Self::PaymentRequested => "PaymentRequested",
            Self::PaymentSucceeded => "PaymentSucceeded",
            Self::PaymentFailed => "PaymentFailed",
            Self::PaymentCancelled => "PaymentCancelled",
            Self::PaymentRefunded => "PaymentRefunded",
            Self::RefundRefused => "RefundRefused",
            Self::Cancel => "cancel",
            Self::Due => "due",
            Self::EventCancelled => "EventCancelled",
            Self::Wake => "wake",
        }
    }
}

impl Message {
    /// The message's name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ReserveTickets => "ReserveTickets",
            Self::ConfirmTickets => "ConfirmTickets",
            Self::ReleaseTickets => "ReleaseTickets",
            Self::RequestPayment { .. } => "RequestPayment",
            Self::CancelPayment => "CancelPayment",
            Self::RefundPayment => "RefundPayment",
            Self::BookingCreated => "BookingCreated",
            Self::BookingConfirmed => "BookingConfirmed",
            Self::BookingRejected(_) => "BookingRejected",
            Self::BookingCancelled(_) => "BookingCancelled",
        }
    }
}
