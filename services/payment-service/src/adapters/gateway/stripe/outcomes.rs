//! What an intent, or a refusal, says of a charge.

use super::api::{self, CHARGE_KEY, Intent, IntentStatus, Refusal};
use crate::{
    application::{Charge, attempt_of},
    domain::{BuyerAction, Decline, DeclineKind, NextAction, Outcome},
};

/// Declines after which the same method may work later, or for a buyer who enters it again. All others are
/// hard.
const SOFT: [&str; 21] = [
    "approve_with_id",
    "authentication_not_handled",
    "authentication_required",
    "call_issuer",
    "card_velocity_exceeded",
    "do_not_honor",
    "duplicate_transaction",
    "generic_decline",
    "incorrect_cvc",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_cvc",
    "issuer_not_available",
    "no_action_taken",
    "payment_intent_authentication_failure",
    "payment_intent_payment_attempt_expired",
    "payment_intent_payment_attempt_failed",
    "processing_error",
    "reenter_transaction",
    "try_again_later",
    "withdrawal_count_limit_exceeded",
];

/// What became of the charge; `None` if the intent has not been confirmed for it.
pub(super) fn outcome(intent: &Intent, charge: &Charge) -> Option<Outcome> {
    let is_own = is_begun(intent, charge);
    match intent.status {
        IntentStatus::Succeeded => Some(captured(intent, charge)),
        IntentStatus::Canceled => Some(Outcome::Voided),
        IntentStatus::Processing => Some(Outcome::Pending),
        IntentStatus::RequiresAction if is_own => Some(action(intent, charge)),
        IntentStatus::RequiresPaymentMethod if is_own => {
            intent.last_payment_error.as_ref().map(|error| Outcome::Declined(decline(error)))
        }
        IntentStatus::RequiresAction
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation => None,
        IntentStatus::Unknown => Some(Outcome::Unknown),
    }
}

/// Whether the intent is to be confirmed next, or was confirmed last, for this charge.
pub(super) fn is_begun(intent: &Intent, charge: &Charge) -> bool {
    intent.metadata.get(CHARGE_KEY) == Some(&charge.key)
}

/// An intent captures once: its newest charge is the one that did.
fn captured(intent: &Intent, charge: &Charge) -> Outcome {
    match &intent.latest_charge {
        Some(captured) if captured.refunded => captured_by(captured),
        Some(captured) if captured.metadata.get(CHARGE_KEY) == Some(&charge.key) => {
            Outcome::Approved
        }
        Some(captured) => captured_by(captured),
        None => Outcome::Unknown,
    }
}

/// Which attempt has brought the money.
pub(super) fn captured_by(captured: &api::Charge) -> Outcome {
    // An intent whose money has gone back is closed, as a voided one is: it pays for nothing.
    if captured.refunded {
        return Outcome::Voided;
    }
    let key = captured.metadata.get(CHARGE_KEY);
    Outcome::AlreadyCaptured { by: key.and_then(|key| attempt_of(key)) }
}

/// Stripe names no end of the buyer's time, so it ends with the booking's. What is done in an app, not on a
/// page, ends with it too.
fn action(intent: &Intent, charge: &Charge) -> Outcome {
    let redirect = intent.next_action.as_ref().and_then(|action| action.redirect_to_url.as_ref());
    redirect.map_or(Outcome::Pending, |redirect| {
        let action = BuyerAction::Redirect { url: redirect.url.clone() };
        Outcome::ActionRequired(NextAction { action, expires_at: charge.pay_by })
    })
}

/// Stripe's no, in the most exact word that it has for it.
pub(super) fn decline(refusal: &Refusal) -> Decline {
    let code = refusal.decline_code.as_ref().or(refusal.code.as_ref());
    let code = code.map_or("card_declined", String::as_str);
    let kind = if SOFT.contains(&code) { DeclineKind::Soft } else { DeclineKind::Hard };
    Decline { kind, code: code.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_is_soft_if_the_same_method_may_work_later() {
        let refusal = |code: &str, decline_code: Option<&str>| Refusal {
            code: Some(code.to_owned()),
            decline_code: decline_code.map(str::to_owned),
            ..Refusal::default()
        };
        for (code, decline_code, kind, word) in [
            ("card_declined", Some("insufficient_funds"), DeclineKind::Soft, "insufficient_funds"),
            ("card_declined", Some("do_not_honor"), DeclineKind::Soft, "do_not_honor"),
            ("card_declined", Some("stolen_card"), DeclineKind::Hard, "stolen_card"),
            ("card_declined", Some("do_not_try_again"), DeclineKind::Hard, "do_not_try_again"),
            ("card_declined", Some("of_next_year"), DeclineKind::Hard, "of_next_year"),
            ("expired_card", None, DeclineKind::Hard, "expired_card"),
            ("processing_error", None, DeclineKind::Soft, "processing_error"),
            ("resource_missing", None, DeclineKind::Hard, "resource_missing"),
        ] {
            let code = refusal(code, decline_code);
            assert_eq!(decline(&code), Decline { kind, code: word.to_owned() });
        }
        assert_eq!(decline(&Refusal::default()).code, "card_declined");
    }
}
