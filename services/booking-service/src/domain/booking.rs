//! A booking, the stage of its saga, the inputs it takes and the messages it sends.

use std::sync::Arc;

use karcis_kernel::{Money, TicketCode, TicketTypeId, Timestamp};

use super::{CurrentEvent, EventDetails, EventSnapshot, NextResend, Order};

/// One order and the state of its saga.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Booking {
    pub order: Arc<Order>,
    /// The number of transitions so far, which is the number of its log entries.
    pub version: i64,
    pub stage: Stage,
    /// `None` if nothing is pending.
    pub next_resend: Option<NextResend>,
    /// Why an operator should look at it.
    pub stuck: Option<Stuck>,
    pub updated_at: Timestamp,
    /// `None` if this service has not heard of its event.
    pub event: Option<Arc<CurrentEvent>>,
    /// The version of the event that its buyer knows.
    pub event_version: i64,
}

/// The stage of a saga, with what is known in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// event-service is asked to hold the seats.
    Reserving,
    /// The seats are held, and payment-service is asked for the money.
    Awaiting { reservation: Arc<Reservation>, payable: bool },
    /// payment-service is asked to take no more money; it may have taken some before.
    Cancelling { reservation: Arc<Reservation>, cause: Cause },
    /// It is paid (or free), and event-service is asked to sell the seats.
    Confirming { reservation: Arc<Reservation> },
    /// The buyer has the tickets.
    Confirmed {
        reservation: Arc<Reservation>,
        /// One per seat.
        tickets: Arc<[Ticket]>,
    },
    /// No money was taken; event-service is asked to release the seats.
    Releasing {
        /// `None` if event-service had not yet answered.
        reservation: Option<Arc<Reservation>>,
        cause: Cause,
    },
    /// Money was taken; both services are asked to give back what they have.
    Refunding { reservation: Arc<Reservation>, cause: Cause, released: bool, refunded: bool },
    /// No seats were held. The saga has ended.
    Rejected { reason: RejectReason },
    /// Seats and money are given back. The saga has ended.
    Cancelled {
        /// `None` if event-service had not yet answered.
        reservation: Option<Arc<Reservation>>,
        cause: Cause,
        /// Whether money was taken and given back.
        refunded: bool,
    },
}

/// What event-service holds for a booking, as the buyer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reservation {
    pub event: EventSnapshot,
    pub items: Vec<ReservedItem>,
    /// Of all items together.
    pub total: Money,
    /// The last moment at which a cancellation gives the money back.
    pub refundable_until: Timestamp,
    /// When the first of the tickets is no longer on sale; `None` if event-service did not say.
    pub sales_end: Option<Timestamp>,
}

/// Held tickets of one type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReservedItem {
    pub ticket_type_id: TicketTypeId,
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
}

/// The ticket of one seat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub code: TicketCode,
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
}

/// Why a booking is undone. The last three rise in this order and never fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The last payment attempt was declined, or an operator cancelled the payment.
    PaymentFailed,
    /// event-service no longer held the seats that were paid for.
    HoldLost,
    /// It was not paid in time.
    Deadline,
    /// The buyer cancelled it.
    Buyer,
    EventCancelled,
}

/// Why event-service holds no seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    SoldOut,
    /// Outside the sales window, or the ticket type is closed.
    SalesClosed,
    /// No such published event, or no such ticket type.
    EventNotFound,
    EventCancelled,
    /// The total is not the expected one.
    PriceChanged,
    /// More tickets than one booking may hold.
    OverLimit,
    /// The buyer has too many unpaid holds for this event.
    TooManyHolds,
}

/// Why a saga needs an operator. Any accepted input but a change of the event clears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stuck {
    /// A command was sent many times without an answer.
    Unanswered,
    /// The provider refuses the refund.
    RefundRefused,
}

/// What a booking reacts to: the answers of event-service and payment-service, and what the buyer,
/// the organiser and the clock do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    TicketsReserved(Arc<Reservation>),
    TicketsRejected(RejectReason),
    TicketsConfirmed(Arc<[Ticket]>),
    ConfirmRefused,
    TicketsReleased,
    PaymentRequested,
    PaymentSucceeded,
    PaymentFailed,
    PaymentCancelled,
    PaymentRefunded,
    RefundRefused,
    /// The buyer cancels.
    Cancel,
    /// The time to pay is over.
    Due,
    EventCancelled,
    /// The event takes place at another time or place, or under another title, than the buyer may know.
    EventChanged,
    /// It is time to send the pending commands again.
    ResendDue,
    /// An operator cancels, whatever the refund window.
    CancelByOperator,
    /// An operator wants the pending commands sent again now.
    Resume,
}

/// What a booking sends: six commands, each identified by (booking id, kind), six facts, and tickets by e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    ReserveTickets,
    ConfirmTickets,
    ReleaseTickets,
    RequestPayment {
        amount: Money,
        pay_by: Timestamp,
    },
    CancelPayment,
    RefundPayment,
    BookingCreated,
    BookingReserved {
        reservation: Arc<Reservation>,
        pay_by: Timestamp,
    },
    BookingConfirmed,
    BookingRejected(RejectReason),
    BookingCancelled(Cause),
    BookingEventChanged {
        reservation: Arc<Reservation>,
        refundable_until: Timestamp,
    },
    /// The buyer has asked for the tickets again, at this time.
    TicketMailRequested(Timestamp),
}

impl Booking {
    /// What is held or was held; `None` until event-service has answered.
    pub fn reservation(&self) -> Option<&Reservation> {
        match &self.stage {
            Stage::Reserving | Stage::Rejected { .. } => None,
            Stage::Awaiting { reservation, .. }
            | Stage::Cancelling { reservation, .. }
            | Stage::Confirming { reservation }
            | Stage::Confirmed { reservation, .. }
            | Stage::Refunding { reservation, .. } => Some(reservation),
            Stage::Releasing { reservation, .. } | Stage::Cancelled { reservation, .. } => {
                reservation.as_deref()
            }
        }
    }

    /// The commands this stage waits for an answer to.
    pub fn pending(&self) -> Vec<Message> {
        match &self.stage {
            Stage::Reserving => vec![Message::ReserveTickets],
            Stage::Awaiting { reservation, .. } => vec![self.request_payment(reservation)],
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

    /// The deadline for paying; `None` once it no longer matters.
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Reserving => Some(self.order.pay_by),
            Stage::Awaiting { reservation, .. } => Some(self.pay_by_of(reservation)),
            _ => None,
        }
    }

    /// Until when these seats have to be paid: nobody pays once they are no longer on sale, nor once an event
    /// that now starts earlier has started, unless it sells on.
    pub(super) fn pay_by_of(&self, reservation: &Reservation) -> Timestamp {
        let sales_end = reservation.sales_end;
        let sells_on = sales_end.is_some_and(|sales_end| sales_end > reservation.event.starts_at);
        let start = self.event_details().filter(|_| !sells_on).map(|now| now.event.starts_at);
        let limits = sales_end.into_iter().chain(start);
        limits.fold(self.order.pay_by, Timestamp::min)
    }

    /// Until when these seats may be given back for their money: what was agreed, or later if the event
    /// now says so.
    pub(super) fn refundable_until_of(&self, reservation: &Reservation) -> Timestamp {
        let agreed = reservation.refundable_until;
        let now = self.event_details().and_then(|details| details.refundable_until);
        now.map_or(agreed, |now| now.max(agreed))
    }

    /// The event as it is now, or if that is not known, as it was when these seats were held.
    pub fn event_of<'a>(&'a self, reservation: &'a Reservation) -> &'a EventSnapshot {
        self.event_details().map_or(&reservation.event, |details| &details.event)
    }

    /// Rises whenever the booking or its event changes.
    pub fn calendar_sequence(&self, reservation: &Reservation) -> i64 {
        self.version.saturating_add(self.event_of(reservation).version)
    }

    /// The event as it is to take place, if that is known.
    pub fn event_details(&self) -> Option<&EventDetails> {
        self.event.as_ref()?.details.as_ref()
    }

    pub(super) fn request_payment(&self, reservation: &Reservation) -> Message {
        let pay_by = self.pay_by_of(reservation);
        Message::RequestPayment { amount: reservation.total, pay_by }
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

    /// Why the booking is being undone or was undone.
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

impl Reservation {
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
            Self::EventChanged => "EventChanged",
            Self::ResendDue => "resend",
            Self::CancelByOperator => "cancel_by_operator",
            Self::Resume => "resume",
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
            Self::BookingReserved { .. } => "BookingReserved",
            Self::BookingConfirmed => "BookingConfirmed",
            Self::BookingRejected(_) => "BookingRejected",
            Self::BookingCancelled(_) => "BookingCancelled",
            Self::BookingEventChanged { .. } => "BookingEventChanged",
            Self::TicketMailRequested(_) => "TicketMailRequested",
        }
    }
}
