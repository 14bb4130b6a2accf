//! The saga table, cell by cell: every stage with every input, and the verdict expected of it.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;

use super::samples::{booking, context, noon, reservation, stage, tickets, waits_for_nothing};
use crate::domain::*;

fn inputs() -> BTreeMap<&'static str, Input> {
    let all = [
        Input::TicketsReserved(reservation(100, noon())),
        Input::TicketsRejected(RejectReason::SoldOut),
        Input::TicketsConfirmed(tickets()),
        Input::ConfirmRefused,
        Input::TicketsReleased,
        Input::PaymentRequested,
        Input::PaymentSucceeded,
        Input::PaymentFailed,
        Input::PaymentCancelled,
        Input::PaymentRefunded,
        Input::RefundRefused,
        Input::Cancel,
        Input::Due,
        Input::EventCancelled,
        Input::EventChanged,
        Input::ResendDue,
    ];
    let free = ("FreeReserved", Input::TicketsReserved(reservation(0, noon())));
    all.into_iter().map(|input| (input.name(), input)).chain([free]).collect()
}

fn initial(cause: Cause) -> &'static str {
    match cause {
        Cause::PaymentFailed => "P",
        Cause::HoldLost => "X",
        Cause::Deadline => "D",
        Cause::Buyer => "B",
        Cause::EventCancelled => "E",
    }
}

/// The verdict in the words of the table below.
pub(super) fn show(verdict: &Verdict) -> String {
    let (booking, messages) = match verdict {
        Verdict::Ignored => return "ignored".into(),
        Verdict::Refused(Refusal::RefundWindowClosed) => return "refused, too late".into(),
        Verdict::Refused(Refusal::Rejected) => return "refused, rejected".into(),
        Verdict::Transition(to) => (&to.booking, &to.messages),
        Verdict::Resend(again) => (&again.booking, &again.messages),
    };
    let stage = &booking.stage;
    let more = match stage {
        Stage::Awaiting { payable: true, .. } => vec!["payable"],
        Stage::Refunding { released: true, .. } => vec!["released"],
        Stage::Refunding { refunded: true, .. } | Stage::Cancelled { refunded: true, .. } => {
            vec!["refunded"]
        }
        _ => vec![],
    };
    let more: Vec<&str> = stage.cause().map(initial).into_iter().chain(more).collect();
    let mut text = stage.name().to_owned();
    if !more.is_empty() {
        text += &format!("({})", more.join(" "));
    }
    for message in messages {
        text += &format!(" + {}", message.name());
    }
    if booking.stuck == Some(Stuck::RefundRefused) { text + ", stuck" } else { text }
}

/// Per stage its cells as `input: verdict`, several inputs separated by spaces.
pub(super) const TABLE: &[(&str, &[&str])] = &[
    (
        "reserving",
        &[
            "TicketsReserved: awaiting + RequestPayment + BookingReserved",
            "FreeReserved: confirming + ConfirmTickets",
            "TicketsRejected: rejected + BookingRejected",
            "cancel: releasing(B) + ReleaseTickets",
            "due: releasing(D) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "resend: reserving + ReserveTickets",
            "TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled PaymentRefunded RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "awaiting",
        &[
            "EventChanged: awaiting + BookingEventChanged",
            "PaymentRequested: awaiting(payable)",
            "PaymentSucceeded: confirming + ConfirmTickets",
            "PaymentFailed PaymentCancelled: releasing(P) + ReleaseTickets",
            "cancel: cancelling(B) + CancelPayment",
            "due: cancelling(D) + CancelPayment",
            "EventCancelled: cancelling(E) + CancelPayment",
            "resend: awaiting + RequestPayment",
            "TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "awaiting(payable)",
        &[
            "EventChanged: awaiting(payable) + BookingEventChanged",
            "PaymentSucceeded: confirming + ConfirmTickets",
            "PaymentFailed PaymentCancelled: releasing(P) + ReleaseTickets",
            "cancel: cancelling(B) + CancelPayment",
            "due: cancelling(D) + CancelPayment",
            "EventCancelled: cancelling(E) + CancelPayment",
            "resend: awaiting(payable) + RequestPayment",
            "PaymentRequested TicketsReserved FreeReserved TicketsRejected TicketsConfirmed \
         ConfirmRefused TicketsReleased PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "cancelling(D)",
        &[
            "PaymentCancelled PaymentFailed: releasing(D) + ReleaseTickets",
            "PaymentSucceeded: confirming + ConfirmTickets",
            "cancel: cancelling(B)",
            "EventCancelled: cancelling(E)",
            "resend: cancelling(D) + CancelPayment",
            "due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentRefunded RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "cancelling(B)",
        &[
            "PaymentCancelled PaymentFailed: releasing(B) + ReleaseTickets",
            "PaymentSucceeded: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: cancelling(E)",
            "resend: cancelling(B) + CancelPayment",
            "cancel due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed \
         ConfirmRefused TicketsReleased PaymentRequested PaymentRefunded RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "cancelling(E)",
        &[
            "PaymentCancelled PaymentFailed: releasing(E) + ReleaseTickets",
            "PaymentSucceeded: refunding(E) + RefundPayment + ReleaseTickets",
            "resend: cancelling(E) + CancelPayment",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentRefunded \
         RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "confirming",
        &[
            "EventChanged: confirming + BookingEventChanged",
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: refunding(X) + RefundPayment + ReleaseTickets",
            "cancel: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "resend: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(free)",
        &[
            "EventChanged: confirming + BookingEventChanged",
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: releasing(X) + ReleaseTickets",
            "cancel: releasing(B) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "resend: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(late)",
        &[
            "EventChanged: confirming + BookingEventChanged",
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: refunding(X) + RefundPayment + ReleaseTickets",
            "cancel: refused, too late",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "resend: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(free late)",
        &[
            "EventChanged: confirming + BookingEventChanged",
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: releasing(X) + ReleaseTickets",
            "cancel: refused, too late",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "resend: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed",
        &[
            "EventChanged: confirmed + BookingEventChanged",
            "cancel: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "resend due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed(free)",
        &[
            "EventChanged: confirmed + BookingEventChanged",
            "cancel: releasing(B) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "resend due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed(late)",
        &[
            "EventChanged: confirmed + BookingEventChanged",
            "cancel: refused, too late",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "resend due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "releasing(D)",
        &[
            "TicketsReleased: cancelled(D) + BookingCancelled",
            "resend: releasing(D) + ReleaseTickets",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled PaymentRefunded RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "refunding(B)",
        &[
            "TicketsReleased: refunding(B released)",
            "PaymentRefunded: refunding(B refunded)",
            "RefundRefused: refunding(B), stuck",
            "resend: refunding(B) + RefundPayment + ReleaseTickets",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled \
         EventChanged: ignored",
        ],
    ),
    (
        "refunding(E released)",
        &[
            "PaymentRefunded: cancelled(E refunded) + BookingCancelled",
            "RefundRefused: refunding(E released), stuck",
            "resend: refunding(E released) + RefundPayment",
            "TicketsReleased cancel due EventCancelled TicketsReserved FreeReserved \
         TicketsRejected TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled \
         EventChanged: ignored",
        ],
    ),
    (
        "refunding(X refunded)",
        &[
            "TicketsReleased: cancelled(X refunded) + BookingCancelled",
            "resend: refunding(X refunded) + ReleaseTickets",
            "PaymentRefunded RefundRefused cancel due EventCancelled TicketsReserved FreeReserved \
         TicketsRejected TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled \
         EventChanged: ignored",
        ],
    ),
    (
        "rejected",
        &[
            "cancel: refused, rejected",
            "resend due EventCancelled TicketsReserved FreeReserved TicketsRejected TicketsConfirmed \
         ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled PaymentRefunded RefundRefused \
         EventChanged: ignored",
        ],
    ),
    (
        "cancelled(B)",
        &["cancel resend due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled PaymentRefunded RefundRefused \
         EventChanged: ignored"],
    ),
];

#[test]
fn every_cell_of_the_saga_table_is_as_designed() {
    let inputs = inputs();
    for (from, cells) in TABLE {
        let mut written: BTreeMap<&str, &str> = BTreeMap::new();
        for cell in *cells {
            let (names, verdict) = cell.split_once(": ").expect("input: verdict");
            for name in names.split(' ') {
                assert_eq!(written.insert(name, verdict), None, "{from} × {name} is listed twice");
            }
        }
        assert!(written.keys().eq(inputs.keys()), "{from} does not list every input");
        for (name, input) in &inputs {
            let verdict = decide(&booking(stage(from)), context(noon()), input);
            assert_eq!(show(&verdict), written[name], "{from} × {name}");
        }
    }
}

#[test]
fn every_accepted_input_raises_the_version_clears_stuck_and_is_logged() {
    for (from, _) in TABLE {
        for input in inputs().values().filter(|input| **input != Input::ResendDue) {
            let before = Booking { stuck: Some(Stuck::Unanswered), ..booking(stage(from)) };
            let Verdict::Transition(to) = decide(&before, context(noon()), input) else { continue };
            let log = to.log;
            assert_eq!(to.booking.version, before.version + 1);
            assert_eq!((log.seq, log.at, to.booking.updated_at), (8, noon(), noon()));
            assert_eq!((log.input, log.from), (input.name(), Some(before.stage.name())));
            assert_eq!(log.to, to.booking.stage.name());
            assert!(log.sent.iter().copied().eq(to.messages.iter().map(Message::name)));
            let stuck = match input {
                Input::RefundRefused => Some(Stuck::RefundRefused),
                // It is no answer to what is waited for.
                Input::EventChanged => before.stuck,
                _ => None,
            };
            assert_eq!(to.booking.stuck, stuck, "{from} × {}", input.name());
            assert_eq!(to.booking.next_resend.is_none(), waits_for_nothing(&to.booking.stage));
        }
    }
}

/// The seconds between the sendings of a stage's command, and the sending that makes it stuck.
fn resends(name: &str) -> (Vec<i64>, Option<u32>) {
    let mut booking = booking(stage(name));
    let (mut waits, mut stuck_at) = (vec![], None);
    for _ in 0..9 {
        let at = booking.next_resend.expect("something is pending").at;
        let early = context(at - Duration::from_micros(1));
        let early = decide(&booking, early, &Input::ResendDue);
        assert_eq!(early, Verdict::Ignored, "{name}: too early");
        let Verdict::Resend(again) = decide(&booking, context(at), &Input::ResendDue) else {
            panic!("{name}: not sent again")
        };
        assert_eq!(again.booking.version, 7);
        let next = again.booking.next_resend.expect("something is pending");
        assert_eq!(again.attempt, next.attempt);
        waits.push((next.at - at).num_seconds());
        stuck_at = stuck_at.or(again.booking.stuck.map(|_| next.attempt));
        booking = again.booking;
    }
    (waits, stuck_at)
}

#[test]
fn commands_are_sent_again_more_and_more_rarely_and_unanswered_ones_become_stuck() {
    let (waits, stuck_at) = resends("confirming");
    assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
    assert_eq!(stuck_at, Some(6));
}

#[test]
fn a_payment_that_waits_for_its_buyer_is_asked_about_rarely_and_is_not_stuck() {
    let (waits, stuck_at) = resends("awaiting(payable)");
    assert_eq!(waits, [120, 240, 300, 300, 300, 300, 300, 300, 300]);
    assert_eq!(stuck_at, None);
    let awaiting = booking(stage("awaiting"));
    let Verdict::Transition(to) = decide(&awaiting, context(noon()), &Input::PaymentRequested)
    else {
        panic!("not payable")
    };
    let first = NextResend { attempt: 1, at: noon() + TimeDelta::minutes(1) };
    assert_eq!(to.booking.next_resend, Some(first));
}
