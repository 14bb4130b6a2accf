//! More creates at once than booking-service takes.

use std::{collections::BTreeSet, fs, time::Duration};

use karcis_fleet::{Fleet, FleetAnswer};
use karcis_schemas::BOOKING;
use karcis_testkit::{TestEnvironment, eventually, together};
use uuid::Uuid;

use crate::{ALONE, KEPT, buying, creates, is_refused, pids};

/// Nearly as many as a process takes connections, and more than it creates bookings at once.
const AT_ONCE: usize = 3_400;
/// A commit is some six answers of the database: then 256 bookings take most of a second.
const SLOW: Duration = Duration::from_millis(100);
/// Half of what a container may use (docker-compose.yml).
const MOST_KIB: u64 = 256 * 1024;
/// How soon it is as fast as it was.
const RECOVERED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn creates_that_are_too_many_are_refused_for_a_moment_and_the_others_end() {
    let _alone = ALONE.lock().await;
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let mut environment = TestEnvironment::start().await;
    let database = environment.behind_slow_proxy().await;
    let fleet = Fleet::of_instances_on(environment, 1, &[]).await;
    let pids = pids(&fleet);
    let concert = fleet.concert().tickets("VIP", 100_000).priced("Free", 100, 0);
    let concert = concert.published().await;
    let (measured, crowd) = (fleet.crowd(48), fleet.crowd(AT_ONCE));
    buying(&measured, &concert, 16).await;
    let before = buying(&measured, &concert, 16).await;
    let regretful = fleet.buyer("Sari").await;
    let regretted = regretful.books(&concert, "VIP", 1).await;
    let earlier = ids(&fleet).await;

    database.delays(SLOW);
    let each = crowd.iter().map(|buyer| creates(buyer, &concert, "Free"));
    let (answers, cancelled) = tokio::join!(together(AT_ONCE, each), regretful.cancels(&regretted));
    cancelled.is(202);
    database.delays(Duration::ZERO);
    assert!(database.delayed() > 6, "the database was slow");
    let (taken, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 202);
    println!("{} creates were taken and {} refused", taken.len(), refused.len());
    assert!(taken.len() > 500 && refused.len() > 500, "{} of {AT_ONCE} taken", taken.len());
    refused.into_iter().for_each(is_refused);
    let peak = peak_kib(fleet.processes().pid(&BOOKING));
    println!("booking-service took {peak} KiB at most");
    assert!(peak < MOST_KIB, "{peak} KiB");

    // Of the refused none exists, and of the others each ends.
    let mut all = earlier;
    all.extend(taken.iter().map(|answer| answer.booking().id.0));
    assert_eq!(ids(&fleet).await, all);
    let ended = async || {
        let stages = fleet.stages().await;
        ["confirmed", "rejected", "cancelled"]
            .iter()
            .filter_map(|end| stages.get(*end))
            .sum::<i64>()
    };
    eventually(ended).is(all.len() as i64).await;
    eventually(async || {
        let kept = before.as_secs_f64() / buying(&measured, &concert, 16).await.as_secs_f64();
        println!("afterwards it has {kept:.2} of its speed");
        if kept > KEPT { Ok(()) } else { Err(kept) }
    })
    .within(RECOVERED)
    .await;
    assert_eq!(pids, crate::pids(&fleet), "no service was started again");
}

/// Of all bookings that are stored.
async fn ids(fleet: &Fleet) -> BTreeSet<Uuid> {
    let ids = sqlx::query_scalar("SELECT id FROM bookings.booking");
    ids.fetch_all(fleet.environment().superuser()).await.unwrap().into_iter().collect()
}

/// The most memory that this process ever had.
fn peak_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
