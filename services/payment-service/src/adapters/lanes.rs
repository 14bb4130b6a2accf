//! The two writes of paying, shared by all who pay at once: many buyers, one transaction.

use std::{collections::HashMap, future::Future, sync::Arc};

use async_trait::async_trait;
use karcis_kernel::BookingId;
use karcis_messaging::{Busy, Lane};
use karcis_process::trace::{self, Context};
use uuid::Uuid;

use crate::{
    application::{
        ports::{
            Answer, Attempts, Payments, ProcessPaymentError, StartAttempt, Started, StoreError,
        },
        record_outcomes, start_attempts,
    },
    domain::Payment,
};

/// What may wait before buyers are asked to come again.
const CAPACITY: usize = 8_192;
/// How many share a transaction.
const GROUP: usize = 512;

type StartAnswer = Result<Started, ProcessPaymentError>;
type RecordAnswer = Result<Payment, StoreError>;

/// A job with the context of the request it belongs to.
type Traced<T> = (T, Context);

/// One lane for starts, one for outcomes, so that neither waits for the other.
pub struct AttemptLanes {
    starts: Lane<Traced<StartAttempt>, StartAnswer>,
    outcomes: Lane<Traced<Answer>, RecordAnswer>,
}

impl AttemptLanes {
    /// Starts both.
    pub fn new(payments: Arc<dyn Payments>) -> Self {
        let outcomes = payments.clone();
        Self {
            starts: Lane::start(CAPACITY, GROUP, move |jobs| start_group(payments.clone(), jobs)),
            outcomes: Lane::start(CAPACITY, GROUP, move |jobs| {
                record_group(outcomes.clone(), jobs)
            }),
        }
    }
}

#[async_trait]
impl Attempts for AttemptLanes {
    async fn start(&self, start: StartAttempt) -> StartAnswer {
        self.starts
            .submit((start, trace::current()))
            .await
            .unwrap_or_else(|busy| Err(full(busy).into()))
    }

    async fn record(&self, answered: Answer) -> RecordAnswer {
        let recorded = self.outcomes.submit((answered, trace::current())).await;
        recorded.unwrap_or_else(|busy| Err(full(busy)))
    }
}

fn full(busy: Busy) -> StoreError {
    StoreError::Unavailable(busy.to_string())
}

async fn start_group(
    payments: Arc<dyn Payments>,
    jobs: Vec<Traced<StartAttempt>>,
) -> Vec<StartAnswer> {
    let (jobs, traces) = untraced(jobs, |job| job.booking_id);
    let work = move |jobs: Vec<StartAttempt>| {
        let payments = payments.clone();
        async move { start_attempts(&*payments, &jobs).await }
    };
    let answers = trace::scope_batch(traces, together(jobs, work)).await;
    answers.into_iter().map(|answer| answer.unwrap_or_else(|error| Err(error.into()))).collect()
}

async fn record_group(payments: Arc<dyn Payments>, jobs: Vec<Traced<Answer>>) -> Vec<RecordAnswer> {
    let (jobs, traces) = untraced(jobs, |job| job.payment.booking_id);
    let work = move |jobs: Vec<Answer>| {
        let payments = payments.clone();
        async move { record_outcomes(&*payments, &jobs).await }
    };
    trace::scope_batch(traces, together(jobs, work)).await
}

/// The jobs, and the context of each one's booking.
fn untraced<T>(
    jobs: Vec<Traced<T>>,
    booking: impl Fn(&T) -> BookingId,
) -> (Vec<T>, HashMap<Uuid, Context>) {
    let traces = jobs.iter().map(|(job, context)| (booking(job).0, context.clone())).collect();
    (jobs.into_iter().map(|(job, _)| job).collect(), traces)
}

/// Works the jobs off as one group. If that fails for a moment, the group is tried once more, which
/// also finds out whether a commit landed whose connection was lost; if somebody's data is refused,
/// each job goes by itself, so that no stranger's can fail yours.
pub(super) async fn together<J, A, F>(
    jobs: Vec<J>,
    work: impl Fn(Vec<J>) -> F + Send + Sync,
) -> Vec<Result<A, StoreError>>
where
    J: Clone + Send,
    A: Send,
    F: Future<Output = Result<Vec<A>, StoreError>> + Send,
{
    let mut worked = work(jobs.clone()).await;
    if let Err(StoreError::Unavailable(_)) = worked {
        worked = work(jobs.clone()).await;
    }
    match worked {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(StoreError::Invalid(_)) if jobs.len() > 1 => {
            let mut answers = Vec::with_capacity(jobs.len());
            for job in jobs {
                let answer = work(vec![job]).await.map(|answers| answers.into_iter().next());
                answers.push(answer.and_then(|answer| answer.ok_or_else(no_answer)));
            }
            answers
        }
        Err(error) => jobs.iter().map(|_| Err(error.clone())).collect(),
    }
}

fn no_answer() -> StoreError {
    StoreError::Unavailable("a job was left without an answer".to_owned())
}
