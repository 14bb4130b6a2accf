//! What goes on by itself: unresolved attempts, wanted cancels, money that goes back, old keys.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_process::{CancellationToken, now};
use tokio::{sync::Notify, time::timeout};

use super::metrics;
use crate::application::{
    give_money_back,
    ports::{KEY_LIFETIME, PaymentGateway, Payments},
    resolve_attempts, void_attempts,
};

/// How long a worker rests if nobody wakes it: what another instance left is found by then.
const REST: Duration = Duration::from_secs(1);
/// How often old idempotency keys are forgotten.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The stored payments and the provider they are settled with.
#[derive(Clone)]
pub struct Worker {
    /// The payments.
    pub payments: Arc<dyn Payments>,
    /// The provider.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Cancelled when the service stops.
    pub stopping: CancellationToken,
}

impl Worker {
    /// Asks the provider again about attempts that are unresolved for longer than `patience`.
    pub async fn resolve(self, patience: Duration) -> Result<(), Infallible> {
        while self.goes_on() {
            match resolve_attempts(&*self.payments, &*self.gateway, now() - patience).await {
                Ok(unknown) => metrics::show_unresolved(unknown),
                Err(cause) => tracing::warn!(%cause, "unresolved attempts have to wait"),
            }
            self.rest(REST, &Notify::new()).await;
        }
        Ok(())
    }

    /// Voids intents as soon as `woken`.
    pub async fn void(self, woken: Arc<Notify>) -> Result<(), Infallible> {
        while self.goes_on() {
            if let Err(cause) = void_attempts(&*self.payments, &*self.gateway).await {
                tracing::warn!(%cause, "wanted cancels have to wait");
            }
            self.rest(REST, &woken).await;
        }
        Ok(())
    }

    /// Gives money back as soon as `woken`.
    pub async fn give_back(self, woken: Arc<Notify>) -> Result<(), Infallible> {
        while self.goes_on() {
            match give_money_back(&*self.payments, &*self.gateway).await {
                Ok(errors) => {
                    if let Some(cause) = errors.first() {
                        let count = errors.len();
                        tracing::warn!(%cause, count, "money that is to go back has to wait");
                    }
                }
                Err(cause) => tracing::warn!(%cause, "money that is to go back has to wait"),
            }
            self.rest(REST, &woken).await;
        }
        Ok(())
    }

    /// Forgets idempotency keys that nobody may repeat any more.
    pub async fn forget_keys(self) -> Result<(), Infallible> {
        while self.goes_on() {
            if let Err(cause) = self.payments.forget_keys(now() - KEY_LIFETIME).await {
                tracing::warn!(%cause, "old idempotency keys stay for now");
            }
            self.rest(HOUR, &Notify::new()).await;
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.stopping.is_cancelled()
    }

    /// Until the time is over, somebody wakes it, or the service stops.
    async fn rest(&self, time: Duration, woken: &Notify) {
        let resting = timeout(time, woken.notified());
        self.stopping.run_until_cancelled(resting).await;
    }
}
