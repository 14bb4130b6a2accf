//! Gives money back: refunds the saga asked for, and money that came too late or twice.

use futures_util::future::join_all;
use karcis_kernel::{BookingId, Money};

use super::{
    PAGE,
    draft::{Job, decide},
    ports::{PaymentGateway, Payments, ProviderUnavailable, Refund, StoreError, Waiting},
};
use crate::domain::{GiveBack, Payment, owed, record_given_back};

struct GivenBack {
    payment: Payment,
    what: GiveBack,
}

impl Job for GivenBack {
    fn booking_id(&self) -> BookingId {
        self.payment.booking_id
    }

    fn seen(&self) -> Option<&Payment> {
        Some(&self.payment)
    }
}

/// Gives back all that is owed and tells it. Returns the provider's errors; what they stopped is
/// tried again the next time.
pub async fn give_money_back(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
) -> Result<Vec<ProviderUnavailable>, StoreError> {
    let (mut after, mut errors) = (None, Vec::new());
    loop {
        let page = payments.waiting(Waiting::MoneyBack, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(errors) };
        after = Some(last.booking_id);
        let due = page.into_iter().flat_map(|payment| {
            owed(&payment).into_iter().map(move |(what, amount)| (payment.clone(), what, amount))
        });
        let answers =
            join_all(due.map(|(payment, what, amount)| give_back(gateway, payment, what, amount)));
        let mut given = Vec::new();
        for answer in answers.await {
            match answer {
                Ok(back) => given.push(back),
                Err(error) => errors.push(error),
            }
        }
        decide(payments, &given, |draft, back| {
            let now = draft.payment(back.booking_id()).unwrap_or(&back.payment);
            let verdict = record_given_back(now, back.what);
            draft.apply(back.booking_id(), verdict);
        })
        .await?;
    }
}

async fn give_back(
    gateway: &dyn PaymentGateway,
    payment: Payment,
    what: GiveBack,
    amount: Money,
) -> Result<GivenBack, ProviderUnavailable> {
    let intent = payment.booking_id;
    gateway.refund(Refund { key: what.key(intent), intent, amount }).await?;
    Ok(GivenBack { payment, what })
}
