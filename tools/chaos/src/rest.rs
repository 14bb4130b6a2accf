//! When all faults are over: the fleet has to come to rest, the books to add up, and promises to be kept.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use karcis_fleet::{Violation, When, violations};
use karcis_kernel::BookingId;
use karcis_schemas::SERVICES;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    seen::{Broken, Promise},
    world::World,
};

/// Time to come to rest: payments end with their windows, and what is sent again comes later and later.
const RESTS: Duration = Duration::from_secs(300);
/// How long what is wrong may stay so once nothing is under way.
const LINGERS: Duration = Duration::from_secs(30);
/// The rules that say that something is under way.
const UNDER_WAY: [u8; 4] = [4, 8, 9, 15];
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Waits until nothing is under way, and checks everything.
pub(crate) async fn checks(world: &World<'_>) -> Result<(), Broken> {
    let superuser = world.fleet.environment().superuser();
    let began = Instant::now();
    let mut resting_since = None;
    loop {
        let found = unrest(world).await;
        let Some(first) = found.first() else { break };
        let is_resting = found.iter().all(|violation| !UNDER_WAY.contains(&violation.rule));
        let since = *resting_since.get_or_insert_with(Instant::now);
        if !is_resting {
            resting_since = None;
        }
        if began.elapsed() > RESTS || is_resting && since.elapsed() > LINGERS {
            return Err(world.seen.broke(first.clone()));
        }
        sleep(LOOK).await;
    }
    let promises = world.seen.promises();
    let stored = stored(superuser).await.expect("the bookings can be read");
    match broken_promise(&promises, &stored) {
        None => Ok(()),
        Some(violation) => Err(world.seen.broke(violation)),
    }
}

/// What does not hold yet; what waits counts as rule 15.
async fn unrest(world: &World<'_>) -> Vec<Violation> {
    let environment = world.fleet.environment();
    let waits = |what: String| Violation::new(15, None, what);
    let found = violations(environment.superuser(), When::Rest).await;
    let mut found = found.unwrap_or_else(|error| vec![waits(error.to_string())]);
    for service in SERVICES {
        match environment.lag(service).await {
            Ok(0) => {}
            Ok(lag) => found.push(waits(format!("{lag} messages for {}", service.full_name()))),
            Err(error) => found.push(waits(error.to_string())),
        }
    }
    found
}

/// A booking as its row has it: its stage, and its reason.
type Stored = HashMap<BookingId, (String, Option<String>)>;

async fn stored(superuser: &PgPool) -> Result<Stored, sqlx::Error> {
    let read = "SELECT id, stage, reason FROM bookings.booking";
    let rows: Vec<(Uuid, String, Option<String>)> =
        sqlx::query_as(read).fetch_all(superuser).await?;
    Ok(rows.into_iter().map(|(id, stage, reason)| (BookingId(id), (stage, reason))).collect())
}

fn broken_promise(promises: &HashMap<BookingId, Promise>, stored: &Stored) -> Option<Violation> {
    for (booking, promise) in promises {
        let broken = |rule, what: String| Some(Violation::new(rule, Some(*booking), what));
        let Some((stage, reason)) = stored.get(booking) else {
            return broken(15, "it was accepted, and does not exist".to_owned());
        };
        let is_bought = stage == "confirmed";
        let is_called_off = reason.as_deref() == Some("event_cancelled");
        if promise.is_cancelled && is_bought {
            return broken(6, "its buyer was told that it is cancelled".to_owned());
        }
        if promise.is_paid && !is_bought && !promise.is_cancelled && !is_called_off {
            return broken(2, format!("it was paid, and is {stage} for {reason:?}"));
        }
    }
    let unknown = stored.keys().find(|booking| !promises.contains_key(booking))?;
    let what = "no order was answered with it: one key has made two bookings";
    Some(Violation::new(13, Some(*unknown), what))
}

/// How many bookings have ended how.
pub(crate) async fn ends(superuser: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let mut ends = BTreeMap::new();
    for (stage, reason) in stored(superuser).await?.into_values() {
        let end = [Some(stage), reason].into_iter().flatten().collect::<Vec<_>>().join(", ");
        *ends.entry(end).or_default() += 1;
    }
    Ok(ends)
}
