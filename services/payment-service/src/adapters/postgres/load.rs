//! Reads of many payments in one statement each, so that a payment and its attempts are of one
//! moment; and which payments the provider is asked about, and when.

use std::collections::HashMap;

use karcis_database::{Loaded, Pool, StoreError};
use karcis_kernel::{BookingId, Timestamp};
use karcis_process::crash_point;
use uuid::Uuid;

use super::rows::records;
use crate::{
    application::{Claimed, ReleasedClaim},
    domain::{Payment, PaymentRecord},
};

/// Both tables are restricted, as a planner without statistics would scan the other.
const LOAD: &str = "SELECT p.booking_id, p.payment_id, p.user_id, p.amount, p.currency, p.pay_by,
         p.status, p.cancel_wanted, p.decline_code AS payment_decline_code, p.captured, p.refunded,
         p.version, p.asked_again, p.refund_refusal, a.id AS attempt_id, a.at, a.method, a.outcome, a.decline_kind,
         a.decline_code, a.reversal_refusal, a.action, a.action_value, a.action_expires_at
     FROM payment p LEFT JOIN attempt a ON a.booking_id = p.booking_id AND a.booking_id = ANY($1)
     WHERE p.booking_id = ANY($1) ORDER BY p.booking_id, a.id";

pub(super) async fn load(
    pool: &Pool,
    bookings: &[BookingId],
) -> Result<Loaded<PaymentRecord>, StoreError> {
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.0).collect();
    Ok(records(&sqlx::query(LOAD).bind(ids).fetch_all(pool).await?))
}

/// Claims what is due, of all or of one booking, until the lease of `$3` seconds is over: those whose money is to
/// go back, or the others, which the first may be many of. Locked payments are left to the next pass.
const CLAIM: &str = "WITH due AS (
         SELECT booking_id FROM payment
         WHERE (status IN ('processing', 'refunding') OR look_up) AND next_try <= now()
             AND asking_until <= now() AND (status = 'refunding') = $1
             AND ($4::uuid IS NULL OR booking_id = $4)
         ORDER BY next_try LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
     ), reversals AS (
         SELECT p.booking_id FROM attempt a JOIN payment p ON p.booking_id = a.booking_id
         WHERE $1 AND a.outcome = 'returning' AND p.next_try <= now() AND p.asking_until <= now()
             AND ($4::uuid IS NULL OR p.booking_id = $4)
         LIMIT $2 FOR NO KEY UPDATE OF p SKIP LOCKED
     )
     UPDATE payment SET next_try = now() + make_interval(secs => $3),
                        asking_until = now() + make_interval(secs => $3)
     WHERE booking_id IN (SELECT booking_id FROM due UNION SELECT booking_id FROM reversals)
     RETURNING booking_id, asking_until, look_up";

/// What a claim is tried of one by one, after the database has rejected one of many.
const DUE: &str = "SELECT booking_id FROM payment
     WHERE (status IN ('processing', 'refunding') OR look_up) AND next_try <= now()
         AND asking_until <= now()
     UNION SELECT p.booking_id FROM attempt a JOIN payment p ON p.booking_id = a.booking_id
     WHERE a.outcome = 'returning' AND p.next_try <= now() AND p.asking_until <= now()
     LIMIT 256";

pub(super) async fn claim(
    pool: &Pool,
    refunds: bool,
    limit: u16,
    lease_s: f64,
) -> Result<Vec<Claimed>, StoreError> {
    let claim = async |booking: Option<Uuid>| -> Result<Vec<(Uuid, Timestamp, bool)>, StoreError> {
        let claim = sqlx::query_as(CLAIM).bind(refunds).bind(i64::from(limit));
        Ok(claim.bind(lease_s).bind(booking).fetch_all(pool).await?)
    };
    let claimed: Vec<(Uuid, Timestamp, bool)> = match claim(None).await {
        Err(StoreError::RejectedByStore(_)) => {
            let due: Vec<Uuid> = sqlx::query_scalar(DUE).fetch_all(pool).await?;
            let mut claimed = Vec::new();
            for booking in due {
                match claim(Some(booking)).await {
                    Err(StoreError::RejectedByStore(_)) => {}
                    one => claimed.extend(one?),
                }
            }
            claimed
        }
        all => all?,
    };
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    crash_point("payments.claimed");
    let bookings: Vec<BookingId> = claimed.iter().map(|it| BookingId(it.0)).collect();
    let records = load(pool, &bookings).await?.found.into_iter();
    let payments = records.filter_map(PaymentRecord::into_payment);
    let mut payments: HashMap<Uuid, Payment> =
        payments.map(|payment| (payment.booking_id.0, payment)).collect();
    let with_payment = |(booking, until, look_up)| {
        Some(Claimed { payment: payments.remove(&booking)?, until, look_up })
    };
    Ok(claimed.into_iter().filter_map(with_payment).collect())
}

/// Ends claims, and sets the next try. A payment that was changed since, or whose claim was ended by that
/// change, is left as it is. A buyer who has to act is given 30 s and not asked about beyond the time that
/// they have. What was asked for in the meantime (`next_try` is past) is kept; by the time of the statement
/// itself, as who asked for it may have committed since it began. A locked payment keeps its claim until the
/// lease is over, so that it holds up no other.
const RELEASE: &str = "WITH free AS (
         SELECT booking_id FROM payment WHERE booking_id = ANY($1)
         ORDER BY booking_id FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE payment p
     SET asking_until = now() + interval '1 s', unanswered = c.unanswered,
         look_up = p.look_up AND (p.next_try <= clock_timestamp()
                                  OR c.looked_up IS DISTINCT FROM p.asking_until),
         tries = p.tries + (p.next_try > clock_timestamp())::int,
         next_try = CASE WHEN p.next_try <= clock_timestamp() THEN p.next_try ELSE least(
             now() + least(power(2, least(p.tries, 9)) * interval '1 s'
                               * CASE WHEN a.action IS NULL THEN 1 ELSE 30 END,
                           interval '5 min') * (0.8 + random() * 0.4),
             CASE WHEN a.action_expires_at > now() THEN a.action_expires_at END) END
     FROM UNNEST($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[])
             AS c (booking_id, version, looked_up, unanswered)
         LEFT JOIN attempt a ON a.booking_id = c.booking_id AND a.outcome IS NULL
     WHERE p.booking_id = c.booking_id AND p.version = c.version AND p.asking_until > '-infinity'
         AND p.booking_id = ANY (ARRAY(SELECT booking_id FROM free))";

pub(super) async fn release(pool: &Pool, claims: &[ReleasedClaim]) -> Result<(), StoreError> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query(RELEASE)
        .bind(claims.iter().map(|it| it.booking_id.0).collect::<Vec<_>>())
        .bind(claims.iter().map(|it| it.version).collect::<Vec<_>>())
        .bind(claims.iter().map(|it| it.looked_up).collect::<Vec<_>>())
        .bind(claims.iter().map(|it| it.unanswered.as_deref()).collect::<Vec<_>>())
        .execute(pool)
        .await?;
    Ok(())
}

/// Makes a payment due, if it has an attempt; returns whether it has one. Waits for a locked one no longer than
/// a batch does, as many webhooks about it would use up the connections.
pub(super) async fn ask_soon(
    pool: &Pool,
    booking: BookingId,
    look_up: bool,
) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar(
        "WITH made_due AS (
             UPDATE payment SET next_try = least(next_try, now()), look_up = look_up OR $2
             WHERE booking_id = $1 AND (next_try > now() OR $2 AND NOT look_up)
                 AND EXISTS (SELECT FROM attempt WHERE booking_id = $1)
         )
         SELECT EXISTS (SELECT FROM attempt WHERE booking_id = $1)",
    );
    let mut transaction = pool.begin_batch().await?;
    let has_attempt = query.bind(booking.0).bind(look_up).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(has_attempt)
}

/// Claims the payment as who asks the provider does. Whether money that is to go back has no answer; `None` if
/// another has the payment.
pub(super) async fn hold(
    pool: &Pool,
    booking: BookingId,
    lease_s: f64,
) -> Result<Option<bool>, StoreError> {
    let hold = sqlx::query_scalar(
        "UPDATE payment SET next_try = now() + make_interval(secs => $2),
                            asking_until = now() + make_interval(secs => $2)
         WHERE booking_id = $1 AND asking_until <= now() RETURNING unanswered IS NOT NULL",
    );
    Ok(hold.bind(booking.0).bind(lease_s).fetch_optional(pool).await?)
}
