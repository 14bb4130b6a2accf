//! The services, each a process of this same program.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use nix::sys::signal::Signal;

use karcis_dev_servers::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    paths, ports,
};
use karcis_schemas::{SERVICES, Service, USER, role_url, simulated_gateway};
use karcis_services::Linked;

use super::{LaunchError, ServersAt, supervise::Runs, terminal::print, urls::Urls};
use crate::{
    options::Options,
    service_ports::{self, ServicePorts},
};

/// Time to fetch keys, on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// A service drains for 10 s at most.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// What is set where one program plays everybody, unless it is given.
const FOR_ONE_CLIENT: [(&str, &str); 2] =
    [("KARCIS_RATE_LIMITS", "off"), ("KARCIS_MAX_CONNECTIONS_PER_PEER", "4096")];
const MAIL_DIR: &str = "KARCIS_MAIL_DIR";

/// The configured ports, or free ones; fails, before anything is started, if one is taken.
pub(super) async fn choose_ports(options: &Options) -> Result<ServicePorts, LaunchError> {
    let free = ports::free::<{ SERVICES.len() }>()?;
    if options.ephemeral {
        return Ok(ServicePorts(SERVICES.into_iter().zip(free).collect()));
    }
    let mut chosen = options.ports.services.0.clone();
    for ((service, port), free) in chosen.iter_mut().zip(free) {
        if *port == 0 {
            *port = free;
        } else if !gets_free(*port).await {
            let (flag, variable) = service_ports::names(service);
            let service = service.full_name();
            return Err(LaunchError::PortTaken { port: *port, service, flag, variable });
        }
    }
    Ok(ServicePorts(chosen))
}

/// Whether the port is free, or becomes free within a second: the services of a killed predecessor
/// take a moment to end.
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
pub(super) struct Program {
    /// Such as `user-service`.
    pub name: &'static str,
    /// Where it logs to.
    pub log: PathBuf,
    executable: PathBuf,
    service: &'static Service,
    ready: String,
    environment: Vec<(OsString, OsString)>,
}

/// What every program may read of our environment, beside its settings.
const FOR_ALL: [&str; 13] = [
    "HOME",
    // Only programs of tests know it.
    "KARCIS_PLANTED_BUG",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LOG_FORMAT",
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
];

/// The settings that this service has, ours before those that we were given: no service is told what
/// opens another's data.
fn environment(
    linked: &Linked,
    urls: &Urls,
    options: &Options,
    servers: &ServersAt,
    data: &Path,
) -> Vec<(OsString, OsString)> {
    let command = (linked.command)();
    let has = |name: &OsStr| command.get_arguments().any(|it| it.get_env() == Some(name));
    let url = urls.of(linked.service).trim_start_matches("http://");
    let purpose = options.environment.to_possible_value().map(|it| it.get_name().to_owned());
    let ours = [
        ("KARCIS_ENVIRONMENT", purpose.unwrap_or_default()),
        ("KARCIS_LISTEN", url.to_owned()),
        ("DATABASE_URL", role_url(&servers.database_url, *linked.service.schema)),
        ("KAFKA_BOOTSTRAP_SERVERS", servers.kafka.kafka_bootstrap_servers.clone()),
        ("KARCIS_TOPIC_PREFIX", servers.kafka.topic_prefix.clone()),
        ("KARCIS_JWKS_URL", format!("{}/.well-known/jwks.json", urls.of(&USER))),
        ("KARCIS_ADMIN_EMAIL", options.admin.admin_email.clone()),
        ("KARCIS_ADMIN_PASSWORD", options.admin.admin_password.clone()),
    ];
    let limits = FOR_ONE_CLIENT
        .into_iter()
        .filter(|(name, _)| options.ephemeral && std::env::var_os(name).is_none());
    let limits = limits.map(|(name, value)| (name, value.to_owned()));
    let mail = ["KARCIS_SMTP_URL", "KARCIS_SMTP_URL_FILE", MAIL_DIR].map(std::env::var_os);
    let folder = data.join("mail").to_string_lossy().into_owned();
    let folder = mail.iter().all(Option::is_none).then_some((MAIL_DIR, folder));
    let ours = ours.into_iter().chain(limits).chain(folder);
    let gateway = std::env::var_os("KARCIS_GATEWAY").unwrap_or_else(|| "simulated".into());
    let simulated = simulated_gateway(&servers.database_url).into_iter();
    let ours = ours.chain(simulated.filter(|_| gateway == "simulated"));
    let ours: BTreeMap<OsString, OsString> = ours
        .chain(servers.kafka.security.variables())
        .map(|(name, value)| (name.into(), value.into()))
        .filter(|(name, _): &(OsString, OsString)| has(name))
        .collect();
    let given = std::env::vars_os().filter(|(name, _)| {
        let text = name.to_string_lossy();
        // Only one service could have this address.
        if text == "KARCIS_ADMIN_LISTEN" {
            return false;
        }
        // Of DATABASE_URL_FILE, which names a file, the variable that it stands for.
        let setting = OsStr::new(text.strip_suffix("_FILE").unwrap_or(&text)).to_owned();
        let is_general = FOR_ALL.contains(&&*text) || text.starts_with("OTEL_");
        is_general || (has(name) || has(&setting)) && !ours.contains_key(&setting)
    });
    given.chain(ours.clone()).collect()
}

impl Program {
    /// Those of all services.
    pub(crate) fn all(
        urls: &Urls,
        options: &Options,
        servers: &ServersAt,
        data: &Path,
    ) -> Result<Vec<Self>, LaunchError> {
        let logs = data.join("logs");
        paths::make_own(&logs)?;
        let executable = std::env::current_exe()?;
        let program = |linked: &'static Linked| {
            let (service, url) = (linked.service, urls.of(linked.service));
            let name = service.full_name();
            Self {
                name,
                log: logs.join(format!("{name}.log")),
                executable: executable.clone(),
                service,
                ready: format!("{url}/readyz"),
                environment: environment(linked, urls, options, servers, data),
            }
        };
        Ok(karcis_services::ALL.iter().map(program).collect())
    }

    /// Starts it with its own settings alone.
    pub(crate) fn start(&self) -> Result<Running, ServerError> {
        // Once this build has been replaced, only the kernel still knows its program.
        let kept =
            if self.executable.exists() { &self.executable } else { Path::new("/proc/self/exe") };
        let mut command = Command::new(kept);
        command.arg0(self.name).args(["service", self.service.name]);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        let log = LogFile::attach(&self.log, &mut command)?;
        let child = Child::spawn(command, StopSignals::KILL, Vec::new())?;
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
            answers = tokio::time::timeout(READY_TIMEOUT, answers) => answers.map_err(|_| {
                let waited = READY_TIMEOUT.as_secs();
                failed(format!("not ready in {waited} s: {last}; {}", running.log.last_lines()))
            }),
            status = running.child.exited() => {
                Err(failed(format!("it ended with {status}; {}", running.log.last_lines())))
            }
        }
    }
}

/// Starts all and waits until all can serve.
pub(super) async fn start_all(
    services: Vec<Program>,
) -> Result<Vec<(Program, Running)>, LaunchError> {
    let began = Instant::now();
    let mut started = Vec::with_capacity(services.len());
    for service in services {
        let running = service.start()?;
        started.push((service, running));
    }
    let all = started.iter().map(async |(service, running)| {
        service.ready(running).await?;
        print(format!("{:<15} ready after {:.1} s", service.name, began.elapsed().as_secs_f64()));
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
        self.child.stop(Signal::SIGTERM, STOP_TIMEOUT).await;
    }
}
