//! The saga table's columns of an operator: cancel whatever the refund window, send again now.

use chrono::TimeDelta;

use super::{
    samples::{booking, context, noon, stage, waits_for_nothing},
    table::{TABLE, show},
};
use crate::domain::*;

/// Per stage what an operator's cancel does.
const CANCEL: &[(&str, &str)] = &[
    ("reserving", "releasing(B) + ReleaseTickets"),
    ("awaiting", "cancelling(B) + CancelPayment"),
    ("awaiting(payable)", "cancelling(B) + CancelPayment"),
    ("cancelling(D)", "cancelling(B)"),
    ("cancelling(B)", "ignored"),
    ("cancelling(E)", "ignored"),
    ("confirming", "refunding(B) + RefundPayment + ReleaseTickets"),
    ("confirming(free)", "releasing(B) + ReleaseTickets"),
    ("confirming(late)", "refunding(B) + RefundPayment + ReleaseTickets"),
    ("confirming(free late)", "releasing(B) + ReleaseTickets"),
    ("confirmed", "refunding(B) + RefundPayment + ReleaseTickets"),
    ("confirmed(free)", "releasing(B) + ReleaseTickets"),
    ("confirmed(late)", "refunding(B) + RefundPayment + ReleaseTickets"),
    ("releasing(D)", "ignored"),
    ("refunding(B)", "ignored"),
    ("refunding(E released)", "ignored"),
    ("refunding(X refunded)", "ignored"),
    ("rejected", "refused, rejected"),
    ("cancelled(B)", "ignored"),
];

#[test]
fn an_operator_cancels_as_the_buyer_does_whatever_the_refund_window() {
    let (stages, listed) = (TABLE.iter().map(|row| row.0), CANCEL.iter().map(|row| row.0));
    assert!(listed.eq(stages), "every stage of the saga's table, in its order");
    for (from, expected) in CANCEL {
        let before = booking(stage(from));
        let verdict = decide(&before, context(noon()), &Input::CancelByOperator);
        assert_eq!(show(&verdict), *expected, "{from}");
        let buyers = decide(&before, context(noon()), &Input::Cancel);
        if !from.contains("late") {
            assert_eq!(show(&buyers), *expected, "{from}: the buyer's does the same");
        }
        if let Verdict::Transition(to) = verdict {
            assert_eq!((to.log.input, to.log.at), ("cancel_by_operator", noon()), "{from}");
            assert_eq!(to.booking.updated_at, noon());
        }
    }
}

#[test]
fn an_operator_has_pending_commands_sent_again_besides_their_time_however_often() {
    let early = context(noon() - TimeDelta::minutes(1));
    for (from, _) in TABLE {
        let before = booking(stage(from));
        assert_eq!(decide(&before, early, &Input::ResendDue), Verdict::Ignored, "{from}");
        let verdict = decide(&before, early, &Input::Resume);
        if waits_for_nothing(&before.stage) {
            assert_eq!(verdict, Verdict::Ignored, "{from}");
            continue;
        }
        let due = decide(&before, context(noon()), &Input::ResendDue);
        assert_eq!(show(&verdict), show(&due), "{from}: what a timer sends");
        let Verdict::Resend(again) = verdict else { panic!("{from}: not sent again") };
        assert_eq!((again.booking, again.attempt), (before, 2), "{from}: nothing else changes");
    }
}
