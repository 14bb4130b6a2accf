//! What services have replied to commands: a repetition is answered as before.

use std::{collections::HashMap, mem::discriminant};

use karcis_event_service::domain::Reply;
use karcis_kernel::BookingId;
use karcis_payment_service::domain::Fact;

use super::checks::{Violation, require};

/// What was replied about each booking, the first of each kind.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    holds: HashMap<BookingId, Vec<Reply>>,
    payments: HashMap<BookingId, Vec<Fact>>,
    /// The last fact of a payment, with the payment's version.
    ends: HashMap<BookingId, (i64, Fact)>,
}

impl Answers {
    /// event-service replies about a hold: a kind of reply always says the same, and seats that were refused or
    /// given back are never promised again.
    pub(crate) fn of_hold(&mut self, id: BookingId, reply: &Reply) -> Result<(), Violation> {
        let before = self.holds.entry(id).or_default();
        let is_over = before.iter().any(|it| matches!(it, Reply::Released | Reply::Rejected(_)));
        let is_promise = matches!(reply, Reply::Reserved(_) | Reply::Confirmed(_));
        require(10, !(is_over && is_promise), || format!("{before:?}, and then {reply:?}"))?;
        same(before, reply)
    }

    /// payment-service says what became of a payment, which has this version: a kind of fact always says the
    /// same, and after an end nothing but that end, or that money which came later has gone back. What was decided
    /// before the end may be said again after it.
    pub(crate) fn of_payment(
        &mut self,
        id: BookingId,
        version: i64,
        fact: &Fact,
    ) -> Result<(), Violation> {
        if matches!(fact, Fact::Reversed { .. } | Fact::RefundRefused { .. }) {
            return Ok(());
        }
        if let Some((ended, end)) = self.ends.get(&id) {
            let is_same = end == fact || version < *ended;
            require(10, is_same, || format!("{end:?}, and then {fact:?}"))?;
        } else if matches!(fact, Fact::Failed { .. } | Fact::Cancelled | Fact::Refunded { .. }) {
            self.ends.insert(id, (version, fact.clone()));
        }
        same(self.payments.entry(id).or_default(), fact)
    }
}

fn same<T: Clone + PartialEq + std::fmt::Debug>(
    before: &mut Vec<T>,
    now: &T,
) -> Result<(), Violation> {
    match before.iter().find(|it| discriminant(*it) == discriminant(now)) {
        Some(first) => require(10, first == now, || format!("{first:?} is repeated as {now:?}")),
        None => {
            before.push(now.clone());
            Ok(())
        }
    }
}
