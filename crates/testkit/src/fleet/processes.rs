//! The services as processes that `karcis` starts, to be killed.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::{Service, Urls};
use crate::{Bed, eventually};

/// Time to start or stop everything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// `karcis`, with what it says of its services.
pub struct Processes {
    launcher: Child,
    folder: tempfile::TempDir,
}

impl Processes {
    /// Starts `karcis` on the bed's servers, with this environment on top, and waits until all is
    /// ready.
    pub(super) async fn start(bed: &Bed, environment: &[(&str, &str)]) -> (Self, Urls) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let launcher = Command::new(program())
            .arg("--ephemeral")
            .arg("--state-file")
            .arg(folder.path().join("stack.json"))
            .envs(bed.environment())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("karcis starts");
        let mut processes = Self { launcher, folder };
        let state = processes.ready().await;
        let urls = Service::ALL.map(|service| {
            let url = state["services"][service.short_name()].as_str();
            (service, url.expect("each service has an address").to_owned())
        });
        (processes, urls.into())
    }

    /// The process that runs this service now.
    pub fn pid(&self, service: Service) -> i32 {
        let state = self.state().expect("the state file is there while karcis runs");
        let pid = state["pids"][format!("{}-service", service.short_name())].as_i64();
        pid.and_then(|pid| pid.try_into().ok()).expect("each service has a pid")
    }

    /// Kills this service as it stands; `karcis` starts it again. Returns its pid.
    pub fn kill(&self, service: Service) -> i32 {
        let pid = self.pid(service);
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
        pid
    }

    /// Waits for `checks`, then stops `karcis` in order.
    pub(super) fn end(mut self, checks: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime starts").block_on(checks);
        self.interrupt();
        let status = self.launcher.wait().expect("karcis is our child");
        assert!(status.success(), "karcis did not stop in order: {status}");
    }

    async fn ready(&mut self) -> Value {
        let launcher = std::cell::RefCell::new(&mut self.launcher);
        let path = self.folder.path().join("stack.json");
        eventually(async || {
            let ended = launcher.borrow_mut().try_wait().expect("karcis is our child");
            assert!(ended.is_none(), "karcis did not start: {ended:?}");
            read(&path)
        })
        .within(PATIENCE)
        .await
    }

    fn state(&self) -> Result<Value, String> {
        read(&self.folder.path().join("stack.json"))
    }

    /// Asks `karcis` to stop, unless it has ended and its pid may be another's.
    fn interrupt(&mut self) {
        if !matches!(self.launcher.try_wait(), Ok(None)) {
            return;
        }
        let pid = self.launcher.id().try_into().expect("a pid is an i32");
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.interrupt();
        let _ = self.launcher.wait();
    }
}

fn read(path: &std::path::Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// The `karcis` program of this source, built now if it is not up to date; as optimised as we are.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bin", "karcis"])
            .args(["--message-format", "json"])
            .args(if cfg!(debug_assertions) { [].as_slice() } else { &["--release"] })
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "karcis cannot be built");
        let messages = String::from_utf8_lossy(&built.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut programs =
            messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
        programs.next_back().expect("cargo says where it put karcis")
    })
}
