//! The database is killed under load and recovers; every booking goes on to its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use karcis_fleet::{Fleet, Sale, TIMEOUT, Tolerance};
use karcis_schemas::{BOOKING, SERVICES};
use karcis_testkit::{PostgresServer, TestEnvironment, eventually};

use crate::{ALONE, creates, is_refused};

#[tokio::test]
async fn every_booking_survives_a_killed_database() {
    let _alone = ALONE.lock().await;
    let mut server = PostgresServer::start().await;
    let environment = TestEnvironment::on_postgres(&server).await;
    let resends = [("KARCIS_RESEND_AFTER", "1s")];
    let fleet = Fleet::of_instances_on(environment, 1, &resends).await;
    let concert = fleet.concert().tickets("VIP", 1).published().await;
    let buyer = fleet.buyer("Sari").await;
    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let pids = || SERVICES.map(|service| fleet.processes().pid(service));
    let before = pids();
    let killing = async {
        let mut ended = sale.goes_on(0).await;
        for _ in 0..2 {
            let started = started_at(&fleet).await;
            server.kill().await;
            eventually(|| readiness(&fleet)).within(Duration::from_secs(30)).is(503).await;
            is_refused(creates(&buyer, &concert, "VIP").await);
            server.start_again().await;
            for service in SERVICES {
                fleet.ready(service).await;
            }
            assert!(started_at(&fleet).await > started, "it is another server process");
            ended = sale.goes_on(ended).await;
        }
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), killing);
    sale.adds_up(&bought).await;
    assert_eq!(pids(), before, "no service ended");
}

async fn readiness(fleet: &Fleet) -> u16 {
    let answer = reqwest::get(format!("{}/readyz", fleet.url(&BOOKING))).await;
    answer.unwrap().status().as_u16()
}

async fn started_at(fleet: &Fleet) -> DateTime<Utc> {
    let superuser = fleet.environment().superuser();
    let started =
        async || sqlx::query_scalar("SELECT pg_postmaster_start_time()").fetch_one(superuser).await;
    eventually(started).within(TIMEOUT).await
}
