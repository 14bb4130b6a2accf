//! Wrong rules of the saga.

use karcis_booking_service::domain::{
    Booking, Cause, DecisionContext, Input, Stage, Stuck, Verdict, decide,
};
use karcis_simulation::exploration::Rules;

use super::Mutant;

type Decide = fn(&Booking, DecisionContext, &Input) -> Verdict;

pub(super) fn mutants() -> Vec<Mutant> {
    let wrong: [(&str, Decide); 17] = [
        ("the deadline releases seats whose payment is open", deadline_releases_at_once),
        ("a cancel releases seats whose payment is open", cancel_releases_at_once),
        ("a payment after the buyer's cancel confirms", paid_cancel_confirms),
        ("a payment after the event's cancel confirms", paid_cancelled_event_confirms),
        ("a refund ends when the seats are released", ends_before_the_refund),
        ("a refund ends when the money is back", ends_before_the_release),
        ("a refused confirmation is ignored", |b, context, i| {
            ignoring(b, context, i, *i == Input::ConfirmRefused)
        }),
        ("a cancelled payment is ignored", |b, context, i| {
            ignoring(b, context, i, *i == Input::PaymentCancelled)
        }),
        ("a failed payment is ignored", |b, context, i| {
            ignoring(b, context, i, *i == Input::PaymentFailed)
        }),
        ("a cancelled event keeps confirmed bookings", |b, context, i| {
            let confirmed = matches!(b.stage, Stage::Confirmed { .. });
            ignoring(b, context, i, confirmed && *i == Input::EventCancelled)
        }),
        ("a cancelled event keeps its cause below the buyer's", cause_falls),
        ("a cancelled payment forgets why it was cancelled", cause_is_forgotten),
        ("a late payment reopens a released booking", late_payment_reopens),
        ("a refused refund is taken for a refund", refusal_refunds),
        ("a cancel is judged by what was agreed alone", agreed_window_alone),
        ("a holder is told of one move again and again", |b, context, i| {
            let forgets = Booking { event_version: 1, ..b.clone() };
            decide(if *i == Input::EventChanged { &forgets } else { b }, context, i)
        }),
        ("a moved event ends the time to confirm", moved_event_releases),
    ];
    wrong.map(|(name, decide)| (name, Rules { decide, ..Rules::default() })).to_vec()
}

fn ignoring(booking: &Booking, context: DecisionContext, input: &Input, ignore: bool) -> Verdict {
    if ignore { Verdict::Ignored } else { decide(booking, context, input) }
}

/// The verdict for the booking as if it were in another stage.
fn as_if(booking: &Booking, stage: Stage, context: DecisionContext, input: &Input) -> Verdict {
    decide(&Booking { stage, ..booking.clone() }, context, input)
}

fn deadline_releases_at_once(
    booking: &Booking,
    context: DecisionContext,
    input: &Input,
) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Awaiting { .. }, Input::Due) => decide(booking, context, &Input::PaymentFailed),
        _ => decide(booking, context, input),
    }
}

fn cancel_releases_at_once(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Awaiting { .. }, Input::Cancel) => decide(booking, context, &Input::PaymentFailed),
        _ => decide(booking, context, input),
    }
}

fn paid_cancel_confirms(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Cancelling { reservation, cause: Cause::Buyer }, Input::PaymentSucceeded) => {
            let stage =
                Stage::Cancelling { reservation: reservation.clone(), cause: Cause::Deadline };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn paid_cancelled_event_confirms(
    booking: &Booking,
    context: DecisionContext,
    input: &Input,
) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Awaiting { .. } | Stage::Confirming { .. }, Input::EventCancelled) => {
            Verdict::Ignored
        }
        (Stage::Cancelling { .. }, Input::EventCancelled) => Verdict::Ignored,
        (Stage::Confirmed { .. }, Input::EventCancelled) => Verdict::Ignored,
        _ => decide(booking, context, input),
    }
}

fn ends_before_the_refund(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Refunding { reservation, cause, .. }, Input::TicketsReleased) => {
            let stage = Stage::Releasing { reservation: Some(reservation.clone()), cause: *cause };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn ends_before_the_release(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Refunding { reservation, cause, refunded, .. }, Input::PaymentRefunded) => {
            let stage = Stage::Refunding {
                reservation: reservation.clone(),
                cause: *cause,
                released: true,
                refunded: *refunded,
            };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn cause_falls(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Cancelling { reservation, cause: Cause::EventCancelled }, Input::Cancel) => {
            let stage =
                Stage::Cancelling { reservation: reservation.clone(), cause: Cause::Deadline };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn cause_is_forgotten(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Cancelling { reservation, .. }, Input::PaymentCancelled) => {
            let stage = Stage::Awaiting { reservation: reservation.clone(), payable: true };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn late_payment_reopens(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Releasing { reservation: Some(reservation), .. }, Input::PaymentRequested) => {
            let stage = Stage::Awaiting { reservation: reservation.clone(), payable: false };
            as_if(booking, stage, context, input)
        }
        _ => decide(booking, context, input),
    }
}

fn agreed_window_alone(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match input {
        Input::Cancel => decide(&Booking { event: None, ..booking.clone() }, context, input),
        _ => decide(booking, context, input),
    }
}

fn moved_event_releases(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match (&booking.stage, input) {
        (Stage::Confirming { .. }, Input::EventChanged) if booking.event.is_some() => {
            decide(booking, context, &Input::EventCancelled)
        }
        _ => decide(booking, context, input),
    }
}

fn refusal_refunds(booking: &Booking, context: DecisionContext, input: &Input) -> Verdict {
    match input {
        Input::RefundRefused if booking.stuck != Some(Stuck::RefundRefused) => {
            decide(booking, context, &Input::PaymentRefunded)
        }
        _ => decide(booking, context, input),
    }
}
