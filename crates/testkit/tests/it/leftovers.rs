//! Servers end with the test process that started them, or with the cargo run whose test binaries
//! share them, also after a panic or a kill -9.

use std::{
    io::{BufRead, BufReader, Lines},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use karcis_testkit::{TestEnvironment, eventually, processes};
use uuid::Uuid;

/// Run by the tests below in a process of its own.
#[tokio::test]
#[ignore = "started by the other tests of this module"]
async fn start_servers() {
    let environment = TestEnvironment::start().await;
    println!("servers: {}", environment.database_url());
    match std::env::var("KARCIS_TEST_THEN").as_deref() {
        Ok("wait") => std::future::pending().await,
        Ok("panic") => panic!("on purpose"),
        _ => {}
    }
}

#[tokio::test]
async fn a_panic_leaves_nothing_running() {
    let mut tests = Run::of(own_tests().env("KARCIS_TEST_THEN", "panic"));
    let port = tests.next_port();
    tests.child.wait().unwrap();
    assert!(!listens(port), "Postgres outlived its tests");
}

#[tokio::test]
async fn a_kill_leaves_nothing_running() {
    let mut tests = Run::of(own_tests().env("KARCIS_TEST_THEN", "wait"));
    let port = tests.next_port();
    assert!(listens(port));
    tests.kill();
    tests.leaves_nothing(port).await;
}

#[tokio::test]
async fn all_test_binaries_of_a_cargo_run_share_the_servers() {
    let mut cargo = Run::of(&mut cargo("pass pass"));
    let port = cargo.next_port();
    assert_eq!(cargo.next_port(), port);
    assert!(cargo.child.wait().unwrap().success());
    cargo.leaves_nothing(port).await;
}

#[tokio::test]
async fn a_killed_test_binary_leaves_the_servers_to_the_next() {
    let mut cargo = Run::of(&mut cargo("wait pass"));
    let port = cargo.next_port();
    processes::kill_9(cargo.binary());
    assert_eq!(cargo.next_port(), port);
    cargo.child.wait().unwrap();
    cargo.leaves_nothing(port).await;
}

#[tokio::test]
async fn a_killed_cargo_leaves_no_server() {
    let mut cargo = Run::of(&mut cargo("wait"));
    let port = cargo.next_port();
    let binary = cargo.binary();
    cargo.kill();
    eventually(async || listens(port)).within(Duration::from_secs(150)).is(false).await;
    // Cargo's own would go on with its tests.
    processes::kill_9(binary);
    cargo.leaves_nothing(port).await;
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing() {
    // What a guard needs, and no Java.
    let programs = tempfile::tempdir().unwrap();
    for name in ["cat", "flock", "grep", "ls", "rm", "sed", "sh", "sleep"] {
        let path = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        let path = path.iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(path, programs.path().join(name)).unwrap();
    }
    let mut command = cargo("pass pass");
    command.env("PATH", programs.path()).env_remove("JAVA_HOME");
    let mut cargo = Run::of(command.env("KARCIS_TEST_STACK", "native"));
    assert!(!cargo.child.wait().unwrap().success());
    cargo.leaves_no_process().await;
}

/// This binary's [`start_servers`].
fn own_tests() -> Command {
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(["--exact", "leftovers::start_servers", "--ignored", "--nocapture"]);
    tests
}

/// A script that is called cargo, and runs this binary once for each of these words.
fn cargo(words: &str) -> Command {
    let folder = tempfile::tempdir().unwrap().keep();
    let script = folder.join("cargo");
    let tests = std::env::current_exe().unwrap();
    let text = format!(
        "#!/bin/sh\nrm -r {}\nfor then in {words}; do\n  KARCIS_TEST_THEN=$then {} --exact \
         leftovers::start_servers --ignored --nocapture\ndone\n",
        folder.display(),
        tests.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    Command::new(script)
}

/// A process that starts servers, or that runs others which do.
struct Run {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What the environment of all its processes holds.
    mark: String,
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let mark = Uuid::now_v7().to_string();
        if std::env::var("KARCIS_TEST_STACK").as_deref() == Ok("running") {
            command.env("KARCIS_TEST_STACK", "native");
        }
        let command = command.env("KARCIS_TEST_MARK", &mark);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, mark }
    }

    /// The port of the Postgres that the next binary uses.
    fn next_port(&mut self) -> u16 {
        let url = self
            .lines
            .by_ref()
            .find_map(|line| line.unwrap().split_once("servers: ").map(|(_, url)| url.to_owned()));
        let url = url.expect("the servers start");
        let address = url.rsplit('@').next().unwrap().split('/').next().unwrap();
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The test binary that a cargo runs.
    fn binary(&self) -> u32 {
        let name = std::env::current_exe().unwrap();
        let is_it =
            |pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == name);
        let found = processes::descendants(self.child.id()).into_iter().find(is_it);
        found.expect("it runs")
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn leaves_nothing(&self, port: u16) {
        eventually(async || listens(port)).within(Duration::from_secs(150)).is(false).await;
        self.leaves_no_process().await;
    }

    async fn leaves_no_process(&self) {
        let left = async || processes::marked_with(&self.mark);
        eventually(left).within(Duration::from_secs(150)).is(Vec::<u32>::new()).await;
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}
