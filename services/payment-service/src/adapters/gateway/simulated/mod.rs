//! A provider that takes scripted tokens. Its ledger is durable and apart from the payments, as a
//! real provider's is: it can know what payment-service has forgotten, and the other way round.

mod ledger;
mod methods;

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use karcis_database::{BatchLimits, Batcher};
use karcis_kernel::BookingId;
use karcis_process::{chain, now};
use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use self::ledger::Standing;
use crate::{
    adapters::lanes::twice,
    application::ports::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund, StoreError},
    domain::Outcome,
};

const LIMITS: BatchLimits = BatchLimits { capacity: 8_192, group: 512 };

/// The simulated provider.
pub struct SimulatedGateway {
    charges: Batcher<Charge, Standing>,
    voids: Batcher<BookingId, Outcome>,
    refunds: Batcher<Refund, ()>,
    /// How long a caller waits for an answer.
    patience: Duration,
}

impl SimulatedGateway {
    /// With its ledger in `pool`'s schema; a call that takes longer than `patience` is unknown.
    pub fn new(pool: &PgPool, patience: Duration) -> Self {
        Self {
            charges: lane(pool, |pool, charges: Vec<Charge>| async move {
                ledger::charge(&pool, &charges, now()).await
            }),
            voids: lane(pool, |pool, intents: Vec<BookingId>| async move {
                ledger::void(&pool, &intents, now()).await
            }),
            refunds: lane(pool, |pool, refunds: Vec<Refund>| async move {
                ledger::refund(&pool, &refunds, now()).await
            }),
            patience,
        }
    }

    /// The charge's answer, once it is due.
    async fn answer(&self, charge: Charge) -> Outcome {
        loop {
            match self.charges.submit(charge.clone()).await {
                Ok(Standing::Answered(outcome)) => return outcome,
                Ok(Standing::Due(at)) => {
                    sleep((at - now()).to_std().unwrap_or_default()).await;
                }
                Err(error) => return unknown(&error),
            }
        }
    }
}

/// A lane whose groups are one visit to the ledger.
fn lane<J, A, F>(
    pool: &PgPool,
    visit: impl Fn(PgPool, Vec<J>) -> F + Copy + Send + Sync + 'static,
) -> Batcher<J, A>
where
    J: Clone + Send + Sync + 'static,
    A: Send + 'static,
    F: Future<Output = Result<Vec<A>, StoreError>> + Send + 'static,
{
    let pool = pool.clone();
    Batcher::start(LIMITS, move |jobs: Vec<J>| {
        let pool = pool.clone();
        twice(move || visit(pool.clone(), jobs.clone()))
    })
}

fn unknown(cause: &dyn std::error::Error) -> Outcome {
    tracing::warn!(cause = chain(cause), "the simulated provider does not answer");
    Outcome::Unknown
}

#[async_trait]
impl PaymentGateway for SimulatedGateway {
    fn methods(&self) -> &'static [Method] {
        methods::METHODS
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        let answer = timeout(self.patience, self.answer(charge)).await;
        answer.unwrap_or(Outcome::Unknown)
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        match timeout(self.patience, self.voids.submit(intent)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => unknown(&error),
            Err(elapsed) => unknown(&elapsed),
        }
    }

    async fn refund(&self, refund: Refund) -> Result<(), ProviderUnavailable> {
        match timeout(self.patience, self.refunds.submit(refund)).await {
            Ok(answer) => answer.map_err(|error| ProviderUnavailable(chain(&error))),
            Err(elapsed) => Err(ProviderUnavailable(elapsed.to_string())),
        }
    }
}
