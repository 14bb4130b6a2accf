//! Each service is killed under load; every booking goes on to its end, charged once or not at all.

use karcis_fleet::{Fleet, Sale, TIMEOUT, Tolerance};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, USER};
use karcis_testkit::eventually;

/// How often each service is killed.
const ROUNDS: usize = 2;

#[tokio::test]
async fn every_booking_survives_the_crash_of_any_service() {
    let fleet = Fleet::of_processes(&[("KARCIS_RESEND_AFTER", "1s")]).await;
    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let killing = async {
        let mut ended = 0;
        for service in [&EVENT, &BOOKING, &PAYMENT, &USER].repeat(ROUNDS) {
            // Some have ended since the last kill, and some are under way.
            ended = sale.goes_on(ended).await;
            let killed = fleet.processes().kill(service);
            eventually(async || fleet.processes().pid(service) != killed)
                .within(TIMEOUT)
                .is(true)
                .await;
            fleet.ready(service).await;
        }
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), killing);
    sale.adds_up(&bought).await;
}
