//! `karcis` as its user meets it: it starts everything, starts again what dies, and leaves nothing.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use karcis_dev_servers::TempDir;
use karcis_schemas::{SERVICES, schemas};
use karcis_testkit::{eventually, processes};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use sqlx::Connection;

/// Everything has to start on a machine that runs other tests beside.
const START_TIMEOUT: Duration = Duration::from_secs(300);

#[tokio::test]
async fn ctrl_c_stops_everything_and_the_next_run_finds_the_data_again() {
    let place = TempDir::new().expect("a folder");
    let data = place.path().join("data");
    // A run with lasting data takes the usual ports unless told otherwise.
    let any_ports = SERVICES.map(|service| format!("--{}-port=0", service.name));
    let flags = ["--data", data.to_str().expect("is text")];
    let any_ports = any_ports.iter().map(String::as_str).chain(["--web-port=0"]);
    let flags: Vec<&str> = flags.into_iter().chain(any_ports).collect();

    let karcis = Karcis::start(&place, &flags).await;
    assert_eq!(karcis.titles().await.len(), 3, "a fresh database has the demo events");
    let titles = karcis.titles().await;
    let processes = karcis.processes();
    assert_eq!(karcis.interrupt().status.code(), Some(0));
    processes::are_gone(&processes).await;
    assert!(!data.join("stack.json").exists(), "nothing it names is there any more");

    let karcis = Karcis::start(&place, &flags).await;
    assert_eq!(karcis.titles().await, titles, "the same events, once");
    karcis.interrupt();
}

#[tokio::test]
async fn other_users_of_the_machine_learn_nothing() {
    let place = TempDir::new().expect("a folder");
    let karcis = Karcis::start(&place, &["--ephemeral"]).await;
    let state = karcis.state();
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    let superuser = text(&state["database_url"]);
    let (login, at) = superuser.rsplit_once('@').expect("names a user");
    let superuser_password = login.rsplit(':').next().expect("has a password").to_owned();
    let (kafka_user, kafka_password) =
        (text(&state["kafka"]["username"]), text(&state["kafka"]["password"]));
    assert_eq!((superuser_password.len(), kafka_password.len()), (48, 48), "both were drawn");
    assert_eq!(kafka_user, "karcis");
    assert_eq!(mode(&karcis.state_file), 0o600);

    let mut secrets = vec![superuser_password.clone(), kafka_password.clone()];
    for service in SERVICES {
        let environment = format!("/proc/{}/environ", karcis.pid(service.full_name()));
        let environment = std::fs::read(environment).expect("it runs as this user");
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let urls = environment.split('\0').filter(|it| it.contains("postgres://"));
        let own: Vec<_> = urls.collect();
        let url = format!("DATABASE_URL=postgres://{}:", service.schema.role);
        assert!(own.iter().any(|it| it.starts_with(&url)), "{} has its own", service.name);
        let others = schemas().filter(|schema| *schema != service.schema);
        let told = others.filter(|schema| environment.contains(&format!("//{}:", schema.role)));
        let told: Vec<_> = told.map(|schema| schema.part).collect();
        let expected = if service.name == "payment" { vec!["gateway"] } else { vec![] };
        assert_eq!(told, expected, "{} is told what opens these", service.name);
        assert!(!environment.contains(&superuser_password), "{} may do all", service.name);
        assert_eq!(
            environment.contains("KARCIS_ADMIN_PASSWORD"),
            service.name == "user",
            "{}",
            service.name
        );
        secrets.extend(own.iter().filter_map(|url| {
            let (login, _) = url.rsplit_once('@')?;
            Some(login.rsplit_once(':')?.1.to_owned())
        }));
        let known = format!("postgres://{role}:{role}@{at}", role = service.schema.role);
        let refused = sqlx::PgConnection::connect(&known).await.expect_err("a known password");
        assert!(refused.as_database_error().is_some(), "{refused}");
    }
    for pid in karcis.processes() {
        let shown = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let shown = String::from_utf8_lossy(&shown);
        assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let readable = readable_by_others(place.path());
    assert_eq!(readable, Vec::<PathBuf>::new(), "others can read these");
    let said = String::from_utf8(karcis.interrupt().stdout).expect("is text");
    assert!(!secrets.iter().any(|secret| said.contains(secret)), "{said}");
    assert!(said.contains("karcis-development"), "the first admin's is shown: {said}");
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().expect("is there").permissions().mode() & 0o777
}

/// Files below that are of no folder which is closed to others.
fn readable_by_others(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("is ours").flatten().map(|entry| entry.path());
    let open = entries.filter(|path| mode(path) & 0o007 != 0);
    open.flat_map(|path| if path.is_dir() { readable_by_others(&path) } else { vec![path] })
        .collect()
}

#[tokio::test]
async fn what_dies_is_started_again_at_its_place() {
    let place = TempDir::new().expect("a folder");
    let karcis = Karcis::start(&place, &["--ephemeral"]).await;
    let before = karcis.state();
    for part in ["booking-service", "web", "kafka", "postgres"] {
        let pid = karcis.pid(part);
        processes::kill_9(pid);
        eventually(async || match karcis.pid(part) {
            now if now == pid => Err(format!("{part} is still {pid}")),
            now if !processes::is_alive(now) => Err(format!("{part} is {now}, which is gone")),
            now => Ok(now),
        })
        .within(START_TIMEOUT)
        .await;
    }
    let after = karcis.state();
    for same in ["services", "web", "database_url", "kafka_bootstrap_servers", "kafka", "admin"] {
        assert_eq!(after[same], before[same]);
    }
    for service in SERVICES {
        let ready = format!("{}/readyz", karcis.url(service.name));
        eventually(async || status(&ready).await).within(START_TIMEOUT).is(Some(200)).await;
    }
    // The app's page, and a service's answer, at one origin.
    for path in ["/", "/events"] {
        let url = format!("{}{path}", after["web"].as_str().expect("has an address"));
        eventually(async || status(&url).await).within(START_TIMEOUT).is(Some(200)).await;
    }
    let processes = karcis.processes();
    let output = karcis.interrupt();
    processes::are_gone(&processes).await;
    let said = String::from_utf8_lossy(&output.stdout);
    for part in ["booking-service", "web", "kafka", "postgres"] {
        let line = format!("{part} ended (signal: 9 (SIGKILL)); starting it again in 0.2 s");
        assert!(said.contains(&line), "{line}\nis not in:\n{said}");
    }
    let open = format!("Open {} in a browser.", before["web"].as_str().expect("has an address"));
    assert!(said.contains(&open), "{open}\nis not in:\n{said}");
    assert_eq!(remains(&place), Vec::<PathBuf>::new(), "--ephemeral throws its data away");
}

#[tokio::test]
async fn a_killed_karcis_leaves_no_process() {
    let place = TempDir::new().expect("a folder");
    let karcis = Karcis::start(&place, &["--ephemeral"]).await;
    let processes = karcis.processes();
    assert!(processes.len() > 7, "seven parts and Postgres' own: {processes:?}");
    processes::kill_9(karcis.pid);
    processes::are_gone(&processes).await;
}

#[tokio::test]
async fn a_start_that_is_interrupted_leaves_nothing() {
    let place = TempDir::new().expect("a folder");
    let mut command = karcis(&place);
    let mut child = command.arg("--ephemeral").stdout(Stdio::piped()).spawn().expect("starts");
    let output = BufReader::new(child.stdout.take().expect("is piped"));
    let mut lines = output.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("ready on")), "a server has started");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it runs");

    assert_eq!(child.wait().expect("ends").code(), Some(0));
    processes::are_gone(&processes::marked_with(mark(&place))).await;
    assert_eq!(remains(&place), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do_and_nothing_is_left() {
    let place = TempDir::new().expect("a folder");
    let data = place.path().join("data");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("has an address").port().to_string();
    let mut command = karcis(&place);
    command.arg("--data").arg(data).args(["--user-port", "0", "--event-port", &port]);
    let output = command.output().expect("runs");

    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = format!("port {port} of event-service is taken");
    assert!(said.contains(&expected) && said.contains("--event-port"), "{said}");
}

#[tokio::test]
async fn what_this_machine_lacks_is_named_with_the_command_that_installs_it() {
    let place = TempDir::new().expect("a folder");
    let mut command = karcis(&place);
    command.arg("--ephemeral").env("PATH", place.path()).env_remove("JAVA_HOME");
    let output = command.output().expect("runs");

    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(" is missing: apt-get install"), "{said}");
    processes::are_gone(&processes::marked_with(mark(&place))).await;
}

#[tokio::test]
async fn a_service_that_cannot_start_takes_the_rest_down_and_shows_its_last_lines() {
    let place = TempDir::new().expect("a folder");
    let mut command = karcis(&place);
    command.arg("--ephemeral").env("DATABASE_CONNECTIONS", "many");
    let output = command.output().expect("runs");

    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("-service did not start") && said.contains("'many'"), "{said}");
    processes::are_gone(&processes::marked_with(mark(&place))).await;
    assert_eq!(remains(&place), Vec::<PathBuf>::new());
}

/// A `karcis` that has started.
struct Karcis {
    /// Until it is waited for.
    child: Option<Child>,
    pid: u32,
    state_file: PathBuf,
}

fn karcis(place: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command
        .env("TMPDIR", place.path())
        .env_remove("DATABASE_URL")
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .stdin(Stdio::null());
    command
}

/// What the environment of every process of this run holds.
fn mark(place: &TempDir) -> &str {
    place.path().to_str().expect("is text")
}

/// What is in the folder, but for the lock that makes it ours.
fn remains(place: &TempDir) -> Vec<PathBuf> {
    let entries = place.path().read_dir().expect("is there").flatten();
    entries.map(|entry| entry.path()).filter(|path| !path.ends_with("owned")).collect()
}

impl Karcis {
    async fn start(place: &TempDir, flags: &[&str]) -> Self {
        let state_file = match flags {
            ["--data", data, ..] => Path::new(data).join("stack.json"),
            _ => place.path().join("stack.json"),
        };
        let mut command = karcis(place);
        command.args(flags).stdout(Stdio::piped());
        if !flags.contains(&"--data") {
            command.arg("--state-file").arg(&state_file);
        }
        let child = command.spawn().expect("starts");
        let karcis = Self { pid: child.id(), child: Some(child), state_file };
        eventually(async || {
            assert!(processes::is_alive(karcis.pid), "it did not start");
            if karcis.state_file.exists() { Ok(()) } else { Err("it is not ready") }
        })
        .within(START_TIMEOUT)
        .await;
        karcis
    }

    fn state(&self) -> Value {
        let text = std::fs::read(&self.state_file).expect("is there while all is ready");
        serde_json::from_slice(&text).expect("is whole")
    }

    fn url(&self, service: &str) -> String {
        self.state()["services"][service].as_str().expect("has an address").to_owned()
    }

    fn pid(&self, part: &str) -> u32 {
        let pid = self.state()["pids"][part].as_u64().expect("is a process");
        pid.try_into().expect("is a pid")
    }

    /// All processes below it.
    fn processes(&self) -> Vec<u32> {
        processes::descendants(self.pid)
    }

    /// The titles of the events to come, for which event-service must have caught up.
    async fn titles(&self) -> Vec<String> {
        let events = reqwest::get(format!("{}/events", self.url("event"))).await.expect("answers");
        let events: Value = events.json().await.expect("is JSON");
        let events = events["items"].as_array().expect("is a list");
        events.iter().map(|event| event["title"].as_str().expect("is text").to_owned()).collect()
    }

    /// Ctrl-C, and what it said until its end.
    fn interrupt(mut self) -> Output {
        kill(Pid::from_raw(self.pid as i32), Signal::SIGINT).expect("it runs");
        let child = self.child.take().expect("only this waits for it");
        child.wait_with_output().expect("ends")
    }
}

impl Drop for Karcis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn status(url: &str) -> Option<u16> {
    reqwest::get(url).await.ok().map(|answer| answer.status().as_u16())
}
