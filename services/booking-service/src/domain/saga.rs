//! The saga: what each input does in each stage. One arm per cell of the table in ARCHITECTURE.md.

use std::sync::Arc;

use karcis_kernel::{Bug, Timestamp};

use super::{
    Booking, Cause, DecisionContext, EventSnapshot, Input, LogEntry, Message, NextResend, Order,
    Refusal, Resend, ResendSchedule, Reservation, Stage, Stuck, Transition, Verdict,
};

/// A command that was sent this often without an answer makes its saga stuck: after 31 times the
/// schedule's first wait.
const STUCK_AT_ATTEMPT: u32 = 6;

/// A cell of the table.
enum Cell {
    To(Stage, Vec<Message>),
    Stuck(Stuck),
    /// The saga stays where it is.
    EventChanged(Vec<Message>),
    Stale,
    Refused(Refusal),
}

use Cell::{Refused, Stale, To};

/// A new booking, at its order's `created_at`.
pub fn create(order: Arc<Order>, resends: ResendSchedule) -> Transition {
    let at = order.created_at;
    let messages = vec![Message::ReserveTickets, Message::BookingCreated];
    let stage = Stage::Reserving;
    let log = entry(1, at, "create", None, &stage, &messages);
    let mut booking = Booking {
        order,
        version: 1,
        stage,
        next_resend: None,
        stuck: None,
        updated_at: at,
        event: None,
        event_version: EventSnapshot::FIRST_VERSION,
    };
    booking.next_resend = first_resend(&booking, DecisionContext { at, resends });
    Transition { booking, messages, log }
}

/// What `input` does to `booking`.
pub fn decide(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match input {
        Input::ResendDue => return resend(booking, context),
        Input::Resume => return resume(booking),
        _ => {}
    }
    match cell(booking, context.at, input) {
        To(stage, messages) => {
            Verdict::Transition(transition(booking, context, input, stage, None, messages))
        }
        Cell::Stuck(stuck) => {
            let stage = booking.stage.clone();
            Verdict::Transition(transition(booking, context, input, stage, Some(stuck), vec![]))
        }
        // It is no answer to what the saga waits for.
        Cell::EventChanged(messages) => {
            let (stage, stuck) = (booking.stage.clone(), booking.stuck);
            Verdict::Transition(transition(booking, context, input, stage, stuck, messages))
        }
        Stale => Verdict::Ignored,
        Refused(refusal) => Verdict::Refused(refusal),
    }
}

/// Whether `input` at `at` would change the booking.
pub(super) fn is_accepted(booking: &Booking, at: Timestamp, input: &Input) -> bool {
    matches!(cell(booking, at, input), To(..) | Cell::Stuck(_) | Cell::EventChanged(_))
}

fn cell(booking: &Booking, at: Timestamp, input: &Input) -> Cell {
    if *input == Input::EventChanged {
        return event_changed(booking);
    }
    // An operator cancels as the buyer does, and always within the refund window.
    let (at, input) = match input {
        Input::CancelByOperator => (Timestamp::MIN_UTC, &Input::Cancel),
        _ => (at, input),
    };
    match &booking.stage {
        Stage::Reserving => reserving(booking, input),
        Stage::Awaiting { reservation, payable } => awaiting(reservation, *payable, input),
        Stage::Cancelling { reservation, cause } => cancelling(reservation, *cause, input),
        Stage::Confirming { reservation } => confirming(booking, reservation, at, input),
        Stage::Confirmed { reservation, .. } => confirmed(booking, reservation, at, input),
        Stage::Releasing { reservation, cause } => releasing(reservation.as_ref(), *cause, input),
        Stage::Refunding { reservation, cause, released, refunded } => {
            refunding(booking, reservation, *cause, (*released, *refunded), input)
        }
        Stage::Rejected { .. } if *input == Input::Cancel => Refused(Refusal::Rejected),
        Stage::Rejected { .. } | Stage::Cancelled { .. } => Stale,
    }
}

fn reserving(booking: &Booking, input: &Input) -> Cell {
    match input {
        Input::TicketsReserved(reservation) if reservation.is_free() => To(
            Stage::Confirming { reservation: reservation.clone() },
            vec![Message::ConfirmTickets],
        ),
        Input::TicketsReserved(reservation) => To(
            Stage::Awaiting { reservation: reservation.clone(), payable: false },
            vec![
                booking.request_payment(reservation),
                Message::BookingReserved {
                    reservation: reservation.clone(),
                    pay_by: booking.pay_by_of(reservation),
                },
            ],
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

fn awaiting(reservation: &Arc<Reservation>, payable: bool, input: &Input) -> Cell {
    match input {
        Input::PaymentRequested if !payable => {
            To(Stage::Awaiting { reservation: reservation.clone(), payable: true }, vec![])
        }
        Input::PaymentSucceeded => To(
            Stage::Confirming { reservation: reservation.clone() },
            vec![Message::ConfirmTickets],
        ),
        Input::PaymentFailed | Input::PaymentCancelled => {
            release(Some(reservation), Cause::PaymentFailed)
        }
        Input::Cancel => cancel_payment(reservation, Cause::Buyer),
        Input::Due if Bug::ReleasedBeforeCancel.is_planted() => {
            release(Some(reservation), Cause::Deadline)
        }
        Input::Due => cancel_payment(reservation, Cause::Deadline),
        Input::EventCancelled => cancel_payment(reservation, Cause::EventCancelled),
        _ => Stale,
    }
}

fn cancelling(reservation: &Arc<Reservation>, cause: Cause, input: &Input) -> Cell {
    match input {
        Input::PaymentCancelled | Input::PaymentFailed => release(Some(reservation), cause),
        Input::PaymentSucceeded if Bug::LastMomentMoneyKept.is_planted() => {
            release(Some(reservation), cause)
        }
        // It was paid at the last moment: the deadline alone does not undo that.
        Input::PaymentSucceeded if cause == Cause::Deadline => To(
            Stage::Confirming { reservation: reservation.clone() },
            vec![Message::ConfirmTickets],
        ),
        Input::PaymentSucceeded => refund(reservation, cause),
        Input::Cancel if Bug::CauseNeverRises.is_planted() => Stale,
        Input::Cancel if cause < Cause::Buyer => {
            To(Stage::Cancelling { reservation: reservation.clone(), cause: Cause::Buyer }, vec![])
        }
        Input::EventCancelled if cause < Cause::EventCancelled => To(
            Stage::Cancelling { reservation: reservation.clone(), cause: Cause::EventCancelled },
            vec![],
        ),
        _ => Stale,
    }
}

fn confirming(
    booking: &Booking,
    reservation: &Arc<Reservation>,
    at: Timestamp,
    input: &Input,
) -> Cell {
    match input {
        Input::TicketsConfirmed(tickets) => To(
            Stage::Confirmed { reservation: reservation.clone(), tickets: tickets.clone() },
            vec![Message::BookingConfirmed],
        ),
        Input::ConfirmRefused => refund_or_release(reservation, Cause::HoldLost),
        _ => confirmed(booking, reservation, at, input),
    }
}

fn confirmed(
    booking: &Booking,
    reservation: &Arc<Reservation>,
    at: Timestamp,
    input: &Input,
) -> Cell {
    match input {
        Input::Cancel if at > booking.refundable_until_of(reservation) => {
            Refused(Refusal::RefundWindowClosed)
        }
        Input::Cancel => refund_or_release(reservation, Cause::Buyer),
        Input::EventCancelled => refund_or_release(reservation, Cause::EventCancelled),
        _ => Stale,
    }
}

/// Who has seats is told once of each change, unless the event looks as it was agreed.
fn event_changed(booking: &Booking) -> Cell {
    let (Stage::Awaiting { reservation, .. }
    | Stage::Confirming { reservation }
    | Stage::Confirmed { reservation, .. }) = &booking.stage
    else {
        return Stale;
    };
    let news = booking.event_details().filter(|it| it.shown_since > booking.event_version);
    let Some(details) = news else { return Stale };
    // What a buyer was told since then is not kept: it looked otherwise than now.
    let knows_agreed = booking.event_version <= reservation.event.version;
    if knows_agreed && reservation.event.looks_like(&details.event) {
        return Cell::EventChanged(vec![]);
    }
    Cell::EventChanged(vec![Message::BookingEventChanged {
        reservation: reservation.clone(),
        refundable_until: booking.refundable_until_of(reservation),
    }])
}

fn releasing(reservation: Option<&Arc<Reservation>>, cause: Cause, input: &Input) -> Cell {
    match input {
        Input::TicketsReleased => cancelled(reservation, cause, false),
        _ => Stale,
    }
}

fn refunding(
    booking: &Booking,
    reservation: &Arc<Reservation>,
    cause: Cause,
    (released, refunded): (bool, bool),
    input: &Input,
) -> Cell {
    match input {
        Input::TicketsReleased if refunded => cancelled(Some(reservation), cause, true),
        Input::PaymentRefunded if released => cancelled(Some(reservation), cause, true),
        Input::TicketsReleased if !released => To(
            Stage::Refunding { reservation: reservation.clone(), cause, released: true, refunded },
            vec![],
        ),
        Input::PaymentRefunded if !refunded => To(
            Stage::Refunding { reservation: reservation.clone(), cause, released, refunded: true },
            vec![],
        ),
        Input::RefundRefused if !refunded && booking.stuck != Some(Stuck::RefundRefused) => {
            Cell::Stuck(Stuck::RefundRefused)
        }
        _ => Stale,
    }
}

/// No money was taken: only the seats are given back.
fn release(reservation: Option<&Arc<Reservation>>, cause: Cause) -> Cell {
    To(Stage::Releasing { reservation: reservation.cloned(), cause }, vec![Message::ReleaseTickets])
}

/// Money may have been taken, so the payment is settled before the seats are released.
fn cancel_payment(reservation: &Arc<Reservation>, cause: Cause) -> Cell {
    To(Stage::Cancelling { reservation: reservation.clone(), cause }, vec![Message::CancelPayment])
}

fn refund_or_release(reservation: &Arc<Reservation>, cause: Cause) -> Cell {
    if reservation.is_free() {
        release(Some(reservation), cause)
    } else {
        refund(reservation, cause)
    }
}

fn refund(reservation: &Arc<Reservation>, cause: Cause) -> Cell {
    To(
        Stage::Refunding {
            reservation: reservation.clone(),
            cause,
            released: false,
            refunded: false,
        },
        vec![Message::RefundPayment, Message::ReleaseTickets],
    )
}

fn cancelled(reservation: Option<&Arc<Reservation>>, cause: Cause, refunded: bool) -> Cell {
    To(
        Stage::Cancelled { reservation: reservation.cloned(), cause, refunded },
        vec![Message::BookingCancelled(cause)],
    )
}

fn transition(
    booking: &Booking,
    context: DecisionContext,
    input: &Input,
    stage: Stage,
    stuck: Option<Stuck>,
    messages: Vec<Message>,
) -> Transition {
    let (at, version) = (context.at, booking.version + 1);
    let from = Some(booking.stage.name());
    let log = entry(version, at, input.name(), from, &stage, &messages);
    // A payment that became payable is asked about less often.
    let keeps_its_resend =
        stage.name() == booking.stage.name() && *input != Input::PaymentRequested;
    let event_version = match input {
        Input::TicketsReserved(reservation) => Some(reservation.event.version),
        Input::EventChanged => booking.event_details().map(|details| details.event.version),
        _ => None,
    };
    let event_version = event_version.unwrap_or(booking.event_version);
    let mut booking =
        Booking { version, stage, stuck, updated_at: at, event_version, ..booking.clone() };
    if !keeps_its_resend {
        booking.next_resend = first_resend(&booking, context);
    }
    Transition { booking, messages, log }
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

fn first_resend(booking: &Booking, context: DecisionContext) -> Option<NextResend> {
    let is_resent = !booking.pending().is_empty() && !Bug::ResendsForgotten.is_planted();
    is_resent.then(|| next_resend(booking, context, 1))
}

/// The resend after the `attempt`th sending.
fn next_resend(booking: &Booking, context: DecisionContext, attempt: u32) -> NextResend {
    let wait = context.resends.wait(booking.order.id, attempt, waits_for_buyer(&booking.stage));
    NextResend { attempt, at: context.at + wait }
}

fn waits_for_buyer(stage: &Stage) -> bool {
    matches!(stage, Stage::Awaiting { payable: true, .. })
}

fn resend(booking: &Booking, context: DecisionContext) -> Verdict {
    let Some(due) = booking.next_resend.filter(|resend| resend.at <= context.at) else {
        return Verdict::Ignored;
    };
    let attempt = due.attempt.saturating_add(1);
    let is_stuck = attempt >= STUCK_AT_ATTEMPT && !waits_for_buyer(&booking.stage);
    let stuck = booking.stuck.or(is_stuck.then_some(Stuck::Unanswered));
    let next_resend = Some(next_resend(booking, context, attempt));
    let booking = Booking { next_resend, stuck, ..booking.clone() };
    Verdict::Resend(Resend { messages: booking.pending(), booking, attempt })
}

/// What an operator wants sent comes besides what is sent by itself, which goes on as before: twice is harmless.
fn resume(booking: &Booking) -> Verdict {
    let Some(NextResend { attempt, .. }) = booking.next_resend else { return Verdict::Ignored };
    let (booking, messages) = (booking.clone(), booking.pending());
    Verdict::Resend(Resend { booking, messages, attempt: attempt.saturating_add(1) })
}
