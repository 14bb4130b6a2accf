//! Strikes what the plan names, and sees that it was struck.

use std::{collections::BTreeMap, time::Duration};

use karcis_fleet::{Fleet, Processes, Violation};
use karcis_schemas::{SERVICES, Service};
use karcis_testkit::processes::Identity;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::{
    plan::{Blow, Fault, Target},
    seen::{Broken, Seen},
    servers::Servers,
};

/// `karcis` starts a killed service again after 5 s at most, and a busy machine takes a while.
const COMES_BACK: Duration = Duration::from_secs(120);

/// While somebody has it, no charge is written, and nobody waits that long for the answer.
const LOCK: &str = "LOCK TABLE simulated_gateway.charge IN ACCESS EXCLUSIVE MODE";

/// What is struck, and how often it was.
pub(crate) struct Striker<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) seen: &'a Seen,
    pub(crate) servers: Servers,
    pub(crate) struck: BTreeMap<String, u64>,
}

/// Everything that can be struck.
pub(crate) fn targets(servers: &Servers, instances: usize) -> Vec<Target> {
    let target = |blow, weight: u32, name: &str| Target { blow, name: name.to_owned(), weight };
    let mut targets = vec![target(Blow::LoseAnswers, 8, "provider")];
    for service in SERVICES {
        for instance in 0..instances {
            let name = format!("{}/{instance}", service.full_name());
            targets.extend([target(Blow::Kill, 7, &name), target(Blow::Freeze, 2, &name)]);
        }
    }
    for name in Servers::names() {
        targets.extend([target(Blow::Kill, 6, name), target(Blow::Freeze, 3, name)]);
    }
    targets.extend(servers.ways().map(|way| target(Blow::Cut, 8, way)));
    targets
}

impl Striker<'_> {
    /// Strikes; returns when the fault has ended.
    pub(crate) async fn strikes(&mut self, fault: &Fault) -> Result<(), Broken> {
        let is_server = Servers::names().contains(&fault.target.as_str());
        match fault.blow {
            Blow::Kill if is_server => {
                self.servers.kill(&fault.target).await;
                sleep(fault.lasts).await;
                self.servers.start_again(&fault.target).await;
            }
            Blow::Freeze if is_server => {
                self.servers.freeze(&fault.target);
                sleep(fault.lasts).await;
                self.servers.thaw(&fault.target);
            }
            Blow::Kill => {
                let process = self.process(&fault.target).await?;
                signal(process, Signal::SIGKILL);
                while process.is_alive() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            Blow::Freeze => {
                let process = self.process(&fault.target).await?;
                signal(process, Signal::SIGSTOP);
                sleep(fault.lasts).await;
                signal(process, Signal::SIGCONT);
            }
            Blow::Cut => self.servers.cut(&fault.target),
            Blow::LoseAnswers => {
                if self.loses_answers(fault.lasts).await.is_err() {
                    return Ok(());
                }
            }
        }
        let (target, _) = fault.target.split_once('/').unwrap_or((&fault.target, ""));
        *self.struck.entry(format!("{:?} {target}", fault.blow)).or_default() += 1;
        self.seen.fault_ended(format!("{:?} {}", fault.blow, fault.target));
        Ok(())
    }

    /// Lets everything go on that a broken rule has interrupted.
    pub(crate) async fn is_over(&mut self) {
        self.servers.run_again().await;
        for processes in self.fleet.instances() {
            for service in SERVICES {
                if let Some(process) = Identity::of(processes.pid(service).cast_unsigned()) {
                    signal(process, Signal::SIGCONT);
                }
            }
        }
    }

    /// The process that runs this service of this instance now, once one does.
    async fn process(&self, target: &str) -> Result<Identity, Broken> {
        let (service, instance) = target.split_once('/').expect("a service has an instance");
        let service = SERVICES.into_iter().find(|it| it.full_name() == service);
        let instance: usize = instance.parse().expect("an instance has a number");
        let (service, processes) =
            (service.expect("it is a service"), &self.fleet.instances()[instance]);
        runs(self.seen, processes, service).await
    }

    async fn loses_answers(&self, time: Duration) -> Result<(), sqlx::Error> {
        let mut superuser = PgConnection::connect(self.fleet.environment().database_url()).await?;
        let mut transaction = superuser.begin().await?;
        sqlx::query(LOCK).execute(&mut *transaction).await?;
        sleep(time).await;
        transaction.rollback().await
    }
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

fn signal(process: Identity, signal: Signal) {
    // It may just have ended by itself.
    let _ = kill(Pid::from_raw(process.pid.cast_signed()), signal);
}
