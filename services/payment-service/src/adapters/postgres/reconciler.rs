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
    /// Compares payments whose last attempt began before `at_rest` and has an outcome.
    pub(crate) fn new(pool: Pool, gateway: Arc<dyn PaymentGateway>, at_rest: Duration) -> Self {
        Self { pool, gateway, at_rest }
    }
}

#[async_trait]
impl Reconcile for LedgerReconciler {
    const KIND: &'static str = "ledger";

    async fn compare(&self, after: Uuid) -> Result<Compared, StoreError> {
        let next: Option<(Uuid, i64)> = sqlx::query_as(
            "SELECT booking_id,
                 count(*) FILTER (WHERE outcome IN ('approved', 'returning', 'returned'))
             FROM attempt WHERE booking_id > $1 GROUP BY booking_id
             HAVING bool_and(outcome IS NOT NULL) AND max(at) < now() - $2
             ORDER BY booking_id LIMIT 1",
        )
        .bind(after.max(first_id_since(now() - COMPARED_FOR)))
        .bind(self.at_rest)
        .fetch_optional(&self.pool)
        .await?;
        let Some((booking, captures)) = next else { return Ok(Compared::default()) };
        let mut compared = Compared { next: Some(booking), ..Compared::default() };
        let Some(books) = self.books(booking).await? else { return Ok(compared) };
        let detail = match self.difference(BookingId(booking), captures, &books).await {
            Ok(detail) => detail,
            // It is compared in the next round.
            Err(error) => {
                tracing::warn!(booking_id = %booking, %error, "a payment is not compared");
                return Ok(compared);
            }
        };
        match detail {
            None => compared.agrees.push(booking),
            // Else it has changed while the provider was asked.
            Some(detail) if self.books(booking).await?.as_ref() == Some(&books) => {
                compared.differs.push((booking, detail));
            }
            Some(_) => {}
        }
        Ok(compared)
    }
}

/// What is known here of one payment.
#[derive(PartialEq, sqlx::FromRow)]
struct Books {
    version: i64,
    currency: String,
    refunded: i64,
    /// Whether money is on its way back, or an operator has said that it went back by hand.
    is_left_out: bool,
}

impl LedgerReconciler {
    async fn books(&self, booking: Uuid) -> Result<Option<Books>, StoreError> {
        let books = sqlx::query_as(
            "SELECT version, currency, refunded, status = 'refunding'
                 OR EXISTS (SELECT FROM attempt WHERE booking_id = $1 AND outcome = 'returning')
                 OR EXISTS (SELECT FROM audit WHERE subject_id = $1 AND action = 'settle_payment'
                                AND detail LIKE 'refunded%') AS is_left_out
             FROM payment WHERE booking_id = $1 AND currency IS NOT NULL",
        );
        Ok(books.bind(booking).fetch_optional(&self.pool).await?)
    }

    /// What the provider says otherwise, if anything.
    async fn difference(
        &self,
        booking: BookingId,
        captures: i64,
        books: &Books,
    ) -> Result<Option<String>, ProviderUnavailable> {
        let there = self.gateway.captures(booking).await?.len();
        if usize::try_from(captures) != Ok(there) {
            let detail =
                format!("captured {captures} times here, and {there} times at the provider");
            return Ok(Some(detail));
        }
        let Ok(currency) = books.currency.parse::<Currency>() else { return Ok(None) };
        if there == 0 || books.is_left_out {
            return Ok(None);
        }
        let (here, there) =
            (books.refunded, self.gateway.refunded(booking, currency).await?.amount);
        let detail =
            || format!("gave back {here} {currency} here, and {there} {currency} at the provider");
        Ok((here != there).then(detail))
    }
}
