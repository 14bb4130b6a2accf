//! The messages between the services, as bits of a set.
//!
//! A message once sent stays deliverable for ever: so every delay, order and repetition is covered,
//! and a loss is a message never delivered.

use karcis_booking_service::domain::Message as Sent;

/// A command of booking-service, or a reply to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    ReserveTickets,
    ConfirmTickets,
    ReleaseTickets,
    RequestPayment,
    CancelPayment,
    RefundPayment,
    TicketsReserved,
    TicketsRejected,
    /// With its codes, which TicketsIssued tells.
    TicketsConfirmed,
    ConfirmRefused,
    TicketsReleased,
    PaymentRequested,
    PaymentSucceeded,
    PaymentFailed,
    PaymentCancelled,
    PaymentRefunded,
    RefundRefused,
}

use Message::*;

pub(crate) const COMMANDS: [Message; 6] =
    [ReserveTickets, ConfirmTickets, ReleaseTickets, RequestPayment, CancelPayment, RefundPayment];

pub(crate) const REPLIES: [Message; 11] = [
    TicketsReserved,
    TicketsRejected,
    TicketsConfirmed,
    ConfirmRefused,
    TicketsReleased,
    PaymentRequested,
    PaymentSucceeded,
    PaymentFailed,
    PaymentCancelled,
    PaymentRefunded,
    RefundRefused,
];

/// The command that booking-service sends; `None` for a fact that nobody answers.
pub(crate) fn command(sent: &Sent) -> Option<Message> {
    Some(match sent {
        Sent::ReserveTickets => ReserveTickets,
        Sent::ConfirmTickets => ConfirmTickets,
        Sent::ReleaseTickets => ReleaseTickets,
        Sent::RequestPayment { .. } => RequestPayment,
        Sent::CancelPayment => CancelPayment,
        Sent::RefundPayment => RefundPayment,
        _ => return None,
    })
}

/// The messages that were sent.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Messages(pub(crate) u32);

impl Messages {
    pub(crate) fn contains(self, message: Message) -> bool {
        self.0 & (1 << message as u32) != 0
    }

    pub(crate) fn with(self, messages: impl IntoIterator<Item = Message>) -> Self {
        Self(messages.into_iter().fold(self.0, |set, message| set | 1 << message as u32))
    }

    pub(crate) fn of(self, kinds: &[Message]) -> impl Iterator<Item = Message> {
        kinds.iter().copied().filter(move |message| self.contains(*message))
    }
}
