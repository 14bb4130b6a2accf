//! The servers themselves die and stand still, one after another, while people buy: nothing that was
//! acknowledged is lost, and no service has to be started again.

use std::time::Duration;

use karcis_fleet::{Fleet, Sale, TIMEOUT, Tolerance};
use karcis_schemas::{EVENT, SERVICES};
use karcis_testkit::{BROKERS, Cluster, Member, TestEnvironment, eventually};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::MANY_PROCESSES;

/// How soon bookings end again.
const RECOVERED: Duration = Duration::from_secs(30);
/// Of an instance, to its database; one more sends its outbox, and one asks for it whether it takes writes.
const CONNECTIONS: i64 = 9;
/// Longer than a broker may be silent before others lead what it led.
const STILL: Duration = Duration::from_secs(15);

#[tokio::test]
async fn brokers_die_in_turn_then_the_primary_for_good_and_nothing_is_lost() {
    let _turn = MANY_PROCESSES.lock().await;
    let mut cluster = Cluster::start().await;
    let fleet = fleet(&cluster).await;
    let pids = pids(&fleet);
    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let dying = async {
        let mut ended = sale.goes_on(0).await;
        for broker in 0..BROKERS {
            in_sync(&cluster).await;
            assert!(cluster.kafka.leads(broker).await, "broker {broker} leads some partitions");
            ended = sale.goes_on(ended).await;
            cluster.kafka.kill(broker).await;
            ended = recovers(&sale, ended, &format!("broker {broker} has died")).await;
            cluster.kafka.restart(broker).await.unwrap();
        }
        in_sync(&cluster).await;
        ended = sale.goes_on(ended).await;
        cluster.postgres.freeze(Member::Standby);
        looks_well_without_its_standby(&fleet, &cluster).await;
        cluster.postgres.thaw(Member::Standby);
        ended = recovers(&sale, ended, "the standby is back").await;
        in_sync(&cluster).await;
        cluster.postgres.kill(Member::Primary).await;
        cluster.postgres.promote().await.unwrap();
        ended = recovers(&sale, ended, "the primary has died").await;
        // It comes back as it was. Nothing is acknowledged there, and nobody goes there.
        cluster.postgres.restart(Member::Primary).await.unwrap();
        ended = sale.goes_on(ended).await;
        sale.goes_on(ended).await;
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), dying);
    sale.adds_up(&bought).await;
    assert_eq!(pids, self::pids(&fleet), "no service was started again");
}

#[tokio::test]
async fn servers_stand_still_and_the_others_go_on() {
    let _turn = MANY_PROCESSES.lock().await;
    let cluster = Cluster::start().await;
    let fleet = fleet(&cluster).await;
    let pids = pids(&fleet);
    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let freezing = async {
        let mut ended = sale.goes_on(0).await;
        for broker in 0..BROKERS {
            in_sync(&cluster).await;
            assert!(cluster.kafka.leads(broker).await, "broker {broker} leads some partitions");
            ended = sale.goes_on(ended).await;
            let began = Instant::now();
            cluster.kafka.freeze(broker);
            ended = recovers(&sale, ended, &format!("broker {broker} stands still")).await;
            tokio::time::sleep_until(began + STILL).await;
            cluster.kafka.thaw(broker);
            ended = recovers(&sale, ended, &format!("broker {broker} goes on")).await;
        }
        in_sync(&cluster).await;
        ended = sale.goes_on(ended).await;
        // Its place is taken while it stands still; then it goes on as if nothing had happened.
        cluster.postgres.freeze(Member::Primary);
        cluster.postgres.promote().await.unwrap();
        ended = recovers(&sale, ended, "the primary stands still").await;
        cluster.postgres.thaw(Member::Primary);
        ended = sale.goes_on(ended).await;
        sale.goes_on(ended).await;
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), freezing);
    sale.adds_up(&bought).await;
    assert_eq!(pids, self::pids(&fleet), "no service was started again");
}

async fn fleet(cluster: &Cluster) -> Fleet {
    let environment = TestEnvironment::on_cluster(cluster).await;
    Fleet::of_instances_on(environment, 1, &[("KARCIS_RESEND_AFTER", "1s")]).await
}

fn pids(fleet: &Fleet) -> [i32; SERVICES.len()] {
    SERVICES.map(|service| fleet.processes().pid(service))
}

/// Every commit waits. Meanwhile services are ready and show what there is, as no other instance would do
/// better, and few sessions wait with them.
async fn looks_well_without_its_standby(fleet: &Fleet, cluster: &Cluster) {
    let url = cluster.postgres.url_of(Member::Primary);
    let primary = PgPool::connect(&url).await.unwrap();
    let waiting = async || -> i64 {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        sqlx::query_scalar(count).fetch_one(&primary).await.unwrap()
    };
    eventually(async || waiting().await > 0).within(TIMEOUT).is(true).await;
    let began = Instant::now();
    while began.elapsed() < STILL {
        for service in SERVICES {
            let ready = format!("{}/readyz", fleet.url(service));
            assert_eq!(reqwest::get(ready).await.unwrap().status(), 200, "{}", service.name);
        }
        let events = format!("{}/events", fleet.url(&EVENT));
        assert_eq!(reqwest::get(events).await.unwrap().status(), 200);
    }
    let (count, roles) = (waiting().await, SERVICES.len() as i64);
    assert!(count <= roles * (CONNECTIONS + 2), "{count} sessions wait");
}

/// Then another server may go.
async fn in_sync(cluster: &Cluster) {
    eventually(|| cluster.is_in_sync()).within(TIMEOUT).is(true).await;
}

/// As many bookings as there are buyers end in time, whatever has happened. Returns how many have ended.
async fn recovers(sale: &Sale<'_>, ended: i64, after: &str) -> i64 {
    let began = Instant::now();
    let ended = sale.goes_on(ended).await;
    let ended = sale.goes_on(ended).await;
    let took = began.elapsed();
    println!("{after}: bookings end after {took:?}");
    assert!(took < RECOVERED, "{after}: bookings ended only after {took:?}");
    ended
}
