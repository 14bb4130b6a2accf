//! A database that answers late: people wait, then they are refused, and all goes on once it is fast again.

use std::time::Duration;

use karcis_fleet::{Fleet, Sale, Tolerance};
use karcis_schemas::BOOKING;
use karcis_testkit::{TestEnvironment, eventually};

use crate::{ALONE, creates, is_refused, pids};

/// Later than anybody likes: each answer counts, and a booking is many.
const SLOW: Duration = Duration::from_millis(50);
/// Longer than an idle connection has to answer, and than a new one has to be there.
const TOO_SLOW: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_slow_database_makes_people_wait_or_refuses_them_and_loses_nothing() {
    let _alone = ALONE.lock().await;
    let mut environment = TestEnvironment::start().await;
    let database = environment.behind_slow_proxy().await;
    let fleet = Fleet::of_instances_on(environment, 1, &[("KARCIS_RESEND_AFTER", "1s")]).await;
    let (pids, buyer) = (pids(&fleet), fleet.buyer("Sari").await);
    let draft = fleet.concert().tickets("VIP", 1).published().await;
    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let slowing = async {
        let ended = sale.goes_on(0).await;
        database.delays(SLOW);
        let ended = sale.goes_on(ended).await;
        let late = database.delayed();
        assert!(late > 100, "{late} answers came late");

        database.delays(TOO_SLOW);
        let refused = async || {
            let answer = creates(&buyer, &draft, "VIP").await;
            if answer.status == 503 { Ok(answer) } else { Err(answer) }
        };
        is_refused(eventually(refused).await);
        let log = fleet.processes().log(&BOOKING);
        assert!(log.contains("unavailable") && log.contains("pool timed out"), "{log}");

        database.delays(Duration::ZERO);
        fleet.ready(&BOOKING).await;
        let ended = sale.goes_on(ended).await;
        sale.goes_on(ended).await;
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), slowing);
    assert!(bought.len() > 20);
    assert_eq!(pids, crate::pids(&fleet), "no service was started again");
}
