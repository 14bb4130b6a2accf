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
        label: "Bank transfer",
        about: "asks for a transfer to a virtual account within 15 min; \
                no bank is behind it, so that time runs out",
    },
    Method {
        token: REFUND_REFUSED,
        label: "Card that takes no refund",
        about: "is approved at once; its refund is refused with account_closed",
    },
];

/// The method whose refunds are refused.
pub(super) const REFUND_REFUSED: &str = "tok_refund_refused";

/// Why the provider refuses a refund.
pub(super) const REFUSAL: &str = "account_closed";

const SLOW: Duration = Duration::from_secs(4);
const TIME_TO_APPROVE: Duration = Duration::from_secs(15 * 60);

/// What happens to a charge of this token.
pub(super) fn script(token: &str) -> Script {
    match token {
        "tok_approved" | REFUND_REFUSED => Script::Capture,
        "tok_insufficient_funds" => Script::Decline("insufficient_funds"),
        "tok_stolen_card" => Script::Decline("stolen_card"),
        "tok_slow" => Script::CaptureAfter(SLOW),
        "tok_action_required" => Script::CaptureOnceApproved(TIME_TO_APPROVE),
        _ => Script::Decline("unknown_method"),
    }
}

/// What a decline code of the ledger means.
pub(super) fn decline(code: String) -> Decline {
    let kind = match code.as_str() {
        "insufficient_funds" | "action_expired" => DeclineKind::Soft,
        _ => DeclineKind::Hard,
    };
    Decline { kind, code }
}
