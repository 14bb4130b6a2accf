//! Compares payments with the provider's ledger.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{Compared, Pool, Reconcile, StoreError, first_id_since};
use karcis_kernel::{BookingId, Currency};
use karcis_process::now;
use uuid::Uuid;

use crate::application::{PaymentGateway, ProviderUnavailable};

/// How long after its creation a booking's payment is still compared.
const COMPARED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What payment-service compares: how often each payment was captured here and at the provider, and how much
/// went back.
pub(crate) struct LedgerReconciler {
    pool: Pool,
    gateway: Arc<dyn PaymentGateway>,
    at_rest: Duration,
}

impl LedgerReconciler {
    /// Compares payments older than `at_rest` whose last attempt, if any, began before that and has an outcome.
    pub(crate) fn new(pool: Pool, gateway: Arc<dyn PaymentGateway>, at_rest: Duration) -> Self {
        Self { pool, gateway, at_rest }
    }
}

#[async_trait]
impl Reconcile for LedgerReconciler {
    const KIND: &'static str = "ledger";

    async fn compare(&self, after: Uuid, again: Option<Uuid>) -> Result<Compared, StoreError> {
        let next: Option<Uuid> = sqlx::query_scalar(
            "SELECT booking_id FROM payment LEFT JOIN attempt USING (booking_id)
             WHERE booking_id > $1 AND booking_id < $2 GROUP BY booking_id
             HAVING count(attempt.id) = count(outcome) AND (max(at) < now() - $3) IS NOT FALSE
             ORDER BY booking_id LIMIT 1",
        )
        .bind(after.max(first_id_since(now() - COMPARED_FOR)))
        .bind(first_id_since(now() - self.at_rest))
        .bind(self.at_rest)
        .fetch_optional(&self.pool)
        .await?;
        let mut compared = Compared { next, ..Compared::default() };
        for booking in next.into_iter().chain(again) {
            self.compare_payment(booking, &mut compared).await?;
        }
        Ok(compared)
    }
}

/// What is known here of one payment.
#[derive(PartialEq, sqlx::FromRow)]
struct Books {
    version: i64,
    captures: i64,
    refunded: i64,
    currency: Option<String>,
    /// Whether an attempt has no outcome.
    is_open: bool,
    /// Whether money is on its way back, or an operator has said that it went back by hand.
    is_left_out: bool,
}

impl LedgerReconciler {
    async fn compare_payment(
        &self,
        booking: Uuid,
        compared: &mut Compared,
    ) -> Result<(), StoreError> {
        let books = self.books(booking).await?;
        if books.is_open {
            return Ok(());
        }
        let difference = match self.difference(BookingId(booking), &books).await {
            Ok(difference) => difference,
            // It is compared in the next round.
            Err(error) => {
                tracing::warn!(booking_id = %booking, %error, "a payment is not compared");
                return Ok(());
            }
        };
        // While the provider was asked, its buyer may have paid.
        if self.books(booking).await? != books {
            return Ok(());
        }
        match difference {
            None => compared.agrees.push(booking),
            Some(detail) => compared.differs.push((booking, detail)),
        }
        Ok(())
    }

    async fn books(&self, booking: Uuid) -> Result<Books, StoreError> {
        let books = sqlx::query_as(
            "SELECT coalesce(version, 0) AS version, coalesce(refunded, 0) AS refunded, currency,
                 count(*) FILTER (WHERE outcome IN ('approved', 'returning', 'returned')) AS captures,
                 count(attempt.id) > count(outcome) AS is_open,
                 coalesce(status = 'refunding', false)
                     OR count(*) FILTER (WHERE outcome = 'returning') > 0
                     OR EXISTS (SELECT FROM audit WHERE subject_id = $1 AND action = 'settle_payment'
                                    AND detail LIKE 'refunded%') AS is_left_out
             FROM (VALUES ($1::uuid)) AS its (booking_id)
                 LEFT JOIN payment USING (booking_id) LEFT JOIN attempt USING (booking_id)
             GROUP BY version, refunded, currency, status",
        );
        Ok(books.bind(booking).fetch_one(&self.pool).await?)
    }

    /// What the provider says otherwise, if anything.
    async fn difference(
        &self,
        booking: BookingId,
        books: &Books,
    ) -> Result<Option<String>, ProviderUnavailable> {
        let (here, there) = (books.captures, self.gateway.captures(booking).await?.len());
        if usize::try_from(here) != Ok(there) {
            let detail = format!("captured {here} times here, and {there} times at the provider");
            return Ok(Some(detail));
        }
        let currency = books.currency.as_ref().and_then(|it| it.parse::<Currency>().ok());
        let Some(currency) = currency.filter(|_| there > 0 && !books.is_left_out) else {
            return Ok(None);
        };
        let (here, there) =
            (books.refunded, self.gateway.refunded(booking, currency).await?.amount);
        let detail =
            || format!("gave back {here} {currency} here, and {there} {currency} at the provider");
        Ok((here != there).then(detail))
    }
}
