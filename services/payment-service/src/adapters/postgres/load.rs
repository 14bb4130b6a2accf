//! Reads of many payments in one statement each, so that a payment and its attempts are of one
//! moment.

use karcis_database::{Loaded, StoreError};
use karcis_kernel::BookingId;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::rows::records;
use crate::{
    application::{Page, Waiting},
    domain::PaymentRecord,
};

macro_rules! payments_where {
    ($condition:literal) => {
        payments_where!($condition, "")
    };
    ($condition:literal, $of_attempts:literal) => {
        concat!(
            "SELECT p.booking_id, p.payment_id, p.user_id, p.amount, p.currency, p.pay_by,
                    p.status, p.cancel_wanted, p.decline_code AS payment_decline_code,
                    p.captured, p.refunded, p.version, p.refund_refusal, a.id AS attempt_id, a.at,
                    a.method, a.outcome, a.decline_kind, a.decline_code, a.reversal_refusal,
                    a.action, a.action_value, a.action_expires_at
             FROM payment p LEFT JOIN attempt a ON a.booking_id = p.booking_id ",
            $of_attempts,
            " WHERE p.booking_id ",
            $condition,
            " ORDER BY p.booking_id, a.id"
        )
    };
}

pub(super) async fn load(
    pool: &PgPool,
    bookings: &[BookingId],
) -> Result<Loaded<PaymentRecord>, StoreError> {
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.0).collect();
    // Both tables are restricted, as a planner without statistics would scan the other.
    let query = sqlx::query(payments_where!("= ANY($1)", "AND a.booking_id = ANY($1)"));
    Ok(records(&query.bind(ids).fetch_all(pool).await?))
}

/// Leaves out what cannot be read: the payments behind it go on.
pub(super) async fn waiting(
    pool: &PgPool,
    what: Waiting,
    after: Option<BookingId>,
    limit: u16,
) -> Result<Page, StoreError> {
    let query = match what {
        Waiting::Void => sqlx::query(payments_where!(
            "IN (SELECT u.booking_id FROM attempt u JOIN payment w USING (booking_id)
                 WHERE u.outcome IS NULL AND w.cancel_wanted AND u.booking_id > $1
                 ORDER BY u.booking_id LIMIT $2)"
        )),
        Waiting::Outcome { .. } => sqlx::query(payments_where!(
            "IN (SELECT u.booking_id FROM attempt u JOIN payment w USING (booking_id)
                 WHERE u.outcome IS NULL AND NOT w.cancel_wanted AND u.booking_id > $1
                     AND u.at < $3 AND ($4 OR coalesce(u.action_expires_at <= now(), true))
                 ORDER BY u.booking_id LIMIT $2)"
        )),
        Waiting::Refund => sqlx::query(payments_where!(
            "IN (SELECT booking_id FROM payment
                 WHERE status = 'refunding' AND refund_refusal IS NULL AND booking_id > $1
                 UNION SELECT booking_id FROM attempt
                 WHERE outcome = 'returning' AND reversal_refusal IS NULL AND booking_id > $1
                 ORDER BY booking_id LIMIT $2)"
        )),
    };
    let query = query.bind(after.map_or(Uuid::nil(), |booking| booking.0)).bind(i64::from(limit));
    let query = match what {
        Waiting::Outcome { before, with_actions } => query.bind(before).bind(with_actions),
        Waiting::Void | Waiting::Refund => query,
    };
    let rows = query.fetch_all(pool).await?;
    let Loaded { found, unreadable } = records(&rows);
    let is_full = found.len() + unreadable.len() == usize::from(limit);
    let next = match rows.last().filter(|_| is_full) {
        Some(last) => Some(BookingId(last.try_get("booking_id")?)),
        None => None,
    };
    let payments = found.into_iter().filter_map(PaymentRecord::into_payment).collect();
    Ok(Page { payments, next })
}
