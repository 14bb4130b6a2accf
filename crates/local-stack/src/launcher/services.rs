//! The four services, each a process of this same program.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{LaunchError, supervise::Runs, terminal::say};
use crate::{
    StackError,
    child::{Child, Farewell},
    cli::Options,
    log_file::LogFile,
    ports,
};
use karcis_schemas::{BOOKINGS, EVENTS, PAYMENTS, SIMULATED_GATEWAY, Schema, USERS};

/// Time to migrate and to fetch keys, on a busy machine.
const READY_PATIENCE: Duration = Duration::from_secs(90);

/// A service drains for 10 s at most.
const STOP_PATIENCE: Duration = Duration::from_secs(12);

/// The ports the services listen on.
pub(super) struct ServicePorts([u16; 4]);

/// The services' short names, in the order of their ports, with their schemas.
const SERVICES: [(&str, &str, Schema); 4] = [
    ("user", "user-service", USERS),
    ("event", "event-service", EVENTS),
    ("booking", "booking-service", BOOKINGS),
    ("payment", "payment-service", PAYMENTS),
];

impl ServicePorts {
    /// Each service's short name and address.
    pub fn urls(&self) -> [(&'static str, String); 4] {
        std::array::from_fn(|i| (SERVICES[i].0, self.url(i)))
    }

    /// user-service's address.
    pub fn user_url(&self) -> String {
        self.url(0)
    }

    /// event-service's address.
    pub fn event_url(&self) -> String {
        self.url(1)
    }

    fn url(&self, service: usize) -> String {
        format!("http://127.0.0.1:{}", self.0[service])
    }
}

/// The configured ports, or free ones; fails, before anything is started, if one is taken.
pub(super) async fn choose_ports(options: &Options) -> Result<ServicePorts, LaunchError> {
    let free = ports::free()?;
    if options.ephemeral {
        return Ok(ServicePorts(free));
    }
    let flags = &options.ports;
    let mut chosen = [flags.user_port, flags.event_port, flags.booking_port, flags.payment_port];
    for (i, port) in chosen.iter_mut().enumerate() {
        let (short, service, _) = SERVICES[i];
        if *port == 0 {
            *port = free[i];
        } else if !gets_free(*port).await {
            let flag = format!("{short}-port");
            let variable = format!("KARCIS_{}_PORT", short.to_uppercase());
            return Err(LaunchError::PortTaken { port: *port, service, flag, variable });
        }
    }
    Ok(ServicePorts(chosen))
}

/// Whether nobody listens there, or stops to within a second: the services of a killed predecessor
/// take a moment to die.
async fn gets_free(port: u16) -> bool {
    for _ in 0..20 {
        if ports::is_free(port) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// How to start one service.
pub(super) struct Service {
    /// Such as `user-service`.
    pub name: &'static str,
    /// Where it logs to.
    pub log: PathBuf,
    program: PathBuf,
    short_name: &'static str,
    ready: String,
    environment: Vec<(&'static str, OsString)>,
}

impl Service {
    /// All four.
    pub fn all(
        ports: &ServicePorts,
        options: &Options,
        database_url: &str,
        kafka_bootstrap_servers: &str,
        data: &Path,
    ) -> Result<Vec<Self>, LaunchError> {
        let logs = data.join("logs");
        std::fs::create_dir_all(&logs)?;
        let program = std::env::current_exe()?;
        let service = |(i, (short_name, name, schema)): (usize, (_, &'static str, _))| {
            let settings = [
                ("KARCIS_LISTEN", format!("127.0.0.1:{}", ports.0[i])),
                ("DATABASE_URL", karcis_schemas::role_url(database_url, schema)),
                ("KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap_servers.to_owned()),
                ("KARCIS_TOPIC_PREFIX", options.topic_prefix.clone()),
                ("KARCIS_JWKS_URL", format!("{}/.well-known/jwks.json", ports.user_url())),
                ("KARCIS_GATEWAY", "simulated".to_owned()),
                (
                    "KARCIS_GATEWAY_DATABASE_URL",
                    karcis_schemas::role_url(database_url, SIMULATED_GATEWAY),
                ),
                ("KARCIS_ADMIN_EMAIL", options.admin.admin_email.clone()),
                ("KARCIS_ADMIN_PASSWORD", options.admin.admin_password.clone()),
            ];
            Self {
                name,
                log: logs.join(format!("{name}.log")),
                program: program.clone(),
                short_name,
                ready: format!("{}/readyz", ports.url(i)),
                environment: settings.map(|(name, value)| (name, value.into())).into(),
            }
        };
        Ok(SERVICES.into_iter().enumerate().map(service).collect())
    }

    /// Starts it; the rest of its settings is inherited from our environment.
    pub fn start(&self) -> Result<Running, StackError> {
        // Once this build has been replaced, only the kernel still knows its program.
        let kept = if self.program.exists() { &self.program } else { Path::new("/proc/self/exe") };
        let mut command = Command::new(kept);
        command.arg0(self.name).args(["service", self.short_name]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let log = LogFile::attach(&self.log, &mut command)?;
        let child = Child::spawn(command, Farewell::KILL, Vec::new())?;
        Ok(Running { child, log })
    }

    /// Waits until it can serve.
    async fn ready(&self, running: &Running) -> Result<(), LaunchError> {
        let failed = |reason| LaunchError::Service { service: self.name, reason };
        let mut last = String::from("it does not listen");
        let answers = async {
            loop {
                match reqwest::get(&self.ready).await {
                    Ok(answer) if answer.status().is_success() => return,
                    Ok(answer) => last = answer.text().await.unwrap_or_default(),
                    Err(_) => {}
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            answers = tokio::time::timeout(READY_PATIENCE, answers) => answers.map_err(|_| {
                let waited = READY_PATIENCE.as_secs();
                failed(format!("not ready in {waited} s: {last}; {}", running.log.last_words()))
            }),
            status = running.child.exited() => {
                Err(failed(format!("it ended with {status}; {}", running.log.last_words())))
            }
        }
    }
}

/// Starts all and waits until all can serve.
pub(super) async fn start_all(
    services: Vec<Service>,
) -> Result<Vec<(Service, Running)>, LaunchError> {
    let began = Instant::now();
    let mut started = Vec::with_capacity(services.len());
    for service in services {
        let running = service.start()?;
        started.push((service, running));
    }
    let all = started.iter().map(async |(service, running)| {
        service.ready(running).await?;
        say(format!("{:<15} ready after {:.1} s", service.name, began.elapsed().as_secs_f64()));
        Ok(())
    });
    futures_util::future::try_join_all(all).await.map_err(|error: LaunchError| error)?;
    Ok(started)
}

/// A service's process.
pub(super) struct Running {
    child: Child,
    log: LogFile,
}

impl Runs for Running {
    fn pid(&self) -> u32 {
        self.child.pid()
    }

    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        self.child.exited()
    }

    async fn stop(self) {
        self.child.stop(Signal::SIGTERM, STOP_PATIENCE).await;
    }
}
