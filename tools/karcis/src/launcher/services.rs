//! The services and the web app, each a process of this same program.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use clap::{CommandFactory, ValueEnum};
use nix::sys::signal::Signal;

use karcis_dev_servers::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    paths,
};
use karcis_schemas::{SERVICES, Service, USER, role_url, simulated_gateway};
use karcis_services::Linked;

use super::{LaunchError, ServersAt, supervise::Runs, terminal::print, urls::Urls};
use crate::options::Options;

/// Time to fetch keys, on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// A service drains for 10 s at most.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// What is set where one program plays everybody, unless it is given.
const FOR_ONE_CLIENT: [(&str, &str); 2] =
    [("KARCIS_RATE_LIMITS", "off"), ("KARCIS_MAX_CONNECTIONS_PER_PEER", "4096")];
const MAIL_DIR: &str = "KARCIS_MAIL_DIR";

/// How to start one of them.
pub(super) struct Program {
    /// Such as `user-service`.
    pub name: &'static str,
    /// Where it logs to.
    pub log: PathBuf,
    executable: PathBuf,
    arguments: Vec<&'static str>,
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

/// The settings that we give a service.
fn of_service(
    service: &Service,
    urls: &Urls,
    options: &Options,
    servers: &ServersAt,
    data: &Path,
) -> Vec<(&'static str, String)> {
    let url = urls.of(service).trim_start_matches("http://");
    let purpose = options.environment.to_possible_value().map(|it| it.get_name().to_owned());
    let ours = [
        ("KARCIS_ENVIRONMENT", purpose.unwrap_or_default()),
        ("KARCIS_LISTEN", url.to_owned()),
        ("DATABASE_URL", role_url(&servers.database_url, *service.schema)),
        ("KAFKA_BOOTSTRAP_SERVERS", servers.kafka.kafka_bootstrap_servers.clone()),
        ("KARCIS_TOPIC_PREFIX", servers.kafka.topic_prefix.clone()),
        ("KARCIS_JWKS_URL", format!("{}/.well-known/jwks.json", urls.of(&USER))),
        ("KARCIS_ADMIN_EMAIL", options.admin.admin_email.clone()),
        ("KARCIS_ADMIN_PASSWORD", options.admin.admin_password.clone()),
        ("KARCIS_TRUSTED_PROXIES", trusted_proxies()),
    ];
    let mail = ["KARCIS_SMTP_URL", "KARCIS_SMTP_URL_FILE", MAIL_DIR].map(std::env::var_os);
    let folder = data.join("mail").to_string_lossy().into_owned();
    let folder = mail.iter().all(Option::is_none).then_some((MAIL_DIR, folder));
    let ours = ours.into_iter().chain(folder);
    let gateway = std::env::var_os("KARCIS_GATEWAY").unwrap_or_else(|| "simulated".into());
    let simulated = simulated_gateway(&servers.database_url).into_iter();
    let ours = ours.chain(simulated.filter(|_| gateway == "simulated"));
    ours.chain(servers.kafka.security.variables()).collect()
}

/// The web app's gateway, which has this machine's address, beside those that we were given.
fn trusted_proxies() -> String {
    let given = std::env::var("KARCIS_TRUSTED_PROXIES").unwrap_or_default();
    format!("127.0.0.1,{given}")
}

/// The settings that we give the web app.
fn of_web(urls: &Urls) -> Vec<(String, String)> {
    let services = SERVICES.map(|service| {
        (format!("KARCIS_{}_URL", service.name.to_uppercase()), urls.of(service).to_owned())
    });
    let listen = urls.web.trim_start_matches("http://").to_owned();
    [("KARCIS_WEB_LISTEN".to_owned(), listen)].into_iter().chain(services).collect()
}

/// Of these settings and those that we were given, what this command has, ours first: no service is told
/// what opens another's data.
fn environment<N: Into<OsString>>(
    command: &clap::Command,
    options: &Options,
    ours: Vec<(N, String)>,
) -> Vec<(OsString, OsString)> {
    let has = |name: &OsStr| command.get_arguments().any(|it| it.get_env() == Some(name));
    let limits = FOR_ONE_CLIENT
        .into_iter()
        .filter(|(name, _)| options.ephemeral && std::env::var_os(name).is_none());
    let limits = limits.map(|(name, value)| (name.into(), value.into()));
    let ours = ours.into_iter().map(|(name, value)| (name.into(), value.into())).chain(limits);
    let ours: BTreeMap<OsString, OsString> = ours.filter(|(name, _)| has(name)).collect();
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
    /// Those of all services, and the web app's.
    pub(crate) fn all(
        urls: &Urls,
        options: &Options,
        servers: &ServersAt,
        data: &Path,
    ) -> Result<Vec<Self>, LaunchError> {
        let logs = data.join("logs");
        paths::make_own(&logs)?;
        let executable = std::env::current_exe()?;
        let program = |name, url: &str, arguments, environment| Self {
            name,
            log: logs.join(format!("{name}.log")),
            executable: executable.clone(),
            arguments,
            ready: format!("{url}/readyz"),
            environment,
        };
        let service = |linked: &'static Linked| {
            let service = linked.service;
            let ours = of_service(service, urls, options, servers, data);
            let environment = environment(&(linked.command)(), options, ours);
            let arguments = vec!["service", service.name];
            program(service.full_name(), urls.of(service), arguments, environment)
        };
        let web = environment(&karcis_web::Config::command(), options, of_web(urls));
        let web = program("web", &urls.web, vec!["web"], web);
        Ok(karcis_services::ALL.iter().map(service).chain([web]).collect())
    }

    /// Starts it with its own settings alone.
    pub(crate) fn start(&self) -> Result<Running, ServerError> {
        // Once this build has been replaced, only the kernel still knows its program.
        let kept =
            if self.executable.exists() { &self.executable } else { Path::new("/proc/self/exe") };
        let mut command = Command::new(kept);
        command.arg0(self.name).args(&self.arguments);
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

/// The process of a service or of the web app.
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
