//! More than the services or their servers take: poison amid load, too many creates, databases that are slow or
//! full or dead, a broker whose disk is full. It is refused clearly, nothing is lost, and nobody starts a service
//! again. One test at a time and apart from the others: what they measure and strain would be the others' load.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is missing")]

#[cfg(target_os = "linux")]
mod creates;
mod dead_database;
#[cfg(target_os = "linux")]
mod full_disks;
mod poison;
mod poisoned;
#[cfg(target_os = "linux")]
mod slow_database;

use std::time::Duration;

use karcis_fleet::{Concert, Fleet, Person};
use karcis_schemas::{BOOKING, SERVICES};
use karcis_testkit::{Answer, eventually, together};
use tokio::{sync::Mutex, time::Instant};

/// Held by each test.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What a service, and with poison in it, keeps of its speed. Speeds are compared within one run, on a machine
/// that does other things too: so they are measured until they compare well, or too often.
const KEPT: f64 = 0.8;

fn pids(fleet: &Fleet) -> [i32; SERVICES.len()] {
    SERVICES.map(|service| fleet.processes().pid(service))
}

/// A create that the service refuses for a moment: it says when to come again.
#[track_caller]
pub(crate) fn is_refused(answer: Answer) {
    let answer = answer.is_problem(503, "unavailable");
    let seconds = answer.headers.get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
    assert!(matches!(seconds, Some(1..=60)), "{:?}", answer.headers);
}

pub(crate) async fn creates(buyer: &Person, concert: &Concert, ticket: &str) -> Answer {
    buyer.post(&BOOKING, "/booking/create", &concert.order(&[(ticket, 1)])).await
}

/// How long it takes until each of the crowd has bought one, so many at a time.
async fn buying(crowd: &[Person], concert: &Concert, at_once: usize) -> Duration {
    let began = Instant::now();
    let each = crowd.iter().map(|buyer| async {
        let booking = buyer.books(concert, "VIP", 1).await;
        buyer.pays_up(&booking).await;
        eventually(|| buyer.sees(&booking)).is("confirmed").await;
    });
    together(at_once, each).await;
    began.elapsed()
}
