//! What a decision depends on, and what comes of it.

use karcis_kernel::Timestamp;

use super::{Booking, Message, ResendSchedule};

/// What a decision depends on besides the booking and the input.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext {
    pub at: Timestamp,
    pub resends: ResendSchedule,
}

/// What an input does to a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The saga goes on.
    Transition(Transition),
    /// The pending commands are sent again; stage and version stay.
    Resend(Resend),
    /// The input is late or repeated: nothing changes.
    Ignored,
    /// What the caller asks for is no longer possible.
    Refused(Refusal),
}

/// A booking after an accepted input, with the messages it sends, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub booking: Booking,
    pub messages: Vec<Message>,
    pub log: LogEntry,
}

/// A booking whose pending commands are sent again, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resend {
    pub booking: Booking,
    pub messages: Vec<Message>,
    /// How often they are sent with this time.
    pub attempt: u32,
}

/// A transition of a saga, as its timeline shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts from 1.
    pub seq: i64,
    pub at: Timestamp,
    pub input: &'static str,
    /// The stage before; `None` for a new booking.
    pub from: Option<&'static str>,
    /// The stage after.
    pub to: &'static str,
    /// The messages sent.
    pub sent: Vec<&'static str>,
}

/// Why a buyer's cancellation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the time for cancelling is over")]
    RefundWindowClosed,
    #[error("the booking was rejected")]
    Rejected,
}
