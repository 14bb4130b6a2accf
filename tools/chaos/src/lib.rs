//! Chaos: a whole fleet with two instances of each service, real Postgres and Kafka, alone or in a cluster,
//! people who buy, and faults that a seed draws; at the end the books have to add up.

// As tools/fleet: what cannot be set up is said by a panic.
mod buyers;
mod client;
mod load;
mod organisers;
mod plan;
mod repairs;
mod report;
mod rest;
mod seen;
mod servers;
mod striker;
mod world;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use karcis_fleet::{Fleet, When, story, violations};
use karcis_schemas::SERVICES;
use tokio::time::{Instant, sleep};

pub use plan::{Act, ActKind, Again, Blow, Cancel, Errand, Fault, Plan, Target};
pub use report::{Broken, Recovery, Report};

use servers::Servers;
use world::World;

/// Of each service.
const INSTANCES: usize = 2;
/// How often what holds after every commit is checked, and the progress is told.
const LOOK: Duration = Duration::from_secs(10);

/// What a payment waits for, so that a run sees the end of it.
const SETTINGS: [(&str, &str); 3] = [
    ("KARCIS_PAYMENT_WINDOW", "30s"),
    ("KARCIS_RESEND_AFTER", "1s"),
    // Less than `LoseAnswers` lasts.
    ("KARCIS_PROVIDER_TIMEOUT_MS", "2000"),
];

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    /// For how long faults strike.
    pub time: Duration,
    /// The program `karcis`.
    pub karcis: PathBuf,
    /// Three brokers, and a Postgres with a standby, in place of one of each.
    pub cluster: bool,
    /// Only targets with one of these in their names are struck; none: all are.
    pub only: Vec<String>,
    /// Where the services' logs are kept if a rule is broken.
    pub logs: Option<PathBuf>,
}

/// Runs chaos; `tell` is told how it goes.
///
/// # Panics
/// The fleet cannot be started, or a server cannot be started again.
pub async fn run(options: &Options, tell: impl Fn(&str)) -> Report {
    let (mut servers, environment) = Servers::start(INSTANCES, options.cluster).await;
    let urls: Vec<String> =
        (0..INSTANCES).map(|instance| servers.database_url(instance, &environment)).collect();
    let variables: Vec<Vec<(&str, &str)>> = urls
        .iter()
        .map(|url| SETTINGS.into_iter().chain([("DATABASE_URL", url.as_str())]).collect())
        .collect();
    let mut fleet = Fleet::of_each(&options.karcis, environment, &variables).await;
    fleet.unchecked();
    let world = World::open(&fleet).await;
    tell("everything runs, and people come");

    let of = |mut targets: Vec<Target>| {
        targets.retain(|target| {
            options.only.is_empty() || options.only.iter().any(|only| target.name.contains(only))
        });
        Plan::new(options.seed, targets)
    };
    let (services, ground) = (of(striker::services(INSTANCES)), of(striker::ground(&servers)));
    let seen = &world.seen;
    let until = Instant::now() + options.time;
    let run = async {
        let strike_services = strikes(services.faults(0), until, async |fault| {
            striker::strikes_service(&fleet, seen, &fault).await
        });
        let strike_ground = strikes(ground.faults(1), until, async |fault| {
            striker::strikes_ground(&fleet, seen, &mut servers, &fault).await
        });
        // Both at once: a service may be killed while Postgres stands still.
        tokio::join!(
            strike_services,
            strike_ground,
            load::sells(&world, &services, until),
            load::is_organised(&world, &services, until)
        );
        tell("faults are over, and people have left");
        if striker::all_are_back(&fleet, seen).await.is_ok() {
            // What is broken is noted.
            let _ = rest::checks(&world).await;
        }
    };
    tokio::select! {
        () = run => {}
        () = seen.is_broken() => {}
        never = looks(&world, &tell) => match never {}
    }
    report(options, &world, &mut servers).await
}

/// One fault after another, until this time or until a rule is broken.
async fn strikes(
    faults: impl Iterator<Item = Fault>,
    until: Instant,
    mut strike: impl AsyncFnMut(Fault) -> Result<(), seen::Broken>,
) {
    for fault in faults {
        if Instant::now() + fault.pause > until {
            return;
        }
        sleep(fault.pause).await;
        if strike(fault).await.is_err() {
            return;
        }
    }
}

/// Looks at what holds after every commit.
async fn looks(world: &World<'_>, tell: &impl Fn(&str)) -> std::convert::Infallible {
    let mut told = 0;
    loop {
        sleep(LOOK).await;
        let superuser = world.fleet.environment().superuser();
        // While Postgres is away there is nothing to see.
        let found = tokio::time::timeout(LOOK, violations(superuser, When::Always)).await;
        if let Ok(Ok(found)) = found {
            for violation in found {
                world.seen.broke(violation);
            }
        }
        let (bookings, faults) = (world.seen.promises().len(), world.seen.recoveries());
        let latest: Vec<&str> = faults[told..].iter().map(|(what, _)| what.as_str()).collect();
        told = faults.len();
        tell(&format!("{told} faults, {bookings} bookings; {}", latest.join(", ")));
    }
}

async fn report(options: &Options, world: &World<'_>, servers: &mut Servers) -> Report {
    striker::is_over(world.fleet, servers).await;
    let environment = world.fleet.environment();
    let broken = match world.seen.broken() {
        None => None,
        Some(violation) => {
            if let Some(folder) = &options.logs {
                keep_logs(world.fleet, folder).expect("the logs can be kept");
            }
            let story = match violation.booking {
                Some(booking) => story(environment.superuser(), booking).await,
                None => Ok(vec![]),
            };
            let story = story.unwrap_or_else(|error| vec![error.to_string()]);
            Some(Broken::new(violation, story))
        }
    };
    Report {
        seed: options.seed,
        seconds: options.time.as_secs(),
        faults: world.seen.faults(),
        silenced_connections: servers.swallowed(),
        bookings: rest::ends(environment.superuser()).await.expect("bookings can be read"),
        repairs: repairs::repairs(environment).await,
        retries: world.seen.retries(),
        recovery: Recovery::of(world.seen.recoveries()),
        broken,
    }
}

fn keep_logs(fleet: &Fleet, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, instance) in fleet.instances().iter().enumerate() {
        for service in SERVICES {
            let name = format!("{}-{number}.log", service.full_name());
            std::fs::write(folder.join(name), instance.log(service))?;
        }
    }
    Ok(())
}
