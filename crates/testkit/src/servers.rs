//! Postgres and Kafka that all tests of a process share: in containers where a Docker engine
//! answers, else as child processes.

use std::{
    process::{Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
};

use crate::{containers, native};

/// Why a server did not start.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What servers run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Containers.
    Containers,
    /// Child processes.
    Native,
}

/// Where the servers are.
#[derive(Clone, Debug)]
pub struct Servers {
    /// What they run in.
    pub stack: Stack,
    /// The superuser's URL of database `postgres`.
    pub postgres_url: String,
    /// `host:port`.
    pub kafka_bootstrap_servers: String,
}

/// The servers, started by whoever asks first. Blocks until they answer.
pub fn servers() -> &'static Servers {
    static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
        let (started, servers) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("karcis-servers".to_owned())
            .spawn(move || keep_running(started))
            .expect("a thread starts");
        let outcome = servers.recv().expect("the servers' thread says how it went");
        outcome.unwrap_or_else(|why| panic!("no servers to test on: {why}"))
    });
    &SERVERS
}

/// A thread and a runtime that never end: the runtime of a test ends with the test.
#[tokio::main(flavor = "current_thread")]
async fn keep_running(started: mpsc::SyncSender<Result<Servers, Failure>>) {
    let stack = std::env::var("KARCIS_TEST_STACK").ok();
    let outcome = match stack.as_deref() {
        Some("containers") => in_containers().await,
        Some("native") => as_children().await,
        Some(other) => {
            Err(format!("KARCIS_TEST_STACK is `{other}`: give `containers` or `native`").into())
        }
        None if docker_answers() => match in_containers().await {
            Err(why) => {
                eprintln!("testing on child processes, as containers do not start: {why}");
                as_children().await
            }
            started => started,
        },
        None => as_children().await,
    };
    let _ = started.send(outcome);
    std::future::pending::<()>().await;
}

fn docker_answers() -> bool {
    Command::new("docker")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

async fn in_containers() -> Result<Servers, Failure> {
    let ((postgres_url, postgres), (kafka_bootstrap_servers, kafka)) =
        tokio::try_join!(containers::postgres(), containers::kafka(None))?;
    Box::leak(Box::new((postgres, kafka))); // removed by the guard
    Ok(Servers { stack: Stack::Containers, postgres_url, kafka_bootstrap_servers })
}

async fn as_children() -> Result<Servers, Failure> {
    let (postgres, kafka) = tokio::try_join!(native::postgres(), native::kafka("kafka", 0))?;
    let servers = Servers {
        stack: Stack::Native,
        postgres_url: postgres.url(),
        kafka_bootstrap_servers: kafka.bootstrap_servers(),
    };
    Box::leak(Box::new((postgres, kafka))); // stopped by the guard
    Ok(servers)
}
