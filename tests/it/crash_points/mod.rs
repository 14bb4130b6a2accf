//! The real process dies at every place between two effects, one after another: nothing is lost, doubled or
//! left undone.

mod acts;
mod planted;
mod table;

use std::{collections::BTreeSet, path::Path};

use karcis_fleet::Fleet;
use karcis_schemas::SERVICES;

use crate::history::{history, kind_and_key};
use acts::Scene;
use table::{Row, TABLE};

#[tokio::test]
async fn nothing_is_lost_wherever_a_process_dies_between_two_effects() {
    let variables = [("KARCIS_RESEND_AFTER", "1s"), ("KARCIS_PROVIDER_TIMEOUT_MS", "1000")];
    let fleet = Fleet::of_processes(&variables).await;
    for Row { point, service, act } in in_turns() {
        println!("{}-service dies at {point} ({act:?})", service.name);
        let mut scene = Scene::prepare(&fleet, *act, service).await;
        let dying = fleet.processes().crashes_at(service, point);
        tokio::join!(scene.play(), dying);
        fleet.ready(service).await;
        scene.ends_well().await;
    }
    facts_are_sent(&fleet).await;
}

/// What was committed was sent, also what nobody waits for.
async fn facts_are_sent(fleet: &Fleet) {
    const COMMITTED: &str = "
        SELECT 'karcis.UserRegistered.v1', user_id::text FROM users.account
        UNION SELECT 'karcis.BookingCreated.v1', id::text FROM bookings.booking
        UNION SELECT 'karcis.BookingConfirmed.v1', booking_id::text FROM bookings.saga_log
            WHERE to_stage = 'confirmed'
        UNION SELECT 'karcis.BookingCancelled.v1', id::text FROM bookings.booking
            WHERE stage = 'cancelled'";
    let environment = fleet.environment();
    let committed = sqlx::query_as(COMMITTED).fetch_all(environment.superuser()).await;
    let mut unsent: BTreeSet<(String, String)> = committed.unwrap().into_iter().collect();
    assert!(unsent.len() > in_turns().len());
    for message in history(environment) {
        unsent.remove(&kind_and_key(&message));
    }
    assert_eq!(unsent, BTreeSet::new());
}

/// The table, in which a service does not die twice in a row while others have places left: one that dies
/// soon again is started later.
fn in_turns() -> Vec<&'static Row> {
    let mut turns: Vec<(usize, &Row)> = Vec::new();
    for row in TABLE {
        let before = turns.iter().filter(|(_, other)| other.service.name == row.service.name);
        turns.push((before.count(), row));
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, row)| row).collect()
}

/// Those in crates/ are in every service.
#[test]
fn the_table_has_every_place_in_the_code() {
    let folders =
        SERVICES.map(|service| (format!("services/{}", service.full_name()), vec![service]));
    let folders = folders.into_iter().chain([("crates".to_owned(), SERVICES.to_vec())]);
    let mut code = BTreeSet::new();
    for (folder, services) in folders {
        for point in points(&root().join(folder)) {
            code.extend(services.iter().map(|service| (point.clone(), service.name)));
        }
    }
    let table = TABLE.iter().map(|row| (row.point.to_owned(), row.service.name));
    assert_eq!(table.collect::<BTreeSet<_>>(), code);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What the code below this folder calls the places where it may die.
fn points(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(points(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let calls = text.split("crash_point(\"").skip(1);
            found.extend(calls.map(|call| call.split_once('"').unwrap().0.to_owned()));
        }
    }
    found
}
