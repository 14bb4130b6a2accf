//! The services as processes that `karcis` starts, to be killed.

use std::{
    fs::File,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use karcis_dev_servers::child::{Child, StopSignals};
use karcis_schemas::{SERVICES, Service};
use karcis_testkit::{TestEnvironment, eventually};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::Urls;

/// Time to start or stop everything on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Also if this process is killed.
const STOP: StopSignals = StopSignals { orphaned: Some(Signal::SIGTERM), dropped: Signal::SIGINT };

/// The file with what `karcis` prints.
const OUTPUT: &str = "output";

/// `karcis`, with what it prints of its services. It starts again what ends.
pub struct Processes {
    launcher: Child,
    folder: tempfile::TempDir,
    urls: Urls,
}

impl Processes {
    /// Starts this `karcis` on the environment's servers, as the instance of this name and with these
    /// variables on top, and waits until all is ready.
    pub(crate) async fn start(
        karcis: &Path,
        environment: &TestEnvironment,
        instance: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let output = File::create(folder.path().join(OUTPUT)).expect("a file can be made");
        let mut command = Command::new(karcis);
        command
            .arg("--ephemeral")
            .arg("--state-file")
            .arg(folder.path().join("stack.json"))
            .envs(environment.variables())
            .env("TMPDIR", folder.path())
            .env("KARCIS_INSTANCE", instance)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(output);
        let launcher = Child::spawn(command, STOP, vec![]).expect("karcis starts");
        let mut processes = Self { launcher, folder, urls: Urls::new() };
        let state = processes.ready().await;
        let urls = SERVICES.map(|service| {
            let url = state["services"][service.name].as_str();
            (service.name, url.expect("each service has an address").to_owned())
        });
        processes.urls = urls.into();
        processes
    }

    /// Where its services serve.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The process that runs this service now.
    pub fn pid(&self, service: &Service) -> i32 {
        let state = self.state().expect("the state file is there while karcis runs");
        let pid = state["pids"][service.full_name()].as_i64();
        pid.and_then(|pid| pid.try_into().ok()).expect("each service has a pid")
    }

    /// Kills this service as it stands; `karcis` starts it again. Returns its pid.
    pub fn kill(&self, service: &Service) -> i32 {
        self.signal(service, Signal::SIGKILL)
    }

    /// Asks this service to stop; `karcis` starts it again once it has. Returns its pid.
    pub fn terminate(&self, service: &Service) -> i32 {
        self.signal(service, Signal::SIGTERM)
    }

    /// Has this service die at this place in its code, which `karcis_process::crash_point` names, and waits
    /// until it has died there, and another runs in its place.
    pub async fn crashes_at(&self, service: &Service, place: &str) {
        let pid = self.pid(service);
        let wanted = self.folder.path().join(format!("{pid}.{place}"));
        File::create(&wanted).expect("a file can be made");
        let died = wanted.with_file_name(format!("{pid}.{place}.died"));
        eventually(async || died.exists()).is(true).await;
        eventually(async || self.pid(service) != pid).is(true).await;
        let end = self.ends(service).pop().unwrap_or_default();
        assert!(end.starts_with("signal: 6"), "{} ended otherwise: {end}", service.name);
    }

    /// Freezes this service: it does nothing, and nobody notices but by its silence. Returns its pid.
    pub async fn freeze(&self, service: &Service) -> i32 {
        let pid = self.signal(service, Signal::SIGSTOP);
        let is_stopped = async || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat.contains(") T "),
            // Only Linux shows it.
            Err(_) => true,
        };
        eventually(is_stopped).is(true).await;
        pid
    }

    /// Lets a frozen service go on. Returns its pid.
    pub fn thaw(&self, service: &Service) -> i32 {
        self.signal(service, Signal::SIGCONT)
    }

    fn signal(&self, service: &Service, signal: Signal) -> i32 {
        let pid = self.pid(service);
        kill(Pid::from_raw(pid), signal).expect("it runs");
        pid
    }

    /// Kills `karcis`, and the kernel kills its services: nothing of it comes back.
    pub fn kill_all(&self) {
        self.launcher.signal(Signal::SIGKILL);
    }

    /// How this service has ended until now, each time, such as `exit status: 0`.
    pub fn ends(&self, service: &Service) -> Vec<String> {
        let said = std::fs::read_to_string(self.folder.path().join(OUTPUT));
        let said = said.expect("what karcis says can be read");
        let ended = format!("{} ended (", service.full_name());
        let ends = said.lines().filter_map(|line| line.split_once(&ended)?.1.split_once("); "));
        ends.map(|(how, _)| how.to_owned()).collect()
    }

    /// The number that this service's /metrics give for this counter, over all its labels.
    pub async fn counted(&self, service: &Service, counter: &str) -> f64 {
        let metrics = reqwest::get(format!("{}/metrics", self.urls[service.name])).await;
        let metrics = metrics.expect("the service answers").text().await.expect("it is text");
        let samples = metrics.lines().filter_map(|line| {
            let rest = line.strip_prefix(counter)?;
            let value = rest.starts_with([' ', '{']).then(|| rest.rsplit_once(' '))??.1;
            value.parse::<f64>().ok()
        });
        samples.sum()
    }

    /// What this service has logged: `karcis` has it write to a file.
    pub fn log(&self, service: &Service) -> String {
        let log = std::fs::read(format!("/proc/{}/fd/2", self.pid(service)));
        String::from_utf8_lossy(&log.expect("the log can be read")).into_owned()
    }

    async fn ready(&self) -> Value {
        let path = self.folder.path().join("stack.json");
        eventually(async || {
            let ended = self.launcher.exit();
            assert!(ended.is_none(), "karcis did not start: {ended:?}");
            read(&path)
        })
        .within(TIMEOUT)
        .await
    }

    fn state(&self) -> Result<Value, String> {
        read(&self.folder.path().join("stack.json"))
    }
}

/// Waits for `checks`, then stops every `karcis` that was not killed, in order.
pub(crate) fn end(instances: Vec<Processes>, checks: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        checks.await;
        for instance in instances {
            instance.launcher.signal(STOP.dropped);
            let status = instance.launcher.exited().await;
            let killed = status.signal() == Some(Signal::SIGKILL as i32);
            assert!(status.success() || killed, "karcis did not stop in order: {status}");
        }
    });
}

fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// The program of this name of this source, such as `karcis`, built now if it is not up to date; as
/// optimised as we are.
pub fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bins"])
            .args(["--message-format", "json"])
            // With a test, whichever, dependencies have the features that the tests compiled: else sqlx and
            // all that is above are compiled a second time.
            .args(if cfg!(debug_assertions) {
                ["--test", "memory"].as_slice()
            } else {
                &["--release"]
            })
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "the programs cannot be built");
        let messages = String::from_utf8_lossy(&built.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect()
    });
    let found = programs.iter().find(|program| program.file_name().is_some_and(|it| it == name));
    found.unwrap_or_else(|| panic!("there is no program {name}"))
}
