//! Compares payments with the provider's ledger.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{Compared, Pool, Reconcile, StoreError, first_id_since};
use karcis_kernel::BookingId;
use karcis_process::now;
use uuid::Uuid;

use crate::application::PaymentGateway;

/// How long after its creation a booking's payment is still compared.
const COMPARED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What payment-service compares: how often each payment was captured here and at the provider.
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

    async fn compare(&self, after: Uuid, again: Option<Uuid>) -> Result<Compared, StoreError> {
        let next: Option<Uuid> = sqlx::query_scalar(
            "SELECT booking_id FROM attempt WHERE booking_id > $1 GROUP BY booking_id
             HAVING bool_and(outcome IS NOT NULL) AND max(at) < now() - $2
             ORDER BY booking_id LIMIT 1",
        )
        .bind(after.max(first_id_since(now() - COMPARED_FOR)))
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

impl LedgerReconciler {
    async fn compare_payment(
        &self,
        booking: Uuid,
        compared: &mut Compared,
    ) -> Result<(), StoreError> {
        let Some(here) = self.captured(booking).await? else { return Ok(()) };
        let there = match self.gateway.captures(BookingId(booking)).await {
            Ok(captures) => captures.len(),
            // It is compared in the next round.
            Err(error) => {
                tracing::warn!(booking_id = %booking, %error, "a payment is not compared");
                return Ok(());
            }
        };
        // While the provider was asked, its buyer may have paid.
        if self.captured(booking).await? != Some(here) {
            return Ok(());
        }
        if usize::try_from(here) == Ok(there) {
            compared.agrees.push(booking);
        } else {
            let detail = format!("captured {here} times here, and {there} times at the provider");
            compared.differs.push((booking, detail));
        }
        Ok(())
    }

    /// How often a payment was captured, as we know; `None` while an attempt has no outcome.
    async fn captured(&self, booking: Uuid) -> Result<Option<i64>, StoreError> {
        let captured = sqlx::query_scalar(
            "SELECT count(*) FILTER (WHERE outcome IN ('approved', 'returning', 'returned'))
             FROM attempt WHERE booking_id = $1
             HAVING bool_and(outcome IS NOT NULL) IS NOT FALSE",
        );
        Ok(captured.bind(booking).fetch_optional(&self.pool).await?)
    }
}
