//! A provider that takes scripted tokens. Its ledger is durable and separate from the payments, as a
//! real provider's is: each can know what the other has lost.

mod ledger;
mod methods;

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use karcis_kernel::BookingId;
use karcis_messaging::Lane;
use karcis_process::now;
use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use self::ledger::Standing;
use crate::{
    adapters::lanes::together,
    application::ports::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund, StoreError},
    domain::{BuyerAction, NextAction, Outcome, RefundOutcome},
};

const CAPACITY: usize = 8_192;
const GROUP: usize = 512;

/// Connections to the ledger: one for each lane.
pub const CONNECTIONS: u32 = 3;

/// The simulated provider.
pub struct SimulatedGateway {
    charges: Lane<Charge, Result<Standing, StoreError>>,
    voids: Lane<BookingId, Result<Outcome, StoreError>>,
    refunds: Lane<Refund, Result<RefundOutcome, StoreError>>,
    /// How long a caller waits for an answer.
    timeout: Duration,
}

impl SimulatedGateway {
    /// With its ledger in `pool`'s schema; a call that takes longer than `timeout` is unknown.
    pub fn new(pool: &PgPool, timeout: Duration) -> Self {
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
            timeout,
        }
    }

    /// The charge's answer, once it is due.
    async fn answer(&self, charge: Charge) -> Outcome {
        loop {
            match self.charges.submit(charge.clone()).await {
                Ok(Ok(Standing::Answered(outcome))) => return outcome,
                Ok(Ok(Standing::Unapproved(expires_at))) => {
                    let action = BuyerAction::VirtualAccount { number: account(charge.intent) };
                    return Outcome::ActionRequired(NextAction { action, expires_at });
                }
                Ok(Ok(Standing::Due(at))) => {
                    sleep((at - now()).to_std().unwrap_or_default()).await;
                }
                Ok(Err(error)) => return unknown(&error),
                Err(busy) => return unknown(&busy),
            }
        }
    }
}

/// The account to which a buyer transfers the money for this intent.
fn account(intent: BookingId) -> String {
    format!("8800{:012}", intent.0.as_u128() % 1_000_000_000_000)
}

/// A lane whose groups are one visit to the ledger.
fn lane<J, A, F>(
    pool: &PgPool,
    visit: impl Fn(PgPool, Vec<J>) -> F + Copy + Send + Sync + 'static,
) -> Lane<J, Result<A, StoreError>>
where
    J: Clone + Send + Sync + 'static,
    A: Send + 'static,
    F: Future<Output = Result<Vec<A>, StoreError>> + Send + 'static,
{
    let pool = pool.clone();
    Lane::start(CAPACITY, GROUP, move |jobs| {
        let pool = pool.clone();
        together(jobs, move |jobs| visit(pool.clone(), jobs))
    })
}

fn unknown(cause: &dyn std::fmt::Display) -> Outcome {
    tracing::warn!(%cause, "the simulated provider does not answer");
    Outcome::Unknown
}

#[async_trait]
impl PaymentGateway for SimulatedGateway {
    fn methods(&self) -> &'static [Method] {
        methods::METHODS
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        let answer = timeout(self.timeout, self.answer(charge)).await;
        answer.unwrap_or(Outcome::Unknown)
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        match timeout(self.timeout, self.voids.submit(intent)).await {
            Ok(Ok(Ok(outcome))) => outcome,
            Ok(Ok(Err(error))) => unknown(&error),
            Ok(Err(busy)) => unknown(&busy),
            Err(elapsed) => unknown(&elapsed),
        }
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        match timeout(self.timeout, self.refunds.submit(refund)).await {
            Ok(Ok(answer)) => answer.map_err(|error| ProviderUnavailable(error.to_string())),
            Ok(Err(busy)) => Err(ProviderUnavailable(busy.to_string())),
            Err(elapsed) => Err(ProviderUnavailable(elapsed.to_string())),
        }
    }
}
