//! Asks event-service and payment-service again what they answered to bookings that have ended.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{
    Compared, Reconcile, StoreError, first_id_since, record_agreement, record_differences,
};
use karcis_kernel::BookingId;
use karcis_process::now;
use uuid::Uuid;

use super::PgBookings;
use crate::{
    application::{Bookings, Change, Sent},
    domain::{Booking, Comparison, Participant},
};

/// How long after its creation a booking is still asked about.
const COMPARED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many bookings a turn looks at, of which it asks about one: there may be any number of rejected ones.
const LOOKED_AT: i64 = 5_000;

/// What booking-service compares: the end that a booking came to, with what the participants answer to its
/// last commands, which change nothing there. The answers come as usual: the consumer records which
/// contradict and which agree. Silence is neither.
pub(crate) struct AnswerReconciler {
    bookings: Arc<PgBookings>,
    at_rest: Duration,
}

impl PgBookings {
    /// Records which ends of bookings participants contradict and with which they agree; of several answers
    /// the last one counts.
    pub(crate) async fn record_comparisons(
        &self,
        comparisons: &[(BookingId, Comparison)],
    ) -> Result<(), StoreError> {
        let mut last: BTreeMap<(&str, Uuid), Option<&String>> = BTreeMap::new();
        for (booking_id, Comparison { by, contradiction }) in comparisons {
            if let Some(detail) = contradiction {
                tracing::error!(%booking_id, detail, "an answer contradicts a booking's end");
            }
            last.insert((kind_of(*by), booking_id.0), contradiction.as_ref());
        }
        for kind in AnswerReconciler::KINDS {
            let (mut differs, mut agrees) = (vec![], vec![]);
            for ((_, booking), contradiction) in last.iter().filter(|((of, _), _)| of == kind) {
                match contradiction {
                    Some(detail) => differs.push((*booking, (*detail).clone())),
                    None => agrees.push(*booking),
                }
            }
            record_differences(&self.pool, kind, &differs).await?;
            record_agreement(&self.pool, kind, &agrees).await?;
        }
        Ok(())
    }

    /// Sends the last commands of these bookings again; returns how many bookings have some.
    async fn ask_again(&self, ids: &[BookingId]) -> Result<usize, StoreError> {
        let found = self.load(ids).await?.found;
        let asking: Vec<Change> = found.into_iter().filter_map(asking).collect();
        let messages: Vec<_> = asking.iter().flat_map(|change| (self.encode)(change)).collect();
        let mut transaction = self.pool.begin().await?;
        self.outbox.insert(&mut transaction, &messages).await?;
        transaction.commit().await?;
        self.outbox.notify();
        Ok(asking.len())
    }
}

/// The kind of a difference with this one's answer.
fn kind_of(participant: Participant) -> &'static str {
    match participant {
        Participant::EventService => "answer",
        Participant::PaymentService => "payment_answer",
    }
}

/// The booking with its last commands, if it has some.
fn asking(booking: Booking) -> Option<Change> {
    let commands = booking.last_commands();
    let messages: Vec<Sent> =
        commands.into_iter().map(|message| Sent { message, attempt: 1 }).collect();
    (!messages.is_empty()).then(|| Change { messages, ..Change::unchanged(booking) })
}

impl AnswerReconciler {
    /// Asks about bookings that did not change for `at_rest`.
    pub(crate) fn new(bookings: Arc<PgBookings>, at_rest: Duration) -> Self {
        Self { bookings, at_rest }
    }
}

#[async_trait]
impl Reconcile for AnswerReconciler {
    const KIND: &'static str = "answer";
    const KINDS: &'static [&'static str] = &["answer", "payment_answer"];

    async fn compare(&self, after: Uuid, again: Option<Uuid>) -> Result<Compared, StoreError> {
        let PgBookings { pool, outbox, .. } = &*self.bookings;
        if outbox.room_for_bulk_work() == 0 {
            return Ok(Compared { next: Some(after), ..Compared::default() });
        }
        let next = "SELECT id, is_wanted FROM (
                SELECT id, stage IN ('confirmed', 'cancelled') AND updated_at < now() - $2 AS is_wanted
                FROM booking WHERE id > $1 ORDER BY id LIMIT $3) AS looked_at
            ORDER BY is_wanted DESC, CASE WHEN is_wanted THEN id END, id DESC LIMIT 1";
        let next = sqlx::query_as(next)
            .bind(after.max(first_id_since(now() - COMPARED_FOR)))
            .bind(self.at_rest)
            .bind(LOOKED_AT);
        let next: Option<(Uuid, bool)> = next.fetch_optional(pool).await?;
        let wanted = next.filter(|(_, is_wanted)| *is_wanted).map(|(id, _)| id);
        let ids: Vec<BookingId> = again.into_iter().chain(wanted).map(BookingId).collect();
        let asked = self.bookings.ask_again(&ids).await?;
        Ok(Compared { asked, next: next.map(|(id, _)| id), ..Compared::default() })
    }
}
