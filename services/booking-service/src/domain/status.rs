//! What a buyer sees of a booking: status, reason, refund, and what can be done.

use std::str::FromStr;

use karcis_kernel::{Money, Timestamp};

use super::{Booking, Cause, EventSnapshot, Input, RejectReason, Stage, Stuck, saga::is_accepted};

/// A booking's public status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Pending,
    AwaitingPayment,
    Confirming,
    Confirmed,
    /// It will be undone; payment-service is asked whether money was taken.
    Cancelling,
    Refunding,
    Cancelled,
    Rejected,
}

/// A text that names no status.
#[derive(Debug, thiserror::Error)]
#[error(
    "give one of pending, awaiting_payment, confirming, confirmed, cancelling, refunding, \
     cancelled, rejected"
)]
pub struct UnknownStatus;

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Confirmed,
        Self::Pending,
        Self::AwaitingPayment,
        Self::Confirming,
        Self::Cancelling,
        Self::Refunding,
        Self::Cancelled,
        Self::Rejected,
    ];

    /// The status in the words of the HTTP contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Confirming => "confirming",
            Self::Confirmed => "confirmed",
            Self::Cancelling => "cancelling",
            Self::Refunding => "refunding",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    /// Whether the buyer sees no further change.
    pub fn is_last(self) -> bool {
        matches!(self, Self::Cancelled | Self::Rejected)
    }

    /// Whether nothing more happens until the buyer acts.
    pub fn is_settled(self) -> bool {
        self.is_last() || matches!(self, Self::AwaitingPayment | Self::Confirmed)
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// Money that is or was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    pub amount: Money,
    pub done: bool,
}

impl Booking {
    /// The public status.
    pub fn status(&self) -> Status {
        match self.stage {
            Stage::Reserving | Stage::Awaiting { payable: false, .. } => Status::Pending,
            Stage::Awaiting { payable: true, .. } => Status::AwaitingPayment,
            Stage::Confirming { .. } => Status::Confirming,
            Stage::Confirmed { .. } => Status::Confirmed,
            Stage::Cancelling { .. } => Status::Cancelling,
            Stage::Refunding { .. } => Status::Refunding,
            Stage::Releasing { .. } | Stage::Cancelled { .. } => Status::Cancelled,
            Stage::Rejected { .. } => Status::Rejected,
        }
    }

    /// Why it is undone or rejected, in the words of the HTTP contract.
    pub fn reason(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Rejected { reason } => Some(reason.as_str()),
            _ => self.stage.cause().map(Cause::as_str),
        }
    }

    /// Until when it has to be paid; `None` while unpriced or free.
    pub fn pay_by(&self) -> Option<Timestamp> {
        let priced = self.reservation().filter(|reservation| !reservation.is_free());
        priced.map(|reservation| self.pay_by_of(reservation))
    }

    /// Until when it may be cancelled for its money; `None` until event-service has answered.
    pub fn refundable_until(&self) -> Option<Timestamp> {
        self.reservation().map(|reservation| self.refundable_until_of(reservation))
    }

    /// The event as it is now, or if that is not known, as it was when the seats were held; `None` until
    /// event-service has answered.
    pub fn shown_event(&self) -> Option<&EventSnapshot> {
        self.reservation().map(|reservation| self.event_of(reservation))
    }

    /// Why the event does not take place, in its organiser's words.
    pub fn event_cancel_reason(&self) -> Option<&str> {
        self.event.as_ref()?.cancel_reason.as_deref()
    }

    /// The money that is or was given back; `None` if none was taken.
    pub fn refund(&self) -> Option<Refund> {
        let done = match self.stage {
            Stage::Refunding { refunded, .. } => refunded,
            Stage::Cancelled { refunded: true, .. } => true,
            _ => return None,
        };
        self.reservation().map(|reservation| Refund { amount: reservation.total, done })
    }

    /// Whether the buyer can pay.
    pub fn can_pay(&self) -> bool {
        self.status() == Status::AwaitingPayment
    }

    /// Whether cancelling at `at` would do something.
    pub fn can_cancel(&self, at: Timestamp) -> bool {
        is_accepted(self, at, &Input::Cancel)
    }
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 5] =
        [Self::PaymentFailed, Self::HoldLost, Self::Deadline, Self::Buyer, Self::EventCancelled];

    /// The reason in the words of the HTTP contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PaymentFailed => "payment_failed",
            Self::HoldLost => "hold_lost",
            Self::Deadline => "payment_expired",
            Self::Buyer => "cancelled_by_buyer",
            Self::EventCancelled => "event_cancelled",
        }
    }
}

impl RejectReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::SoldOut,
        Self::SalesClosed,
        Self::EventNotFound,
        Self::EventCancelled,
        Self::PriceChanged,
        Self::OverLimit,
        Self::TooManyHolds,
    ];

    /// The reason in the words of the HTTP contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SoldOut => "sold_out",
            Self::SalesClosed => "sales_closed",
            Self::EventNotFound => "event_not_found",
            Self::EventCancelled => "event_cancelled",
            Self::PriceChanged => "price_changed",
            Self::OverLimit => "over_limit",
            Self::TooManyHolds => "too_many_holds",
        }
    }
}

impl Stuck {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Unanswered, Self::RefundRefused];

    /// The reason as operators read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unanswered => "unanswered",
            Self::RefundRefused => "refund_refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::samples::{booking, noon, stage},
        *,
    };

    #[test]
    fn every_stage_has_its_status_reason_refund_and_what_can_be_done() {
        // stage, status, reason, refund done, can pay, can cancel
        let cases = [
            ("reserving", "pending", None, None, false, true),
            ("awaiting", "pending", None, None, false, true),
            ("awaiting(payable)", "awaiting_payment", None, None, true, true),
            ("cancelling(D)", "cancelling", Some("payment_expired"), None, false, true),
            ("cancelling(B)", "cancelling", Some("cancelled_by_buyer"), None, false, false),
            ("confirming", "confirming", None, None, false, true),
            ("confirming(late)", "confirming", None, None, false, false),
            ("confirmed", "confirmed", None, None, false, true),
            ("confirmed(late)", "confirmed", None, None, false, false),
            ("releasing(P)", "cancelled", Some("payment_failed"), None, false, false),
            ("refunding(X)", "refunding", Some("hold_lost"), Some(false), false, false),
            (
                "refunding(E refunded)",
                "refunding",
                Some("event_cancelled"),
                Some(true),
                false,
                false,
            ),
            (
                "cancelled(E refunded)",
                "cancelled",
                Some("event_cancelled"),
                Some(true),
                false,
                false,
            ),
            ("cancelled(D)", "cancelled", Some("payment_expired"), None, false, false),
            ("rejected", "rejected", Some("sold_out"), None, false, false),
        ];
        for (name, status, reason, refund, pay, cancel) in cases {
            let booking = booking(stage(name));
            assert_eq!(booking.status().as_str(), status, "{name}");
            assert_eq!(status.parse::<Status>().ok(), Some(booking.status()));
            assert_eq!(booking.reason(), reason, "{name}");
            assert_eq!(booking.refund().map(|refund| refund.done), refund, "{name}");
            assert_eq!((booking.can_pay(), booking.can_cancel(noon())), (pay, cancel), "{name}");
        }
    }

    #[test]
    fn pay_by_is_known_once_there_is_something_to_pay() {
        for (name, known) in [
            ("reserving", false),
            ("awaiting", true),
            ("confirming(free)", false),
            ("confirmed", true),
        ] {
            assert_eq!(booking(stage(name)).pay_by().is_some(), known, "{name}");
        }
    }
}
