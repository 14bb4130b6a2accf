//! The two writes of paying, shared by all who pay at once: many buyers, one transaction.

use std::{collections::HashMap, future::Future, sync::Arc};

use async_trait::async_trait;
use karcis_database::{BatchLimits, Batcher};
use karcis_kernel::BookingId;
use karcis_process::trace::{self, Context};
use uuid::Uuid;

use crate::{
    application::{
        ports::{
            Answered, Attempts, Payments, ProcessPaymentError, StartAttempt, Started, StoreError,
        },
        record_outcomes, start_attempts,
    },
    domain::Payment,
};

const LIMITS: BatchLimits = BatchLimits { capacity: 8_192, group: 512 };

type StartAnswer = Result<Started, ProcessPaymentError>;
type RecordAnswer = Result<Payment, StoreError>;

/// A job with the context of the request it belongs to.
type Traced<T> = (T, Context);

/// One lane for starts, one for outcomes, so that neither waits for the other.
pub struct AttemptLanes {
    starts: Batcher<Traced<StartAttempt>, StartAnswer>,
    outcomes: Batcher<Traced<Answered>, Payment>,
}

impl AttemptLanes {
    /// Starts both.
    pub fn new(payments: Arc<dyn Payments>) -> Self {
        let outcomes = payments.clone();
        Self {
            starts: Batcher::start(LIMITS, move |jobs| start_group(payments.clone(), jobs)),
            outcomes: Batcher::start(LIMITS, move |jobs| record_group(outcomes.clone(), jobs)),
        }
    }
}

#[async_trait]
impl Attempts for AttemptLanes {
    async fn start(&self, start: StartAttempt) -> StartAnswer {
        self.starts.submit((start, trace::current())).await?
    }

    async fn record(&self, answered: Answered) -> RecordAnswer {
        self.outcomes.submit((answered, trace::current())).await
    }
}

async fn start_group(
    payments: Arc<dyn Payments>,
    jobs: Vec<Traced<StartAttempt>>,
) -> Result<Vec<StartAnswer>, StoreError> {
    let (jobs, traces) = untraced(jobs, |job| job.booking_id);
    trace::scope_batch(traces, twice(|| start_attempts(&*payments, &jobs))).await
}

async fn record_group(
    payments: Arc<dyn Payments>,
    jobs: Vec<Traced<Answered>>,
) -> Result<Vec<Payment>, StoreError> {
    let (jobs, traces) = untraced(jobs, |job| job.payment.booking_id);
    trace::scope_batch(traces, twice(|| record_outcomes(&*payments, &jobs))).await
}

/// The jobs, and the context of each one's booking.
fn untraced<T>(
    jobs: Vec<Traced<T>>,
    booking: impl Fn(&T) -> BookingId,
) -> (Vec<T>, HashMap<Uuid, Context>) {
    let traces = jobs.iter().map(|(job, context)| (booking(job).0, context.clone())).collect();
    (jobs.into_iter().map(|(job, _)| job).collect(), traces)
}

/// Tries once more what fails for a moment, which also finds out whether a commit landed whose
/// connection was lost.
pub(super) async fn twice<A, F>(work: impl Fn() -> F) -> Result<A, StoreError>
where
    F: Future<Output = Result<A, StoreError>>,
{
    match work().await {
        Err(StoreError::Unavailable(_)) => work().await,
        worked => worked,
    }
}
