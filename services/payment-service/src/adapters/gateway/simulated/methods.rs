//! The tokens the simulated provider takes, and the script of each.

use std::time::Duration;

use crate::{
    application::Method,
    domain::{Decline, DeclineKind},
};

/// What the provider does with a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Captures at once.
    Capture,
    /// Captures after this time.
    CaptureAfter(Duration),
    /// Captures once the buyer has approved; declines if that takes longer than this time.
    CaptureOnceApproved(Duration),
    Decline(&'static str),
}

/// All methods.
pub(super) const METHODS: &[Method] = &[
    Method { token: "tok_approved", label: "Card that works", about: "is approved at once" },
    Method {
        token: "tok_insufficient_funds",
        label: "Card without money",
        about: "is declined with insufficient_funds; the booking can still be paid, 3 attempts in all",
    },
    Method {
        token: "tok_stolen_card",
        label: "Stolen card",
        about: "is declined with stolen_card, and no other attempt is given",
    },
    Method {
        token: "tok_slow",
        label: "Slow bank",
        about: "is approved after 4 s: first the answer is processing",
    },
    Method {
        token: "tok_action_required",
        label: "Card that asks its owner",
        about: "waits 15 min for the buyer to approve or decline on the provider's page",
    },
    Method {
        token: VIRTUAL_ACCOUNT,
        label: "Bank transfer",
        about: "the same with an account number to transfer to, \
                for which the provider's page at /simulated-provider/{booking id} stands in",
    },
    Method {
        token: QR,
        label: "QR code",
        about: "the same with a code to scan, which leads to the provider's page",
    },
    Method {
        token: ANSWER_LOST,
        label: "Bank whose answer is lost",
        about: "is approved, but the answer is lost: the payment is processing until it is asked again",
    },
    Method {
        token: NEVER_ARRIVES,
        label: "Bank that cannot be reached",
        about: "never arrives: the payment is processing until the booking is cancelled",
    },
    Method {
        token: EXECUTES_LATE,
        label: "Bank that forgets nothing",
        about: "is approved after 10 s without an answer, even if it was voided by then: \
                what comes too late goes back",
    },
    Method {
        token: REFUND_PENDING,
        label: "Card whose refund takes time",
        about: "is approved at once; its refund takes 4 s",
    },
    Method {
        token: REFUND_REFUSED,
        label: "Card that takes no refund",
        about: "is approved at once; its refund is refused with account_closed",
    },
];

pub(super) const VIRTUAL_ACCOUNT: &str = "tok_virtual_account";
pub(super) const QR: &str = "tok_qr";
const ANSWER_LOST: &str = "tok_answer_lost";
/// The method whose charges are lost on their way.
pub(super) const NEVER_ARRIVES: &str = "tok_never_arrives";
/// The method that captures what was voided after it was asked.
pub(super) const EXECUTES_LATE: &str = "tok_executes_late";
/// The method whose refunds are pending first.
pub(super) const REFUND_PENDING: &str = "tok_refund_pending";
/// The method whose refunds are refused.
pub(super) const REFUND_REFUSED: &str = "tok_refund_refused";

/// Why the provider refuses a refund.
pub(super) const REFUSAL: &str = "account_closed";

/// How long a bank that is slow takes, also with a refund.
pub(super) const SLOW: Duration = Duration::from_secs(4);
const LATE: Duration = Duration::from_secs(10);
const TIME_TO_APPROVE: Duration = Duration::from_secs(15 * 60);

/// What happens to a charge of this token.
pub(super) fn script(token: &str) -> Script {
    match token {
        "tok_approved" | ANSWER_LOST | REFUND_PENDING | REFUND_REFUSED => Script::Capture,
        "tok_insufficient_funds" => Script::Decline("insufficient_funds"),
        "tok_stolen_card" => Script::Decline("stolen_card"),
        "tok_slow" => Script::CaptureAfter(SLOW),
        EXECUTES_LATE => Script::CaptureAfter(LATE),
        "tok_action_required" | VIRTUAL_ACCOUNT | QR => {
            Script::CaptureOnceApproved(TIME_TO_APPROVE)
        }
        _ => Script::Decline("unknown_method"),
    }
}

/// Whether nobody hears the answer to the first request of a charge of this token.
pub(super) fn loses_first_answer(token: &str) -> bool {
    [ANSWER_LOST, EXECUTES_LATE].contains(&token)
}

/// What a decline code of the ledger means.
pub(super) fn decline(code: String) -> Decline {
    let kind = match code.as_str() {
        "insufficient_funds" | "action_declined" | "action_expired" => DeclineKind::Soft,
        _ => DeclineKind::Hard,
    };
    Decline { kind, code }
}
