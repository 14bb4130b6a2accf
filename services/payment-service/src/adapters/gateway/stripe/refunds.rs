//! What the refunds of an intent say of the one that is asked for.

use super::api::{REFUND_KEY, Refund};
use crate::domain::RefundOutcome;

/// Where the refund of so much under this key stands; `None` if it is not begun. What somebody has given back at
/// Stripe by hand counts too, so it does not go back twice.
pub(super) fn standing(refunds: &[Refund], key: &str, amount: i64) -> Option<RefundOutcome> {
    if done(refunds) >= amount {
        return Some(RefundOutcome::Done);
    }
    let of = |status| of(refunds, status);
    if of("pending").chain(of("requires_action")).next().is_some() {
        return Some(RefundOutcome::Pending);
    }
    let is_own = |refund: &&Refund| {
        refund.metadata.as_ref().and_then(|it| it.get(REFUND_KEY)).is_some_and(|it| it == key)
    };
    let failed = of("failed").chain(of("canceled")).find(is_own)?;
    let reason = failed.failure_reason.as_ref().or(failed.status.as_ref());
    Some(RefundOutcome::Refused { reason: reason.cloned().unwrap_or_default() })
}

/// How much went back.
pub(super) fn done(refunds: &[Refund]) -> i64 {
    of(refunds, "succeeded").map(|refund| refund.amount).sum()
}

fn of<'a>(refunds: &'a [Refund], status: &'a str) -> impl Iterator<Item = &'a Refund> {
    refunds.iter().filter(move |refund| refund.status.as_deref() == Some(status))
}
