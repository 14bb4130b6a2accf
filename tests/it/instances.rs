//! Two instances of each service: they share the work, one may die, and each may be restarted.

use karcis_fleet::{Fleet, Processes, Sale, TIMEOUT, Tolerance};
use karcis_schemas::{BOOKING, PAYMENT, SERVICES, Service, USER};
use karcis_testkit::{Answer, eventually};

use crate::MANY_PROCESSES;

/// What a service's consumer has handled.
const HANDLED: &str = "karcis_consumer_messages_total";
/// What a service's HTTP side has answered.
const ANSWERED: &str = "http_server_request_duration_seconds_count";

#[tokio::test]
async fn two_instances_share_the_work_and_the_death_of_one_loses_nothing() {
    let _turn = MANY_PROCESSES.lock().await;
    let fleet = Fleet::of_instances(2, &[("KARCIS_RESEND_AFTER", "1s")]).await;
    let sale = Sale::open(&fleet, Tolerance::Resets).await;
    let dying = async {
        let mut ended = 0;
        for _ in 0..4 {
            ended = sale.goes_on(ended).await;
        }
        for service in [&USER, &BOOKING, &PAYMENT] {
            for counter in [HANDLED, ANSWERED] {
                // The second may have joined the group later.
                eventually(async || {
                    let [one, other] = counted(&fleet, service, counter).await;
                    let fair = (one + other) / 5.0;
                    let shared = one.min(other) > fair.max(5.0);
                    if shared { Ok(()) } else { Err((service, counter, one, other)) }
                })
                .within(TIMEOUT)
                .await;
            }
        }
        // These two are started again, before the consumer group has noticed.
        fleet.instances()[0].kill(&PAYMENT);
        fleet.instances()[1].kill(&BOOKING);
        let ended = sale.goes_on(ended).await;
        // One instance of every service ends for good: the other takes over its work.
        fleet.instances()[1].kill_all();
        let ended = sale.goes_on(ended).await;
        sale.goes_on(ended).await;
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), dying);
    sale.adds_up(&bought).await;
}

#[tokio::test]
async fn every_service_is_restarted_in_turn_and_no_request_fails() {
    let _turn = MANY_PROCESSES.lock().await;
    let fleet = Fleet::of_instances(2, &[]).await;
    let sale = Sale::open(&fleet, Tolerance::Resets).await;
    let restarting = async {
        let mut ended = sale.goes_on(0).await;
        for service in SERVICES {
            for instance in fleet.instances() {
                let answered = sale.answered(service);
                restart(instance, service).await;
                let meanwhile = sale.answered(service) - answered;
                assert!(meanwhile > 2, "{} answered {meanwhile} requests meanwhile", service.name);
                ended = sale.goes_on(ended).await;
            }
        }
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), restarting);
    sale.adds_up(&bought).await;
    for service in SERVICES {
        for instance in fleet.instances() {
            assert_eq!(
                instance.ends(service),
                ["exit status: 0"],
                "{} stopped in order",
                service.name
            );
        }
    }
}

async fn counted(fleet: &Fleet, service: &'static Service, counter: &str) -> [f64; 2] {
    let [one, other] = fleet.instances() else { panic!("there are two") };
    [one.counted(service, counter).await, other.counted(service, counter).await]
}

/// Asks it to stop, and waits until it is gone and its successor is ready.
async fn restart(instance: &Processes, service: &'static Service) {
    let stopped = instance.terminate(service);
    eventually(async || instance.pid(service) != stopped).within(TIMEOUT).is(true).await;
    let ready = format!("{}/readyz", instance.urls()[service.name]);
    let client = reqwest::Client::new();
    eventually(async || {
        let answer =
            Answer::try_to(client.get(&ready)).await.map_err(|error| format!("{error:?}"))?;
        if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .within(TIMEOUT)
    .await;
}
