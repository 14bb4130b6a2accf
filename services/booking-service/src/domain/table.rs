//! The saga table, cell by cell: every stage with every input, and the verdict expected of it.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;

use super::{
    samples::{booking, booking_ends, noon, offer, stage, tickets},
    *,
};

fn inputs() -> BTreeMap<&'static str, Input> {
    let all = [
        Input::TicketsReserved(offer(100, noon())),
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
        Input::Wake,
    ];
    let free = ("FreeReserved", Input::TicketsReserved(offer(0, noon())));
    all.into_iter().map(|input| (input.name(), input)).chain([free]).collect()
}

fn letter(cause: Cause) -> &'static str {
    match cause {
        Cause::PaymentFailed => "P",
        Cause::HoldLost => "X",
        Cause::Deadline => "D",
        Cause::Buyer => "B",
        Cause::EventCancelled => "E",
    }
}

/// The verdict in the words of the table below.
fn show(verdict: &Verdict) -> String {
    let step = match verdict {
        Verdict::Ignored => return "ignored".into(),
        Verdict::Refused(Refusal::RefundWindowClosed) => return "refused, too late".into(),
        Verdict::Refused(Refusal::Rejected) => return "refused, rejected".into(),
        Verdict::Moved(step) => step,
    };
    let stage = &step.booking.stage;
    let more = match stage {
        Stage::Awaiting { payable: true, .. } => vec!["payable"],
        Stage::Refunding { released: true, .. } => vec!["released"],
        Stage::Refunding { refunded: true, .. } | Stage::Cancelled { refunded: true, .. } => {
            vec!["refunded"]
        }
        _ => vec![],
    };
    let more: Vec<&str> = stage.cause().map(letter).into_iter().chain(more).collect();
    let mut text = stage.name().to_owned();
    if !more.is_empty() {
        text += &format!("({})", more.join(" "));
    }
    for message in &step.messages {
        text += &format!(" + {}", message.name());
    }
    if step.booking.stuck == Some(Stuck::RefundRefused) { text + ", stuck" } else { text }
}

/// Per stage its cells as `input: verdict`, several inputs separated by spaces.
const TABLE: &[(&str, &[&str])] = &[
    (
        "reserving",
        &[
            "TicketsReserved: awaiting + RequestPayment",
            "FreeReserved: confirming + ConfirmTickets",
            "TicketsRejected: rejected + BookingRejected",
            "cancel: releasing(B) + ReleaseTickets",
            "due: releasing(D) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "wake: reserving + ReserveTickets",
            "TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "awaiting",
        &[
            "PaymentRequested: awaiting(payable)",
            "PaymentSucceeded: confirming + ConfirmTickets",
            "PaymentFailed PaymentCancelled: releasing(P) + ReleaseTickets",
            "cancel: cancelling(B) + CancelPayment",
            "due: cancelling(D) + CancelPayment",
            "EventCancelled: cancelling(E) + CancelPayment",
            "wake: awaiting + RequestPayment",
            "TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "awaiting(payable)",
        &[
            "PaymentSucceeded: confirming + ConfirmTickets",
            "PaymentFailed PaymentCancelled: releasing(P) + ReleaseTickets",
            "cancel: cancelling(B) + CancelPayment",
            "due: cancelling(D) + CancelPayment",
            "EventCancelled: cancelling(E) + CancelPayment",
            "wake: awaiting(payable) + RequestPayment",
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
            "wake: cancelling(D) + CancelPayment",
            "due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "cancelling(B)",
        &[
            "PaymentCancelled PaymentFailed: releasing(B) + ReleaseTickets",
            "PaymentSucceeded: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: cancelling(E)",
            "wake: cancelling(B) + CancelPayment",
            "cancel due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed \
         ConfirmRefused TicketsReleased PaymentRequested PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "cancelling(E)",
        &[
            "PaymentCancelled PaymentFailed: releasing(E) + ReleaseTickets",
            "PaymentSucceeded: refunding(E) + RefundPayment + ReleaseTickets",
            "wake: cancelling(E) + CancelPayment",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentRefunded \
         RefundRefused: ignored",
        ],
    ),
    (
        "confirming",
        &[
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: refunding(X) + RefundPayment + ReleaseTickets",
            "cancel: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "wake: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(free)",
        &[
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: releasing(X) + ReleaseTickets",
            "cancel: releasing(B) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "wake: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(late)",
        &[
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: refunding(X) + RefundPayment + ReleaseTickets",
            "cancel: refused, too late",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "wake: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirming(free late)",
        &[
            "TicketsConfirmed: confirmed + BookingConfirmed",
            "ConfirmRefused: releasing(X) + ReleaseTickets",
            "cancel: refused, too late",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "wake: confirming + ConfirmTickets",
            "due TicketsReserved FreeReserved TicketsRejected TicketsReleased PaymentRequested \
         PaymentSucceeded PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed",
        &[
            "cancel: refunding(B) + RefundPayment + ReleaseTickets",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "wake due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed(free)",
        &[
            "cancel: releasing(B) + ReleaseTickets",
            "EventCancelled: releasing(E) + ReleaseTickets",
            "wake due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "confirmed(late)",
        &[
            "cancel: refused, too late",
            "EventCancelled: refunding(E) + RefundPayment + ReleaseTickets",
            "wake due TicketsReserved FreeReserved TicketsRejected TicketsConfirmed ConfirmRefused \
         TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed PaymentCancelled \
         PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "releasing(D)",
        &[
            "TicketsReleased: cancelled(D) + BookingCancelled",
            "wake: releasing(D) + ReleaseTickets",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "refunding(B)",
        &[
            "TicketsReleased: refunding(B released)",
            "PaymentRefunded: refunding(B refunded)",
            "RefundRefused: refunding(B), stuck",
            "wake: refunding(B) + RefundPayment + ReleaseTickets",
            "cancel due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled: ignored",
        ],
    ),
    (
        "refunding(E released)",
        &[
            "PaymentRefunded: cancelled(E refunded) + BookingCancelled",
            "RefundRefused: refunding(E released), stuck",
            "wake: refunding(E released) + RefundPayment",
            "TicketsReleased cancel due EventCancelled TicketsReserved FreeReserved \
         TicketsRejected TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled: ignored",
        ],
    ),
    (
        "refunding(X refunded)",
        &[
            "TicketsReleased: cancelled(X refunded) + BookingCancelled",
            "wake: refunding(X refunded) + ReleaseTickets",
            "PaymentRefunded RefundRefused cancel due EventCancelled TicketsReserved FreeReserved \
         TicketsRejected TicketsConfirmed ConfirmRefused PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled: ignored",
        ],
    ),
    (
        "rejected",
        &[
            "cancel: refused, rejected",
            "wake due EventCancelled TicketsReserved FreeReserved TicketsRejected TicketsConfirmed \
         ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded PaymentFailed \
         PaymentCancelled PaymentRefunded RefundRefused: ignored",
        ],
    ),
    (
        "cancelled(B)",
        &["cancel wake due EventCancelled TicketsReserved FreeReserved TicketsRejected \
         TicketsConfirmed ConfirmRefused TicketsReleased PaymentRequested PaymentSucceeded \
         PaymentFailed PaymentCancelled PaymentRefunded RefundRefused: ignored"],
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
                assert_eq!(written.insert(name, verdict), None, "{from} × {name} stands twice");
            }
        }
        assert!(written.keys().eq(inputs.keys()), "{from} does not list every input");
        for (name, input) in &inputs {
            let verdict = decide(&booking(stage(from)), noon(), input);
            assert_eq!(show(&verdict), written[name], "{from} × {name}");
        }
    }
}

#[test]
fn every_accepted_input_raises_the_version_clears_stuck_and_is_logged() {
    for (from, _) in TABLE {
        for input in inputs().values().filter(|input| **input != Input::Wake) {
            let before = Booking { stuck: Some(Stuck::Unanswered), ..booking(stage(from)) };
            let Verdict::Moved(step) = decide(&before, noon(), input) else { continue };
            let log = step.log.expect("an entry");
            assert_eq!(step.booking.version, before.version + 1);
            assert_eq!((log.seq, log.at, step.booking.updated_at), (8, noon(), noon()));
            assert_eq!((log.input, log.from), (input.name(), Some(before.stage.name())));
            assert_eq!(log.to, step.booking.stage.name());
            assert!(log.sent.iter().copied().eq(step.messages.iter().map(Message::name)));
            let refused = (*input == Input::RefundRefused).then_some(Stuck::RefundRefused);
            assert_eq!(step.booking.stuck, refused, "{from} × {}", input.name());
            assert_eq!(step.booking.resend.is_none(), booking_ends(&step.booking.stage));
        }
    }
}

/// The seconds between the sendings of a stage's command, and the sending that makes it stuck.
fn resends(name: &str) -> (Vec<i64>, Option<u32>) {
    let mut booking = booking(stage(name));
    let (mut waits, mut stuck_at) = (vec![], None);
    for _ in 0..9 {
        let at = booking.resend.expect("something is pending").wake_at;
        let early = decide(&booking, at - Duration::from_micros(1), &Input::Wake);
        assert_eq!(early, Verdict::Ignored, "{name}: too early");
        let Verdict::Moved(step) = decide(&booking, at, &Input::Wake) else {
            panic!("{name}: not sent again")
        };
        assert_eq!((step.log, step.booking.version), (None, 7));
        let resend = step.booking.resend.expect("something is pending");
        waits.push((resend.wake_at - at).num_seconds());
        stuck_at = stuck_at.or(step.booking.stuck.map(|_| resend.attempt));
        booking = step.booking;
    }
    (waits, stuck_at)
}

#[test]
fn commands_are_sent_again_ever_more_rarely_and_unanswered_ones_become_stuck() {
    let (waits, stuck_at) = resends("confirming");
    assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
    assert_eq!(stuck_at, Some(6));
}

#[test]
fn a_payment_that_waits_for_its_buyer_is_asked_about_rarely_and_is_not_stuck() {
    let (waits, stuck_at) = resends("awaiting(payable)");
    assert_eq!(waits, [120, 240, 300, 300, 300, 300, 300, 300, 300]);
    assert_eq!(stuck_at, None);
    let Verdict::Moved(step) =
        decide(&booking(stage("awaiting")), noon(), &Input::PaymentRequested)
    else {
        panic!("not payable")
    };
    let first = Resend { attempt: 1, wake_at: noon() + TimeDelta::minutes(1) };
    assert_eq!(step.booking.resend, Some(first));
}
