//! The saga: what each input does in each stage. One arm per cell of the table in ARCHITECTURE.md.

use std::{sync::Arc, time::Duration};

use karcis_kernel::Timestamp;

use super::{Booking, Cause, Input, Message, Offer, Order, Resend, Stage, Stuck};

/// The first resend of a command comes after this; each further one after twice the time.
const RESEND_AFTER: Duration = Duration::from_secs(5);
/// The same for a payment that only waits for its buyer.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// No resend comes later than this after the one before.
const RESEND_WITHIN: Duration = Duration::from_secs(300);
/// Sent this often without an answer (for two and a half minutes), a saga is stuck.
const STUCK_AT_ATTEMPT: u32 = 6;

/// What an input does to a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It moves.
    Moved(Step),
    /// The input comes late or again: nothing changes.
    Ignored,
    /// The caller asks for what is no longer possible.
    Refused(Refusal),
}

/// A moved booking with what has to be stored along with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The booking after the input.
    pub booking: Booking,
    /// What it sends, in this order.
    pub messages: Vec<Message>,
    /// The entry for its log; a mere resend has none.
    pub log: Option<LogEntry>,
}

/// A turn in a saga, as its timeline shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub input: &'static str,
    /// The stage before; `None` for the first entry.
    pub from: Option<&'static str>,
    /// The stage after.
    pub to: &'static str,
    /// The messages sent.
    pub sent: Vec<&'static str>,
}

/// Why a buyer's cancellation is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event is too near.
    #[error("the time for cancelling is over")]
    RefundWindowClosed,
    /// There is nothing to cancel.
    #[error("the booking was rejected")]
    Rejected,
}

/// What stands in a cell of the table.
enum Cell {
    To(Stage, Vec<Message>),
    Stuck(Stuck),
    Stale,
    Refused(Refusal),
}

use Cell::{Refused, Stale, To};

/// A new booking.
pub fn place(order: Arc<Order>) -> Step {
    let at = order.created_at;
    let messages = vec![Message::ReserveTickets, Message::BookingCreated];
    let stage = Stage::Reserving;
    let log = entry(1, at, "create", None, &stage, &messages);
    let resend = first_resend(&stage, at);
    let booking = Booking { order, version: 1, stage, resend, stuck: None, updated_at: at };
    Step { booking, messages, log: Some(log) }
}

/// What `input`, arriving at `at`, does to `booking`.
pub fn decide(booking: &Booking, at: Timestamp, input: &Input) -> Verdict {
    if *input == Input::Wake {
        return resend(booking, at);
    }
    let cell = match &booking.stage {
        Stage::Reserving => reserving(booking, input),
        Stage::Awaiting { offer, payable } => awaiting(offer, *payable, input),
        Stage::Cancelling { offer, cause } => cancelling(offer, *cause, input),
        Stage::Confirming { offer } => confirming(offer, at, input),
        Stage::Confirmed { offer, .. } => confirmed(offer, at, input),
        Stage::Releasing { offer, cause } => releasing(offer.as_ref(), *cause, input),
        Stage::Refunding { offer, cause, released, refunded } => {
            refunding(booking, offer, *cause, (*released, *refunded), input)
        }
        Stage::Rejected { .. } if *input == Input::Cancel => Refused(Refusal::Rejected),
        Stage::Rejected { .. } | Stage::Cancelled { .. } => Stale,
    };
    match cell {
        To(stage, messages) => Verdict::Moved(step(booking, at, input, stage, None, messages)),
        Cell::Stuck(stuck) => {
            let stage = booking.stage.clone();
            Verdict::Moved(step(booking, at, input, stage, Some(stuck), vec![]))
        }
        Stale => Verdict::Ignored,
        Refused(refusal) => Verdict::Refused(refusal),
    }
}

fn reserving(booking: &Booking, input: &Input) -> Cell {
    match input {
        Input::TicketsReserved(offer) if offer.is_free() => {
            To(Stage::Confirming { offer: offer.clone() }, vec![Message::ConfirmTickets])
        }
        Input::TicketsReserved(offer) => To(
            Stage::Awaiting { offer: offer.clone(), payable: false },
            vec![booking.request_payment(offer)],
        ),
        Input::TicketsRejected(reason) => {
            To(Stage::Rejected { reason: *reason }, vec![Message::BookingRejected(*reason)])
        }
        Input::Cancel => release(None, Cause::Buyer),
        Input::Due => release(None, Cause::Deadline),
        Input::EventCancelled => release(None, Cause::EventCancelled),
        _ => Stale,
    }
}

fn awaiting(offer: &Arc<Offer>, payable: bool, input: &Input) -> Cell {
    match input {
        Input::PaymentRequested if !payable => {
            To(Stage::Awaiting { offer: offer.clone(), payable: true }, vec![])
        }
        Input::PaymentSucceeded => {
            To(Stage::Confirming { offer: offer.clone() }, vec![Message::ConfirmTickets])
        }
        Input::PaymentFailed | Input::PaymentCancelled => {
            release(Some(offer), Cause::PaymentFailed)
        }
        Input::Cancel => cancel_payment(offer, Cause::Buyer),
        Input::Due => cancel_payment(offer, Cause::Deadline),
        Input::EventCancelled => cancel_payment(offer, Cause::EventCancelled),
        _ => Stale,
    }
}

fn cancelling(offer: &Arc<Offer>, cause: Cause, input: &Input) -> Cell {
    match input {
        Input::PaymentCancelled | Input::PaymentFailed => release(Some(offer), cause),
        // Paid at the last moment: the deadline alone does not undo that.
        Input::PaymentSucceeded if cause == Cause::Deadline => {
            To(Stage::Confirming { offer: offer.clone() }, vec![Message::ConfirmTickets])
        }
        Input::PaymentSucceeded => refund(offer, cause),
        Input::Cancel if cause < Cause::Buyer => {
            To(Stage::Cancelling { offer: offer.clone(), cause: Cause::Buyer }, vec![])
        }
        Input::EventCancelled if cause < Cause::EventCancelled => {
            To(Stage::Cancelling { offer: offer.clone(), cause: Cause::EventCancelled }, vec![])
        }
        _ => Stale,
    }
}

fn confirming(offer: &Arc<Offer>, at: Timestamp, input: &Input) -> Cell {
    match input {
        Input::TicketsConfirmed(tickets) => To(
            Stage::Confirmed { offer: offer.clone(), tickets: tickets.clone() },
            vec![Message::BookingConfirmed],
        ),
        Input::ConfirmRefused => give_back(offer, Cause::HoldLost),
        _ => confirmed(offer, at, input),
    }
}

fn confirmed(offer: &Arc<Offer>, at: Timestamp, input: &Input) -> Cell {
    match input {
        Input::Cancel if at > offer.refundable_until => Refused(Refusal::RefundWindowClosed),
        Input::Cancel => give_back(offer, Cause::Buyer),
        Input::EventCancelled => give_back(offer, Cause::EventCancelled),
        _ => Stale,
    }
}

fn releasing(offer: Option<&Arc<Offer>>, cause: Cause, input: &Input) -> Cell {
    match input {
        Input::TicketsReleased => cancelled(offer, cause, false),
        _ => Stale,
    }
}

fn refunding(
    booking: &Booking,
    offer: &Arc<Offer>,
    cause: Cause,
    (released, refunded): (bool, bool),
    input: &Input,
) -> Cell {
    match input {
        Input::TicketsReleased if refunded => cancelled(Some(offer), cause, true),
        Input::PaymentRefunded if released => cancelled(Some(offer), cause, true),
        Input::TicketsReleased if !released => {
            To(Stage::Refunding { offer: offer.clone(), cause, released: true, refunded }, vec![])
        }
        Input::PaymentRefunded if !refunded => {
            To(Stage::Refunding { offer: offer.clone(), cause, released, refunded: true }, vec![])
        }
        Input::RefundRefused if !refunded && booking.stuck != Some(Stuck::RefundRefused) => {
            Cell::Stuck(Stuck::RefundRefused)
        }
        _ => Stale,
    }
}

/// Nothing was taken: the seats are all there is to give back.
fn release(offer: Option<&Arc<Offer>>, cause: Cause) -> Cell {
    To(Stage::Releasing { offer: offer.cloned(), cause }, vec![Message::ReleaseTickets])
}

/// Money may have been taken: first make sure of that.
fn cancel_payment(offer: &Arc<Offer>, cause: Cause) -> Cell {
    To(Stage::Cancelling { offer: offer.clone(), cause }, vec![Message::CancelPayment])
}

fn give_back(offer: &Arc<Offer>, cause: Cause) -> Cell {
    if offer.is_free() { release(Some(offer), cause) } else { refund(offer, cause) }
}

fn refund(offer: &Arc<Offer>, cause: Cause) -> Cell {
    To(
        Stage::Refunding { offer: offer.clone(), cause, released: false, refunded: false },
        vec![Message::RefundPayment, Message::ReleaseTickets],
    )
}

fn cancelled(offer: Option<&Arc<Offer>>, cause: Cause, refunded: bool) -> Cell {
    To(
        Stage::Cancelled { offer: offer.cloned(), cause, refunded },
        vec![Message::BookingCancelled(cause)],
    )
}

fn step(
    booking: &Booking,
    at: Timestamp,
    input: &Input,
    stage: Stage,
    stuck: Option<Stuck>,
    messages: Vec<Message>,
) -> Step {
    let version = booking.version + 1;
    let from = Some(booking.stage.name());
    let log = entry(version, at, input.name(), from, &stage, &messages);
    let goes_on = match (&booking.stage, &stage) {
        // A payment that became payable is asked about less often.
        (Stage::Awaiting { .. }, Stage::Awaiting { .. }) => false,
        (before, after) => before.name() == after.name(),
    };
    let resend = if goes_on { booking.resend } else { first_resend(&stage, at) };
    let order = booking.order.clone();
    let booking = Booking { order, version, stage, resend, stuck, updated_at: at };
    Step { booking, messages, log: Some(log) }
}

fn entry(
    seq: i64,
    at: Timestamp,
    input: &'static str,
    from: Option<&'static str>,
    to: &Stage,
    messages: &[Message],
) -> LogEntry {
    let sent = messages.iter().map(Message::name).collect();
    LogEntry { seq, at, input, from, to: to.name(), sent }
}

fn first_resend(stage: &Stage, at: Timestamp) -> Option<Resend> {
    let waits = !matches!(
        stage,
        Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. }
    );
    waits.then(|| Resend { attempt: 1, wake_at: at + delay(stage, 1) })
}

/// How long after the `attempt`th sending the next one comes.
fn delay(stage: &Stage, attempt: u32) -> Duration {
    let first = if waits_for_buyer(stage) { ASK_AGAIN_AFTER } else { RESEND_AFTER };
    let doublings = attempt.saturating_sub(1).min(16);
    (first * 2_u32.pow(doublings)).min(RESEND_WITHIN)
}

fn waits_for_buyer(stage: &Stage) -> bool {
    matches!(stage, Stage::Awaiting { payable: true, .. })
}

fn resend(booking: &Booking, at: Timestamp) -> Verdict {
    let Some(Resend { attempt, .. }) = booking.resend.filter(|resend| resend.wake_at <= at) else {
        return Verdict::Ignored;
    };
    let attempt = attempt.saturating_add(1);
    let is_stuck = attempt >= STUCK_AT_ATTEMPT && !waits_for_buyer(&booking.stage);
    let stuck = booking.stuck.or(is_stuck.then_some(Stuck::Unanswered));
    let wake_at = at + delay(&booking.stage, attempt);
    let resend = Some(Resend { attempt, wake_at });
    let booking = Booking { resend, stuck, ..booking.clone() };
    Verdict::Moved(Step { messages: booking.pending(), booking, log: None })
}
