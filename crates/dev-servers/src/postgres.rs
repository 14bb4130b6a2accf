//! PostgreSQL as a child process.

mod binaries;
mod pair;

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User},
};
pub use pair::{Member, PostgresPair};

use crate::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    maven::{self, Missing},
    paths, ports, secret,
};

const PART: &str = "PostgreSQL";

/// Time for recovery after a crash, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for the last owner of the data to end.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);

/// A running PostgreSQL. It stops when it is dropped or when this process ends.
pub struct Postgres {
    child: Child,
    port: u16,
    password: String,
}

/// How to run it.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where its data lives; made if missing. Where this is root and user nobody cannot reach it,
    /// [`paths::within_reach`] says where it lives instead.
    pub data: PathBuf,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Whether a commit reaches the disk; tests go without.
    pub durable: bool,
    /// Whether it goes on when this process ends without [`Postgres::stop`] or a drop.
    pub outlives_parent: bool,
}

impl Postgres {
    /// Starts it and waits until it answers. Data that an earlier process left, stopped or killed,
    /// is taken up again.
    pub async fn start(options: PostgresOptions) -> Result<Self, ServerError> {
        Self::start_with(&[], None, options).await
    }

    /// The same with this library loaded before all others.
    pub async fn start_preloading(
        library: &Path,
        options: PostgresOptions,
    ) -> Result<Self, ServerError> {
        Self::start_with(&[], Some(library.to_owned()), options).await
    }

    async fn start_with(
        settings: &'static [&'static str],
        library: Option<PathBuf>,
        options: PostgresOptions,
    ) -> Result<Self, ServerError> {
        let data = paths::within_reach(&options.data)?;
        let Some(lock) = paths::lock(&data.join("lock"), LOCK_TIMEOUT).await? else {
            return Err(not_started(format!("another one is using {}", data.display())));
        };
        let binaries = binaries::find().await?;
        let owner = paths::nobody()?;
        let server = Server {
            binaries,
            data,
            owner,
            durable: options.durable,
            settings,
            library,
            outlives_parent: options.outlives_parent,
        };
        let password = secret::kept_in(&server.data.join(PASSWORD))?;
        server.initialise().await?;
        server.ask_everybody_for_a_password()?;
        server.forget_a_dead_owner()?;

        for _ in 0..ports::ATTEMPTS {
            let [free] = ports::free()?;
            let port = if options.port == 0 { free } else { options.port };
            match server.run(port, lock.try_clone()?).await? {
                Started::Ready(child) => return Ok(Self { child, port, password }),
                Started::PortTaken if options.port == 0 => {}
                Started::PortTaken => break,
            }
        }
        Err(not_started(match options.port {
            0 => "every port it was given was taken by another process".to_owned(),
            port => format!("port {port} is taken"),
        }))
    }

    /// Whether this machine lacks it, so that [`Self::start`] downloads it first.
    pub fn must_be_fetched() -> bool {
        binaries::must_be_fetched()
    }

    /// The superuser's URL of database `postgres`.
    pub fn url(&self) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Waits for its end.
    pub fn exited(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        self.child.exited()
    }

    /// Signals every process of it, each of which is a session of its own: kills, freezes or thaws it.
    fn signal_all(&self, signal: Signal) {
        let pid = self.pid();
        let children = || {
            let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let listed = listed.unwrap_or_default();
            listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
        };
        let mut before = children();
        self.child.signal(signal);
        // The first starts no others once it is frozen, and has none once it is dead.
        before.extend(children());
        for child in before {
            let _ = kill(Pid::from_raw(child), signal);
        }
    }

    /// Stops it in order and waits for its end.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.child.stop(Signal::SIGINT, Duration::from_secs(30)).await;
        Ok(())
    }
}

/// The superuser's password, in the data folder.
const PASSWORD: &str = "password";

const PID_FILE: &str = "postmaster.pid";

/// Who may log in from where, and how.
const HBA: &str = "host all,replication all 127.0.0.1/32 scram-sha-256\n";

enum Started {
    Ready(Child),
    PortTaken,
}

/// A data folder and what serves it.
struct Server {
    binaries: PathBuf,
    data: PathBuf,
    owner: Option<User>,
    durable: bool,
    /// On top.
    settings: &'static [&'static str],
    /// Loaded before all others.
    library: Option<PathBuf>,
    outlives_parent: bool,
}

impl Server {
    fn cluster(&self) -> PathBuf {
        self.data.join("cluster")
    }

    fn command(&self, program: &str) -> Command {
        command(self.binaries.join(program), &self.data, self.owner.as_ref())
    }

    /// Makes the cluster if there is none; a half-made one is thrown away.
    async fn initialise(&self) -> Result<(), ServerError> {
        if self.cluster().is_dir() {
            return Ok(());
        }
        let unfinished = self.data.join("cluster.unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        paths::make_private(&unfinished, self.owner.as_ref())?;
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(&unfinished);
        initdb.args(["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]);
        let password = self.data.join(PASSWORD);
        paths::give(&password, self.owner.as_ref())?;
        initdb.arg("--auth=scram-sha-256").arg("--pwfile").arg(password);
        if !self.durable {
            initdb.arg("--no-sync");
        }
        let missing = Missing { what: "initdb", fix: "apt-get install -y postgresql" };
        let log = self.data.join("initdb.log");
        maven::run_to_end(PART, initdb, &log, missing).await?;
        std::fs::rename(unfinished, self.cluster())?;
        Ok(())
    }

    /// Whatever the cluster was made with, from now on nobody logs in without a password, or shows it
    /// to a program that has taken the port meanwhile. The file is in our own folder: the cluster's
    /// belongs to the owner, who could lead us to another file.
    fn ask_everybody_for_a_password(&self) -> io::Result<()> {
        secret::keep(&self.hba(), HBA)?;
        paths::give(&self.hba(), self.owner.as_ref())
    }

    fn hba(&self) -> PathBuf {
        self.data.join("pg_hba.conf")
    }

    /// Removes a killed server's pid file: its pid may be a zombie's or another program's by now, and
    /// PostgreSQL would refuse to start. We hold the lock, so no server of ours lives; one that was
    /// started by hand works in the cluster's folder.
    fn forget_a_dead_owner(&self) -> Result<(), ServerError> {
        let content = match self.pid_file() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            content => content.unwrap_or_default(),
        };
        let pid = content.lines().next().unwrap_or_default();
        let works_in = std::fs::read_link(Path::new("/proc").join(pid).join("cwd")).ok();
        if works_in.is_some() && works_in == self.cluster().canonicalize().ok() {
            return Err(not_started(format!("process {pid} is using its data")));
        }
        std::fs::remove_file(self.cluster().join(PID_FILE))?;
        Ok(())
    }

    /// The server's own account of itself, in a folder of its owner's.
    fn pid_file(&self) -> io::Result<String> {
        let mut options = OpenOptions::new();
        let file = paths::open_file(&self.cluster().join(PID_FILE), options.read(true))?;
        let mut content = String::new();
        file.take(4_096).read_to_string(&mut content)?;
        Ok(content)
    }

    async fn run(&self, port: u16, lock: std::fs::File) -> Result<Started, ServerError> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.cluster()).args(["-p", &port.to_string(), "-k", ""]);
        command.args(["-c", "listen_addresses=127.0.0.1"]);
        let mut hba_file = OsString::from("hba_file=");
        hba_file.push(self.hba());
        command.arg("-c").arg(hba_file);
        let usual = if self.durable { DURABLE } else { FAST };
        for setting in usual.iter().chain(self.settings) {
            command.args(["-c", setting]);
        }
        command.envs(self.library.iter().map(|library| ("LD_PRELOAD", library)));
        let log = LogFile::attach(&self.data.join("postgres.log"), &mut command)?;
        // SIGINT: it ends at once, and in order, so that the next start finds nothing to repair.
        let signals = StopSignals {
            orphaned: (!self.outlives_parent).then_some(Signal::SIGINT),
            dropped: Signal::SIGQUIT,
        };
        let child = Child::spawn(command, signals, vec![lock])?;
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        while !self.is_ready(child.pid()) {
            if child.exit().is_some() {
                if log.text().contains(ports::TAKEN) {
                    return Ok(Started::PortTaken);
                }
                return Err(not_started(log.last_lines()));
            }
            if tokio::time::Instant::now() > deadline {
                let waited = START_TIMEOUT.as_secs();
                return Err(not_started(format!("not ready in {waited} s; {}", log.last_lines())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Started::Ready(child))
    }

    /// Whether this very process serves: the port alone might be another's.
    fn is_ready(&self, pid: u32) -> bool {
        let content = self.pid_file().unwrap_or_default();
        let mut lines = content.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.next_back() == Some("ready")
    }
}

/// A program of PostgreSQL's that works in this folder.
fn command(program: PathBuf, folder: &Path, owner: Option<&User>) -> Command {
    let mut command = Command::new(program);
    // A start-up may wait for ever where a locale or the working directory cannot be read.
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some(owner) = owner {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
    command
}

const DURABLE: &[&str] =
    &["shared_buffers=256MB", "max_connections=200", "max_wal_size=2GB", "log_checkpoints=off"];

const FAST: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "shared_buffers=128MB",
    // Several fleets run at once.
    "max_connections=500",
    "log_checkpoints=off",
];

fn not_started(reason: String) -> ServerError {
    ServerError::NotStarted { part: PART, reason }
}
