//! The provider's ledger, as `adapters/gateway/simulated/ledger.rs` keeps it: one answer for each key, one
//! end for each intent.

use std::collections::{BTreeSet, HashMap, HashSet};

use karcis_kernel::{BookingId, Timestamp};
use karcis_payment_service::{
    application::{Charge, Refund, attempt_of},
    domain::{BuyerAction, Decline, DeclineKind, NextAction, Outcome, RefundOutcome},
};

/// How a provider's intent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// By the charge of this key.
    Captured(String),
    Voided,
}

#[derive(Debug)]
struct ChargeRow {
    charge: Charge,
    due_at: Timestamp,
    /// Whether its buyer has approved or declined it.
    approved: Option<bool>,
    /// What it was answered with, once that is final.
    answer: Option<Outcome>,
}

#[derive(Debug)]
struct RefundRow {
    refund: Refund,
    is_done: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    intents: HashMap<BookingId, Fate>,
    charges: HashMap<String, ChargeRow>,
    refunds: HashMap<String, RefundRow>,
    /// The keys of refunds that were refused: they are answered so for ever.
    refused: HashSet<String>,
    /// Intents whose money it gives back although their method takes no refund, as somebody has mended that.
    mended: HashSet<BookingId>,
    /// By intent: how much was captured, and how much went back.
    sums: HashMap<BookingId, (i64, i64)>,
    /// By intent: what was paid back without the provider.
    by_hand: HashMap<BookingId, i64>,
    /// Intents that have captured after they were closed.
    late: HashSet<BookingId>,
    /// Intents about which a webhook is to be taken.
    webhooks: HashSet<BookingId>,
    /// Intents about whose late money no webhook tells.
    untold: BTreeSet<BookingId>,
}

impl Provider {
    /// All that was captured of the intent and all that went back, also by hand.
    pub(crate) fn sums(&self, intent: BookingId) -> (i64, i64) {
        let (captured, refunded) = self.sums.get(&intent).copied().unwrap_or_default();
        (captured, refunded + self.by_hand.get(&intent).copied().unwrap_or_default())
    }

    /// How much of the intent's money the provider has given back.
    pub(crate) fn given_back(&self, intent: BookingId) -> i64 {
        self.sums.get(&intent).map_or(0, |(_, given_back)| *given_back)
    }

    /// An operator pays so much of the intent's money back in another way.
    pub(crate) fn paid_by_hand(&mut self, intent: BookingId, amount: i64) {
        *self.by_hand.entry(intent).or_default() += amount;
    }

    /// How the charge with this key has ended, or how it will.
    pub(crate) fn end_of(&self, intent: BookingId, key: &str) -> Option<Outcome> {
        let answer = self.charges.get(key).and_then(|row| row.answer.clone());
        let is_voided = self.intents.get(&intent) == Some(&Fate::Voided);
        answer.or_else(|| is_voided.then_some(Outcome::Voided))
    }

    /// Where the charge stands; a new key is written down.
    pub(crate) fn charge(&mut self, charge: &Charge, now: Timestamp) -> Outcome {
        if !self.charges.contains_key(&charge.key) {
            let due_at = now + wait(&charge.method);
            let row = ChargeRow { charge: charge.clone(), due_at, approved: None, answer: None };
            self.charges.insert(charge.key.clone(), row);
        }
        let answer = self.charges[&charge.key].answer.clone();
        match answer.unwrap_or_else(|| self.answer(&charge.key, now)) {
            // An intent whose money has gone back is closed, as a voided one is.
            Outcome::Approved | Outcome::AlreadyCaptured { .. }
                if self.given_back(charge.intent) > 0 =>
            {
                Outcome::Voided
            }
            answer => answer,
        }
    }

    /// Where a charge without an answer stands now, which is its answer once it is final.
    fn answer(&mut self, key: &str, now: Timestamp) -> Outcome {
        let answer = self.settle(&self.charges[key], now);
        if let Some(row) = self.charges.get_mut(key)
            && !matches!(answer, Outcome::Pending | Outcome::ActionRequired(_))
        {
            let Charge { intent, amount, .. } = row.charge;
            row.answer = Some(answer.clone());
            if answer == Outcome::Approved {
                self.intents.insert(intent, Fate::Captured(key.to_owned()));
                self.sums.entry(intent).or_default().0 += amount.amount;
            }
        }
        answer
    }

    /// The buyer approves or declines the charge of the intent that waits for that; `false`: none does.
    pub(crate) fn buyer_acts(&mut self, intent: BookingId, approves: bool, now: Timestamp) -> bool {
        let waits = |row: &&mut ChargeRow| {
            let is_action = row.charge.method == "tok_action_required";
            row.charge.intent == intent && is_action && row.answer.is_none() && row.due_at > now
        };
        let Some(row) = self.charges.values_mut().find(waits) else { return false };
        row.approved = Some(approves);
        let key = row.charge.key.clone();
        self.answer(&key, now);
        true
    }

    fn settle(&self, row: &ChargeRow, now: Timestamp) -> Outcome {
        match self.intents.get(&row.charge.intent) {
            Some(Fate::Voided) => return Outcome::Voided,
            Some(Fate::Captured(key)) => return captured_by(key),
            None => {}
        }
        let is_due = row.due_at <= now;
        match row.charge.method.as_str() {
            "tok_slow" if !is_due => Outcome::Pending,
            "tok_action_required" if row.approved == Some(false) => {
                Outcome::Declined(decline("action_declined"))
            }
            "tok_action_required" if row.approved.is_none() && is_due => {
                Outcome::Declined(decline("action_expired"))
            }
            "tok_action_required" if row.approved.is_none() => {
                Outcome::ActionRequired(NextAction {
                    action: BuyerAction::VirtualAccount { number: "8800".to_owned() },
                    expires_at: row.due_at,
                })
            }
            "tok_insufficient_funds" => Outcome::Declined(decline("insufficient_funds")),
            "tok_stolen_card" => Outcome::Declined(decline("stolen_card")),
            "tok_expired_card" => Outcome::Declined(decline("expired_card")),
            _ => Outcome::Approved,
        }
    }

    /// Closes the intent for good.
    pub(crate) fn void(&mut self, intent: BookingId) -> Outcome {
        let is_refunded = self.given_back(intent) > 0;
        match self.intents.entry(intent).or_insert(Fate::Voided) {
            Fate::Captured(key) if !is_refunded => captured_by(key),
            Fate::Captured(_) | Fate::Voided => Outcome::Voided,
        }
    }

    /// Gives the money back once per key.
    pub(crate) fn refund(&mut self, refund: &Refund) -> RefundOutcome {
        let is_asked_before = self.refunds.contains_key(&refund.key);
        let is_mended = self.mended.contains(&refund.intent);
        if !is_asked_before && !is_mended && self.takes_no_refunds(refund.intent) {
            self.refused.insert(refund.key.clone());
        }
        if self.refused.contains(&refund.key) {
            return RefundOutcome::Refused { reason: "account_closed".to_owned() };
        }
        let new = || RefundRow { refund: refund.clone(), is_done: false };
        let row = self.refunds.entry(refund.key.clone()).or_insert_with(new);
        let is_done = row.is_done;
        if !is_asked_before && !self.is_paid_with(refund.intent, "tok_refund_pending") {
            self.end_refunds(refund.intent);
            return RefundOutcome::Done;
        }
        if is_done { RefundOutcome::Done } else { RefundOutcome::Pending }
    }

    /// What of the intent is to go back goes back; `false`: nothing.
    pub(crate) fn end_refunds(&mut self, intent: BookingId) -> bool {
        let pending = |row: &&mut RefundRow| row.refund.intent == intent && !row.is_done;
        let mut amount = 0;
        for row in self.refunds.values_mut().filter(pending) {
            row.is_done = true;
            amount += row.refund.amount.amount;
        }
        self.sums.entry(intent).or_default().1 += amount;
        amount > 0
    }

    /// The keys of the charges whose money the intent has captured.
    pub(crate) fn captured_by(&self, intent: BookingId) -> HashSet<String> {
        let of_intent = self.charges.values().filter(|row| row.charge.intent == intent);
        let captured = of_intent.filter(|row| row.answer == Some(Outcome::Approved));
        captured.map(|row| row.charge.key.clone()).collect()
    }

    /// The charge that the intent could capture although it is closed.
    pub(crate) fn left_by(&self, intent: BookingId) -> Option<String> {
        let is_left = |row: &&ChargeRow| {
            let is_unpaid = matches!(row.answer, None | Some(Outcome::Voided));
            row.charge.intent == intent && is_unpaid
        };
        let is_closed = self.intents.get(&intent) == Some(&Fate::Voided) && !self.is_late(intent);
        let left = self.charges.values().filter(is_left).map(|row| &row.charge.key);
        left.min().filter(|_| is_closed).cloned()
    }

    /// Captures a charge of an intent that is closed.
    pub(crate) fn capture_late(&mut self, intent: BookingId) {
        let Some(key) = self.left_by(intent) else { return };
        if let Some(row) = self.charges.get_mut(&key) {
            row.answer = Some(Outcome::Approved);
            self.sums.entry(intent).or_default().0 += row.charge.amount.amount;
            self.late.insert(intent);
        }
    }

    /// A webhook about the intent is to be sent.
    pub(crate) fn add_webhook(&mut self, intent: BookingId) {
        self.webhooks.insert(intent);
    }

    /// Payment-service has taken the webhook about the intent.
    pub(crate) fn webhook_taken(&mut self, intent: BookingId) {
        self.webhooks.remove(&intent);
    }

    /// An intent about which a webhook is to be sent.
    pub(crate) fn next_webhook(&self) -> Option<BookingId> {
        self.webhooks.iter().min().copied()
    }

    /// Whether money came after the intent was closed.
    pub(crate) fn is_late(&self, intent: BookingId) -> bool {
        self.late.contains(&intent)
    }

    /// No webhook tells of the intent's late money.
    pub(crate) fn never_tells_of(&mut self, intent: BookingId) {
        self.untold.insert(intent);
    }

    /// Intents with late money of which no webhook tells.
    pub(crate) fn untold(&self) -> impl Iterator<Item = BookingId> {
        self.untold.iter().copied()
    }

    /// Whether the method that paid takes no refund.
    fn takes_no_refunds(&self, intent: BookingId) -> bool {
        self.is_paid_with(intent, "tok_refund_refused")
    }

    /// Somebody has it give the intent's money back to who asks under a new key.
    pub(crate) fn mend_refunds(&mut self, intent: BookingId) {
        self.mended.insert(intent);
    }

    fn is_paid_with(&self, intent: BookingId, method: &str) -> bool {
        let paid = self.charges.values().filter(|row| row.answer == Some(Outcome::Approved));
        let mut paid = paid.filter(|row| row.charge.intent == intent);
        paid.any(|row| row.charge.method == method)
    }
}

/// The answer of an intent that the charge with this key has captured.
fn captured_by(key: &str) -> Outcome {
    Outcome::AlreadyCaptured { by: attempt_of(key) }
}

/// How long a charge of this method takes.
fn wait(method: &str) -> std::time::Duration {
    std::time::Duration::from_secs(match method {
        "tok_slow" => 4,
        "tok_action_required" => 15 * 60,
        _ => 0,
    })
}

/// What a decline code means.
pub(crate) fn decline(code: &str) -> Decline {
    let kind = match code {
        "insufficient_funds" | "action_expired" | "action_declined" => DeclineKind::Soft,
        _ => DeclineKind::Hard,
    };
    Decline { kind, code: code.to_owned() }
}
