//! Asks event-service and payment-service again what they answered to bookings that have ended.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{
    Compared, Reconcile, StoreError, ask_about_difference, first_id_since, record_differences,
};
use karcis_kernel::BookingId;
use karcis_process::now;
use uuid::Uuid;

use super::PgBookings;
use crate::{
    application::{Bookings, Change, Sent},
    domain::Booking,
};

/// How long after its creation a booking is still asked about.
const COMPARED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What booking-service compares: the end that a booking came to, with what the participants answer to its
/// last commands, which change nothing there. The answers come as usual: the consumer records what
/// contradicts.
pub(crate) struct AnswerReconciler {
    bookings: Arc<PgBookings>,
    at_rest: Duration,
}

impl PgBookings {
    /// Records that participants contradict the ends of these bookings.
    pub(crate) async fn record_contradictions(
        &self,
        contradictions: &[(BookingId, String)],
    ) -> Result<(), StoreError> {
        for (booking_id, detail) in contradictions {
            tracing::error!(%booking_id, detail, "an answer contradicts a booking's end");
        }
        let found = contradictions.iter().map(|(booking, detail)| (booking.0, detail.clone()));
        record_differences(&self.pool, AnswerReconciler::KIND, &found.collect::<Vec<_>>()).await
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

    async fn compare(&self, after: Uuid) -> Result<Compared, StoreError> {
        let PgBookings { pool, outbox, .. } = &*self.bookings;
        if outbox.room_for_bulk_work() == 0 {
            return Ok(Compared { next: Some(after), ..Compared::default() });
        }
        let open = ask_about_difference(pool, Self::KIND, self.at_rest).await?;
        let next = "SELECT id FROM booking
            WHERE id > $1 AND stage IN ('confirmed', 'cancelled') AND updated_at < now() - $2
            ORDER BY id LIMIT 1";
        let next = sqlx::query_scalar(next)
            .bind(after.max(first_id_since(now() - COMPARED_FOR)))
            .bind(self.at_rest);
        let next: Option<Uuid> = next.fetch_optional(pool).await?;
        let ids: Vec<BookingId> = open.into_iter().chain(next).map(BookingId).collect();
        let asked = self.bookings.ask_again(&ids).await?;
        Ok(Compared { asked, next, ..Compared::default() })
    }
}
