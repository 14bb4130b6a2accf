//! Writes many payments in one transaction: payments are locked before keys, and the messages come
//! last.

use std::{collections::HashSet, time::Duration};

use karcis_database::{Connection, StoreError};
use karcis_kernel::{BookingId, Bug};
use karcis_messaging::Outgoing;
use uuid::Uuid;

use super::{
    PgPayments, Signals,
    idempotency_keys::take_keys,
    rows::{action, outcome, refusal},
};
use crate::{
    application::{Change, Question},
    domain::{Attempt, Payment, PaymentRecord, State, Status, Terms},
};

/// A change with its messages: made in the requester's task, whose trace they carry.
pub(super) struct EncodedChange {
    change: Change,
    messages: Vec<Outgoing>,
}

impl EncodedChange {
    pub(super) fn booking_id(&self) -> BookingId {
        self.change.after.booking_id()
    }
}

impl PgPayments {
    pub(super) fn encode(&self, change: Change) -> EncodedChange {
        EncodedChange { messages: (self.encode)(&change), change }
    }

    /// Commits what was not changed since it was loaded; returns the bookings of the rest.
    pub(super) async fn write(
        &self,
        mut changes: Vec<&EncodedChange>,
    ) -> Result<HashSet<BookingId>, StoreError> {
        // Every transaction locks in this order.
        changes.sort_unstable_by_key(|it| it.booking_id());
        let mut transaction = self.pool.begin_batch().await?;
        let mut conflicts: HashSet<BookingId> = HashSet::new();

        let (new, changed): (Vec<&Change>, Vec<&Change>) = changes
            .iter()
            .map(|encoded| &encoded.change)
            .filter(|change| is_written(change))
            .partition(|change| change.before.is_none());
        let written = insert(&mut transaction, &new).await?;
        conflicts.extend(missing(&new, &written));
        let unchanged = lock(&mut transaction, &changed).await?;
        conflicts.extend(missing(&changed, &unchanged));
        let with_keys = changes.iter().map(|it| &it.change).filter(|it| !it.keys.is_empty());
        let free = with_keys.filter(|it| !conflicts.contains(&it.after.booking_id()));
        conflicts.extend(take_keys(&mut transaction, &free.collect::<Vec<_>>()).await?);
        let changed: Vec<&Change> =
            changed.into_iter().filter(|it| !conflicts.contains(&it.after.booking_id())).collect();
        update(&mut transaction, &changed, self.lease).await?;
        store_attempts(&mut transaction, &changed).await?;

        changes.retain(|encoded| !conflicts.contains(&encoded.booking_id()));
        for act in changes.iter().filter_map(|encoded| encoded.change.act.as_ref()) {
            act.record(&mut transaction).await?;
        }
        let messages: Vec<Outgoing> =
            changes.iter().flat_map(|encoded| encoded.messages.iter().cloned()).collect();
        self.signals.outbox.insert(&mut transaction, &messages).await?;
        transaction.commit().await?;
        notify(&self.signals, &changes, !messages.is_empty());
        Ok(conflicts)
    }
}

/// Whether the payment itself changes; else only facts are published again or a key is kept.
fn is_written(change: &Change) -> bool {
    change.before.as_ref() != Some(&change.after)
}

/// The bookings of the changes that are not among `written`.
fn missing(changes: &[&Change], written: &[Uuid]) -> Vec<BookingId> {
    let written: HashSet<&Uuid> = written.iter().collect();
    let bookings = changes.iter().map(|change| change.after.booking_id());
    bookings.filter(|booking| !written.contains(&booking.0)).collect()
}

fn notify(signals: &Signals, changes: &[&EncodedChange], has_messages: bool) {
    if has_messages {
        signals.outbox.notify();
    }
    signals.live.notify();
    let is_due = |question| matches!(question, Some(Question::Due | Question::LookUp));
    if changes.iter().any(|it| is_due(it.change.question())) {
        signals.notify_asking();
    }
}

/// Inserts the new payments and tombstones; returns the bookings that had none.
async fn insert(transaction: &mut Connection, new: &[&Change]) -> Result<Vec<Uuid>, sqlx::Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let records = || new.iter().map(|change| &change.after);
    let terms: Vec<Option<&Terms>> =
        records().map(|record| record.payment().map(|payment| &payment.terms)).collect();
    let terms = || terms.iter().copied();
    sqlx::query_scalar(
        "INSERT INTO payment
             (booking_id, payment_id, user_id, amount, currency, pay_by, status, version)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[],
                              $6::timestamptz[], $7::text[], $8::bigint[])
         ON CONFLICT (booking_id) DO NOTHING
         RETURNING booking_id",
    )
    .bind(records().map(|record| record.booking_id().0).collect::<Vec<_>>())
    .bind(records().map(|record| record.payment_id().0).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.user_id().0)).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.amount().amount)).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.amount().currency.as_str())).collect::<Vec<_>>())
    .bind(terms().map(|terms| Some(terms?.pay_by())).collect::<Vec<_>>())
    .bind(records().map(|record| status(record).as_str()).collect::<Vec<_>>())
    .bind(records().map(|record| record.payment().map_or(1, |it| it.version)).collect::<Vec<_>>())
    .fetch_all(transaction)
    .await
}

fn status(record: &PaymentRecord) -> Status {
    record.payment().map_or(Status::Cancelled, |payment| payment.state.status())
}

/// The payments before and after each change. A tombstone never changes.
fn pairs<'a>(changed: &[&'a Change]) -> Vec<(&'a Payment, &'a Payment)> {
    changed
        .iter()
        .filter_map(|change| Some((change.before.as_ref()?.payment()?, change.after.payment()?)))
        .collect()
}

/// Locks the payments that nobody else has locked; returns the bookings of the payments that are still as they
/// were loaded.
async fn lock(transaction: &mut Connection, changed: &[&Change]) -> Result<Vec<Uuid>, sqlx::Error> {
    let pairs = pairs(changed);
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let locked: HashSet<(Uuid, i64)> = sqlx::query_as(
        "SELECT booking_id, version FROM payment
         WHERE booking_id = ANY($1) ORDER BY booking_id FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind(pairs.iter().map(|(before, _)| before.booking_id.0).collect::<Vec<_>>())
    .fetch_all(transaction)
    .await?
    .into_iter()
    .collect();
    let loaded = pairs.iter().map(|(before, _)| (before.booking_id.0, before.version));
    let is_unchanged =
        |it: &(Uuid, i64)| Bug::VersionCheckSkipped.is_planted() || locked.contains(it);
    Ok(loaded.filter(is_unchanged).map(|(booking, _)| booking).collect())
}

/// Updates these payments, which are locked.
async fn update(
    transaction: &mut Connection,
    changed: &[&Change],
    lease: Duration,
) -> Result<(), sqlx::Error> {
    let pairs = pairs(changed);
    if pairs.is_empty() {
        return Ok(());
    }
    // A tombstone, which is no pair, never changes.
    let questions: Vec<_> = changed.iter().map(|change| question(change)).collect();
    let after = || pairs.iter().map(|(_, after)| *after);
    sqlx::query(
        "UPDATE payment p
         SET version = c.version, status = c.status, cancel_wanted = c.cancel_wanted,
             decline_code = c.decline_code, captured = c.captured, refunded = c.refunded,
             refund_refusal = c.refund_refusal, asked_again = c.asked_again,
             tries = CASE WHEN c.question IS NULL THEN p.tries ELSE 0 END,
             next_try = CASE WHEN c.question = 'started' THEN now() + make_interval(secs => $11)
                 WHEN c.question IS NULL THEN p.next_try ELSE now() END,
             asking_until = CASE WHEN c.question = 'started' THEN now() + make_interval(secs => $11)
                 WHEN c.question IS NULL THEN p.asking_until ELSE '-infinity' END,
             look_up = p.look_up OR c.question IS NOT DISTINCT FROM 'look_up'
         FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], $6::bigint[],
                     $7::bigint[], $8::text[], $9::text[], $10::int[])
             AS c (booking_id, version, status, cancel_wanted, decline_code, captured, refunded,
                   refund_refusal, question, asked_again)
         WHERE p.booking_id = c.booking_id",
    )
    .bind(after().map(|payment| payment.booking_id.0).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.version).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.state.status().as_str()).collect::<Vec<_>>())
    .bind(after().map(cancel_wanted).collect::<Vec<_>>())
    .bind(after().map(decline_code).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.captured.amount).collect::<Vec<_>>())
    .bind(after().map(|payment| payment.refunded.amount).collect::<Vec<_>>())
    .bind(after().map(|payment| refusal(&payment.state)).collect::<Vec<_>>())
    .bind(questions)
    .bind(after().map(asked_again).collect::<Vec<_>>())
    .bind(lease.as_secs_f64())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Stores the attempts of these payments that are new or have changed.
async fn store_attempts(
    transaction: &mut Connection,
    changed: &[&Change],
) -> Result<(), sqlx::Error> {
    let pairs = pairs(changed);
    let touched: Vec<(Uuid, &Attempt)> = pairs.iter().flat_map(touched_attempts).collect();
    if touched.is_empty() {
        return Ok(());
    }
    let attempts = || touched.iter().map(|(_, attempt)| *attempt);
    let outcomes: Vec<_> = attempts().map(|attempt| outcome(attempt.outcome.as_ref())).collect();
    let actions: Vec<_> = attempts().map(|attempt| action(attempt.next_action.as_ref())).collect();
    sqlx::query(
        "INSERT INTO attempt (booking_id, id, at, method, outcome, decline_kind, decline_code,
                              reversal_refusal, action, action_value, action_expires_at)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[],
                              $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                              $11::timestamptz[])
         ON CONFLICT (booking_id, id) DO UPDATE
         SET outcome = excluded.outcome, decline_kind = excluded.decline_kind,
             decline_code = excluded.decline_code,
             reversal_refusal = excluded.reversal_refusal, action = excluded.action,
             action_value = excluded.action_value,
             action_expires_at = excluded.action_expires_at",
    )
    .bind(touched.iter().map(|(booking, _)| *booking).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.id.0).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.at).collect::<Vec<_>>())
    .bind(attempts().map(|attempt| attempt.method.as_str()).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|outcome| outcome.word).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|outcome| outcome.decline_kind).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|outcome| outcome.decline_code).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|outcome| outcome.refusal).collect::<Vec<_>>())
    .bind(actions.iter().map(|action| action.map(|it| it.0)).collect::<Vec<_>>())
    .bind(actions.iter().map(|action| action.map(|it| it.1)).collect::<Vec<_>>())
    .bind(actions.iter().map(|action| action.map(|it| it.2)).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

/// The word for it in [`update`].
fn question(change: &Change) -> Option<&'static str> {
    Some(match change.question()? {
        Question::Due => "due",
        Question::LookUp => "look_up",
        Question::Started => "started",
        Question::Answered => "answered",
    })
}

fn cancel_wanted(payment: &Payment) -> bool {
    matches!(payment.state, State::Processing { cancel_wanted: true, .. })
}

fn asked_again(payment: &Payment) -> i32 {
    i32::try_from(payment.asked_again).unwrap_or(i32::MAX)
}

fn decline_code(payment: &Payment) -> Option<&str> {
    match &payment.state {
        State::Failed { decline_code } => Some(decline_code),
        _ => None,
    }
}

fn touched_attempts<'a>(
    (before, after): &(&'a Payment, &'a Payment),
) -> impl Iterator<Item = (Uuid, &'a Attempt)> + use<'a> {
    let (before, booking) = (*before, after.booking_id.0);
    let touched = after.attempts.iter().filter(|attempt| !before.attempts.contains(attempt));
    touched.map(move |attempt| (booking, attempt))
}
