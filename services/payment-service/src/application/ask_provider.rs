//! Asks the provider about payments that need it: attempts without an outcome, money that is to go back,
//! and after a webhook what became of attempts that had ended.

use std::collections::HashMap;

use futures_util::future::{OptionFuture, join_all, join3};
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Bug, Money};

use super::{
    ports::{
        Charge, Claimed, PaymentGateway, ProviderUnavailable, Refund, ReleasedClaim,
        WaitingPayments,
    },
    record_outcomes::{AttemptAnswer, record_outcomes},
    unit_of_work::{PaymentJob, UnitOfWork, decide_all},
};
use crate::domain::{
    AttemptOutcome, Outcome, Payment, RefundKind, RefundOutcome, State, Verdict, due_refunds,
    record_refund,
};

/// What has to be looked at after some payments were asked about.
#[derive(Default)]
pub struct AskReport {
    /// Why the provider could not be asked: it is asked again.
    pub unavailable: Vec<ProviderUnavailable>,
    /// What the provider refuses since now: an operator has to settle it.
    pub refused: Vec<RefusedRefund>,
    /// Why some answers could not be stored: the provider is asked again.
    pub unstored: Vec<StoreError>,
}

/// A refund or a reversal that the provider refuses.
pub struct RefusedRefund {
    pub booking_id: BookingId,
    pub kind: RefundKind,
    /// The provider's word for why.
    pub reason: String,
}

/// As much of why there is no answer is shown to operators.
const MAX_REASON_CHARS: usize = 300;

/// Asks about up to `limit` payments that are due, those whose money is to go back or, without `refunds`, the
/// others, and stores what became of them. Returns whether there may be more.
///
/// An unknown outcome is found out with the key of its charge, or by voiding the intent once a cancel is
/// wanted, never by what the provider does not know.
pub async fn ask_provider(
    payments: &dyn WaitingPayments,
    gateway: &dyn PaymentGateway,
    refunds: bool,
    limit: u16,
    report: &mut AskReport,
) -> Result<bool, StoreError> {
    let claimed = payments.claim(refunds, limit).await?;
    let is_full = claimed.len() >= usize::from(limit);
    let (mut outcomes, mut refunds) = (Vec::new(), Vec::new());
    let mut answered: HashMap<BookingId, Answered> = HashMap::new();
    for (claimed, answers) in join_all(claimed.into_iter().map(|it| ask(gateway, it))).await {
        let has_answered = answers.unavailable.is_empty();
        let unanswered = answers.unanswered;
        let booking = claimed.payment.booking_id;
        answered.insert(booking, Answered { claimed, has_answered, unanswered });
        report.unavailable.extend(answers.unavailable);
        outcomes.extend(answers.outcomes);
        refunds.extend(answers.refunds);
    }
    let (mut after, unstored) = record_outcomes(payments, &outcomes).await;
    let is_stored = unstored.is_none();
    report.unstored.extend(unstored);
    let (after_refunds, unstored) = decide_all(payments, &refunds).await;
    report.unstored.extend(unstored);
    for (payment, refused) in after_refunds {
        after.push(payment);
        report.refused.extend(refused);
    }
    for payment in after {
        if let Some(answered) = answered.get_mut(&payment.booking_id)
            && payment.version > answered.claimed.payment.version
        {
            answered.claimed.payment = payment;
        }
    }
    let claims: Vec<_> = answered.into_values().filter_map(|it| it.claim(is_stored)).collect();
    payments.release(&claims).await?;
    Ok(is_full)
}

/// A payment as it is after the provider was asked about it.
struct Answered {
    claimed: Claimed,
    /// Whether it had an answer to each question.
    has_answered: bool,
    /// Why there is none about money that is to go back.
    unanswered: Option<String>,
}

impl Answered {
    /// Its claim, unless nothing is left to be asked.
    fn claim(self, is_stored: bool) -> Option<ReleasedClaim> {
        let Claimed { payment, until, look_up } = self.claimed;
        let Payment { booking_id, version, .. } = payment;
        // An attempt that has yet to end is looked at after that.
        let has_ended = !matches!(payment.state, State::Processing { .. })
            || Bug::WebhookForgotten.is_planted();
        let is_looked_up = look_up && self.has_answered && is_stored && has_ended;
        let looked_up = is_looked_up.then_some(until);
        let unanswered = self.unanswered;
        let claim = ReleasedClaim { booking_id, version, looked_up, unanswered };
        (payment.needs_provider() || look_up).then_some(claim)
    }
}

/// What the provider said of one payment.
#[derive(Default)]
struct Answers {
    outcomes: Vec<AttemptAnswer>,
    refunds: Vec<RefundAnswer>,
    unavailable: Vec<ProviderUnavailable>,
    unanswered: Option<String>,
}

async fn ask(gateway: &dyn PaymentGateway, claimed: Claimed) -> (Claimed, Answers) {
    let payment = &claimed.payment;
    let refund = async |(kind, amount): (RefundKind, Money)| {
        let intent = payment.booking_id;
        let key = kind.key(intent, payment.asked_again);
        let outcome = gateway.refund(Refund { key, intent, amount }).await?;
        Ok::<_, ProviderUnavailable>(RefundAnswer { payment: payment.clone(), kind, outcome })
    };
    let refunds = join_all(due_refunds(payment).into_iter().map(refund));
    let late = OptionFuture::from(claimed.look_up.then(|| late_money(gateway, payment)));
    // At the same time, as the claim lasts for one question.
    let (outcomes, refunds, late) = join3(unresolved(gateway, payment), refunds, late).await;
    let mut answers = Answers { outcomes, ..Answers::default() };
    for refund in refunds {
        match refund {
            Ok(answer) => answers.refunds.push(answer),
            Err(error) => {
                answers.unanswered = Some(error.0.chars().take(MAX_REASON_CHARS).collect());
                answers.unavailable.push(error);
            }
        }
    }
    match late.transpose() {
        Ok(late) => answers.outcomes.extend(late.into_iter().flatten()),
        Err(error) => answers.unavailable.push(error),
    }
    (claimed, answers)
}

/// The outcome of the attempt that has none, if the provider knows it now.
async fn unresolved(gateway: &dyn PaymentGateway, payment: &Payment) -> Vec<AttemptAnswer> {
    let State::Processing { attempt, cancel_wanted } = payment.state else { return Vec::new() };
    let outcome = if cancel_wanted {
        match gateway.void(payment.booking_id).await {
            Outcome::AlreadyCaptured { .. } if Bug::VoidIsBlind.is_planted() => Outcome::Voided,
            outcome => outcome,
        }
    } else if let Some(charge) = Charge::of(payment, attempt) {
        gateway.charge(charge).await
    } else {
        Outcome::Unknown
    };
    let outcome = match outcome {
        Outcome::Unknown if Bug::UnknownIsVoided.is_planted() => Outcome::Voided,
        outcome => outcome,
    };
    let answer = AttemptAnswer { payment: payment.clone(), attempt, outcome };
    Some(answer).filter(|it| it.outcome != Outcome::Unknown).into_iter().collect()
}

/// The attempts that had ended without money and have brought some after all. The intent of a payment that has
/// ended is closed first, so that what comes nevertheless is found now.
async fn late_money(
    gateway: &dyn PaymentGateway,
    payment: &Payment,
) -> Result<Vec<AttemptAnswer>, ProviderUnavailable> {
    use AttemptOutcome::{Declined, Voided};
    let ended = payment
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.outcome, Some(Declined(_) | Voided)))
        .filter_map(|attempt| Some((attempt.id, Charge::of(payment, attempt.id)?.key)));
    let ended: Vec<_> = ended.collect();
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let has_ended = matches!(payment.state, State::Cancelled | State::Failed { .. });
    if has_ended && gateway.void(payment.booking_id).await == Outcome::Unknown {
        return Err(ProviderUnavailable("the intent may be open".to_owned()));
    }
    let captured = gateway.captures(payment.booking_id).await?;
    let late = ended.into_iter().filter(|(_, key)| captured.contains(key));
    Ok(late
        .map(|(attempt, _)| AttemptAnswer {
            payment: payment.clone(),
            attempt,
            outcome: Outcome::Approved,
        })
        .collect())
}

struct RefundAnswer {
    /// As last seen.
    payment: Payment,
    kind: RefundKind,
    outcome: RefundOutcome,
}

impl PaymentJob for RefundAnswer {
    /// The payment now, and what is refused since this answer.
    type Output = (Payment, Option<RefusedRefund>);
    type Error = StoreError;

    fn booking_id(&self) -> BookingId {
        self.payment.booking_id
    }

    fn seen(&self) -> Option<&Payment> {
        Some(&self.payment)
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Self::Output, StoreError> {
        let booking_id = self.booking_id();
        let now = unit.payment(booking_id).unwrap_or(&self.payment);
        let verdict = record_refund(now, self.kind, &self.outcome);
        let refused = match (&verdict, &self.outcome) {
            (Verdict::Changed(..), RefundOutcome::Refused { reason }) => {
                Some(RefusedRefund { booking_id, kind: self.kind, reason: reason.clone() })
            }
            _ => None,
        };
        unit.apply(booking_id, verdict);
        Ok((unit.payment(booking_id).unwrap_or(&self.payment).clone(), refused))
    }
}
