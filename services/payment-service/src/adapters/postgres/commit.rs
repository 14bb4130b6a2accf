//! Writes many payments in one transaction: keys, payments, attempts, then the facts.

use std::collections::HashSet;

use karcis_kernel::BookingId;
use karcis_messaging::Outgoing;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    Wakes,
    keys::{free_keys, use_keys},
    write::{insert, update, write_attempts},
};
use crate::{
    adapters::kafka::fact_message,
    application::ports::Change,
    domain::{State, owed},
};

/// Commits what did not move meanwhile and returns the bookings of the rest.
pub(super) async fn commit(
    pool: &PgPool,
    wakes: &Wakes,
    mut changes: Vec<Change>,
) -> Result<Vec<BookingId>, sqlx::Error> {
    // The order in which everybody locks.
    changes.sort_unstable_by_key(|change| change.after.booking_id());
    let mut transaction = pool.begin().await?;
    let mut moved: HashSet<BookingId> = HashSet::new();

    use_keys(&mut transaction, &changes, &mut moved).await?;
    let (new, changed): (Vec<_>, Vec<_>) = changes
        .iter()
        .filter(|change| !moved.contains(&change.after.booking_id()) && is_written(change))
        .partition(|change| change.before.is_none());
    let mut written: HashSet<Uuid> = insert(&mut transaction, &new).await?.into_iter().collect();
    written.extend(update(&mut transaction, &changed).await?);
    let lost = new.iter().chain(&changed).map(|change| change.after.booking_id());
    moved.extend(lost.filter(|booking| !written.contains(&booking.0)));
    free_keys(&mut transaction, &changes, &moved).await?;

    let kept = || changes.iter().filter(|change| !moved.contains(&change.after.booking_id()));
    write_attempts(&mut transaction, kept()).await?;
    let messages: Vec<Outgoing> = kept().flat_map(messages).collect();
    wakes.outbox.insert(&mut transaction, &messages).await?;
    transaction.commit().await?;

    wake(wakes, kept(), !messages.is_empty());
    Ok(moved.into_iter().collect())
}

/// Whether the payment itself changes; else only facts are told again or a key is kept.
fn is_written(change: &Change) -> bool {
    change.before.as_ref() != Some(&change.after)
}

fn messages(change: &Change) -> impl Iterator<Item = Outgoing> {
    change.facts.iter().map(|fact| Outgoing::new(&fact_message(&change.after, fact)))
}

fn wake<'a>(wakes: &Wakes, kept: impl Iterator<Item = &'a Change>, has_messages: bool) {
    if has_messages {
        wakes.outbox.notify();
    }
    wakes.live.notify();
    for payment in kept.filter_map(|change| change.after.payment()) {
        if matches!(payment.state, State::Processing { cancel_wanted: true, .. }) {
            wakes.void.notify_one();
        }
        if !owed(payment).is_empty() {
            wakes.give_back.notify_one();
        }
    }
}
