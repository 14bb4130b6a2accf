//! Strikes what the plan names, and sees that it was struck.

use std::time::Duration;

use karcis_fleet::{Fleet, Processes, Violation};
use karcis_schemas::{SERVICES, Service};
use karcis_testkit::{eventually, processes::Identity};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use crate::{
    plan::{Blow, Fault, Target},
    seen::{Broken, Seen},
    servers::{PRIMARY, Servers},
};

/// `karcis` starts a killed service again after 5 s at most, and a busy machine takes a while.
const COMES_BACK: Duration = Duration::from_secs(120);

/// For so long one whose place was taken goes on before it is gone: nothing may be believed that it says.
const IS_TEMPTING: Duration = Duration::from_secs(5);

/// While somebody has it, no charge is written, and nobody waits that long for the answer.
const LOCK: &str = "LOCK TABLE simulated_gateway.charge IN ACCESS EXCLUSIVE MODE";

/// The services that can be struck.
pub(crate) fn services(instances: usize) -> Vec<Target> {
    let mut targets = Vec::new();
    for service in SERVICES {
        for instance in 0..instances {
            let name = format!("{}/{instance}", service.full_name());
            targets.extend([target(Blow::Kill, 3, &name), target(Blow::Freeze, 1, &name)]);
        }
    }
    targets
}

/// What else can be struck: what services stand on.
pub(crate) fn ground(servers: &Servers) -> Vec<Target> {
    let mut targets = vec![target(Blow::LoseAnswers, 4, "provider")];
    for name in servers.stack.names() {
        targets.extend([target(Blow::Kill, 3, name), target(Blow::Freeze, 1, name)]);
        if *name == PRIMARY {
            targets.extend([target(Blow::KillForGood, 6, name), target(Blow::Replace, 6, name)]);
        }
    }
    targets.extend(servers.ways().map(|way| target(Blow::Cut, 4, way)));
    targets
}

fn target(blow: Blow, weight: u32, name: &str) -> Target {
    Target { blow, name: name.to_owned(), weight }
}

/// Strikes a service; returns when the fault has ended.
pub(crate) async fn strikes_service(
    fleet: &Fleet,
    seen: &Seen,
    fault: &Fault,
) -> Result<(), Broken> {
    let process = process(fleet, seen, &fault.target).await?;
    let was_there = if fault.blow == Blow::Freeze {
        let was_there = signal(process, Signal::SIGSTOP);
        sleep(fault.lasts).await;
        was_there && signal(process, Signal::SIGCONT)
    } else {
        let was_there = signal(process, Signal::SIGKILL);
        while process.is_alive() {
            sleep(Duration::from_millis(5)).await;
        }
        was_there
    };
    if was_there {
        // The other instance goes on.
        seen.struck(fault, Instant::now());
    }
    Ok(())
}

/// Strikes what services stand on; returns when the fault has ended.
pub(crate) async fn strikes_ground(
    fleet: &Fleet,
    seen: &Seen,
    servers: &mut Servers,
    fault: &Fault,
) -> Result<(), Broken> {
    eventually(|| servers.stack.is_in_sync()).within(COMES_BACK).is(true).await;
    let began = Instant::now();
    match fault.blow {
        Blow::Kill => {
            servers.stack.kill(&fault.target).await;
            sleep(fault.lasts).await;
            servers.stack.start_again(&fault.target).await;
        }
        Blow::Freeze => {
            servers.stack.freeze(&fault.target);
            sleep(fault.lasts).await;
            servers.stack.thaw(&fault.target);
        }
        Blow::KillForGood => {
            servers.stack.kill(&fault.target).await;
            sleep(fault.lasts).await;
            servers.stack.promote().await;
            seen.struck(fault, began);
            servers.stack.rebuild().await;
            return Ok(());
        }
        Blow::Replace => {
            servers.stack.freeze(&fault.target);
            servers.stack.promote().await;
            seen.struck(fault, began);
            sleep(fault.lasts).await;
            servers.stack.thaw(&fault.target);
            sleep(IS_TEMPTING).await;
            servers.stack.rebuild().await;
            return Ok(());
        }
        Blow::Cut => {
            if servers.cut(&fault.target) == 0 {
                return Ok(());
            }
        }
        Blow::LoseAnswers => {
            if loses_answers(fleet, fault.lasts).await.is_err() {
                return Ok(());
            }
        }
    }
    seen.struck(fault, began);
    Ok(())
}

/// Lets everything go on that a broken rule has interrupted.
pub(crate) async fn is_over(fleet: &Fleet, servers: &mut Servers) {
    servers.run_again().await;
    for processes in fleet.instances() {
        for service in SERVICES {
            if let Some(process) = Identity::of(processes.pid(service).cast_unsigned()) {
                signal(process, Signal::SIGCONT);
            }
        }
    }
}

/// The process that runs this service of this instance now, once one does.
async fn process(fleet: &Fleet, seen: &Seen, target: &str) -> Result<Identity, Broken> {
    let (service, instance) = target.split_once('/').expect("a service has an instance");
    let service = SERVICES.into_iter().find(|it| it.full_name() == service);
    let instance: usize = instance.parse().expect("an instance has a number");
    runs(seen, &fleet.instances()[instance], service.expect("it is a service")).await
}

async fn loses_answers(fleet: &Fleet, time: Duration) -> Result<(), sqlx::Error> {
    let mut transaction = fleet.environment().superuser().begin().await?;
    sqlx::query(LOCK).execute(&mut *transaction).await?;
    sleep(time).await;
    transaction.rollback().await
}

/// Waits until all services run and can serve.
pub(crate) async fn all_are_back(fleet: &Fleet, seen: &Seen) -> Result<(), Broken> {
    for processes in fleet.instances() {
        for service in SERVICES {
            runs(seen, processes, service).await?;
            let ready = format!("{}/readyz", processes.urls()[service.name]);
            let began = Instant::now();
            while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200) {
                if began.elapsed() > COMES_BACK {
                    let what = format!("{} does not get ready", service.full_name());
                    return Err(seen.broke(Violation::new(12, None, what)));
                }
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
    Ok(())
}

async fn runs(seen: &Seen, processes: &Processes, service: &Service) -> Result<Identity, Broken> {
    let began = Instant::now();
    loop {
        if let Some(process) = Identity::of(processes.pid(service).cast_unsigned()) {
            return Ok(process);
        }
        if began.elapsed() > COMES_BACK {
            let what = format!("{} does not come back", service.full_name());
            return Err(seen.broke(Violation::new(12, None, what)));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Whether it was still there to be told.
fn signal(process: Identity, signal: Signal) -> bool {
    kill(Pid::from_raw(process.pid.cast_signed()), signal).is_ok()
}
