//! Postgres and Kafka that tests share: in containers where a Docker engine answers, else as child
//! processes; once for all test binaries of a cargo run.

use std::{
    net::TcpStream,
    path::Path,
    sync::{LazyLock, mpsc},
    thread,
};

use karcis_dev_servers::{containers::engine_answers, kafka::USER, paths, secret};
use karcis_messaging::KafkaSecurity;
use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::{
    containers::{self, Durable},
    lifetime::{Failure, Lifetime},
    native, shared,
};

/// What servers run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stack {
    Containers,
    Native,
}

/// Where the servers are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Servers {
    /// What a broker of a test's own runs in too.
    pub stack: Stack,
    /// The superuser's URL of a database of the server.
    pub postgres_url: String,
    /// `host:port`.
    pub kafka_bootstrap_servers: String,
    /// Whom clients of a broker log in as, if they have to.
    pub kafka_user: Option<String>,
    /// The password of all brokers and of a Postgres that tests started.
    pub password: String,
    /// Whether other test binaries use them too, so that a test leaves no database and no topic.
    pub shared: bool,
}

impl Servers {
    /// How clients of a broker say who they are.
    pub(crate) fn kafka_security(&self) -> KafkaSecurity {
        let login = |user: &String| KafkaSecurity::plain(user, &self.password);
        self.kafka_user.as_ref().map(login).unwrap_or_default()
    }

    /// Whether both accept connections.
    fn answer(&self) -> bool {
        let (_, postgres) = self.postgres_url.rsplit_once('@').unwrap_or_default();
        let (postgres, _) = postgres.split_once('/').unwrap_or_default();
        [postgres, &self.kafka_bootstrap_servers].iter().all(|at| TcpStream::connect(at).is_ok())
    }
}

/// The settings of a client of librdkafka, of the broker at this `host:port`.
pub fn kafka_client(bootstrap_servers: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", bootstrap_servers);
    servers().kafka_security().apply(&mut client);
    client
}

/// The servers; the first caller starts them. Blocks until they answer.
pub(crate) fn servers() -> &'static Servers {
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
    let _ = started.send(find_or_start().await);
    std::future::pending::<()>().await;
}

async fn find_or_start() -> Result<Servers, Failure> {
    let stack = std::env::var("KARCIS_TEST_STACK").ok();
    if stack.as_deref() == Some("running") {
        return running(&paths::home().join("stack.json"));
    }
    match shared::cargo() {
        Some(cargo) => {
            let start = async |its: &Lifetime| start(its, stack.as_deref()).await;
            shared::of_run(cargo, Servers::answer, start).await
        }
        None => start(Lifetime::of_this_process(), stack.as_deref()).await,
    }
}

async fn start(lifetime: &Lifetime, stack: Option<&str>) -> Result<Servers, Failure> {
    match stack {
        Some("containers") => in_containers(lifetime).await,
        Some("native") => as_children(lifetime).await,
        Some(other) => {
            Err(format!("KARCIS_TEST_STACK is `{other}`: give `containers`, `native` or `running`")
                .into())
        }
        None if engine_answers() => match in_containers(lifetime).await {
            Err(why) => {
                eprintln!("testing on child processes, as containers do not start: {why}");
                as_children(lifetime).await
            }
            started => started,
        },
        None => as_children(lifetime).await,
    }
}

async fn in_containers(lifetime: &Lifetime) -> Result<Servers, Failure> {
    let password = secret::draw();
    let ((postgres_url, postgres), (kafka_bootstrap_servers, kafka)) = tokio::try_join!(
        containers::postgres(lifetime, &password, Durable::No),
        containers::kafka(lifetime, None, &password)
    )?;
    Box::leak(Box::new((postgres, kafka))); // removed by the guard
    Ok(Servers {
        stack: Stack::Containers,
        postgres_url,
        kafka_bootstrap_servers,
        kafka_user: Some(USER.to_owned()),
        password,
        shared: lifetime.outlives_this_process,
    })
}

async fn as_children(lifetime: &Lifetime) -> Result<Servers, Failure> {
    let password = secret::draw();
    let (postgres, kafka) = tokio::try_join!(
        native::postgres(lifetime),
        native::kafka(lifetime, "kafka", 0, &password, None)
    )?;
    let servers = Servers {
        stack: Stack::Native,
        postgres_url: postgres.url(),
        kafka_bootstrap_servers: kafka.bootstrap_servers(),
        kafka_user: Some(USER.to_owned()),
        password,
        shared: lifetime.outlives_this_process,
    };
    Box::leak(Box::new((postgres, kafka))); // stopped by the guard
    Ok(servers)
}

/// A pair that runs already: the environment's, else the one that `cargo run` started.
fn running(stack_file: &Path) -> Result<Servers, Failure> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let configured = variable("DATABASE_URL").zip(variable("KAFKA_BOOTSTRAP_SERVERS"));
    let (postgres_url, kafka_bootstrap_servers, login) = match configured {
        Some((postgres, kafka)) => {
            let login = variable("KAFKA_SASL_USERNAME").zip(variable("KAFKA_SASL_PASSWORD"));
            (postgres, kafka, login)
        }
        None => {
            let text = std::fs::read_to_string(stack_file).map_err(|error| {
                format!(
                    "nothing is running: set DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS, or start \
                     Karcis with cargo run, which writes {}: {error}",
                    stack_file.display()
                )
            })?;
            let state: serde_json::Value = serde_json::from_str(&text)?;
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let value = |name: &str| {
                let missing = || format!("{} has no {name}", stack_file.display());
                text(&state[name]).ok_or_else(missing)
            };
            let kafka = &state["kafka"];
            let login = text(&kafka["username"]).zip(text(&kafka["password"]));
            (value("database_url")?, value("kafka_bootstrap_servers")?, login)
        }
    };
    let (kafka_user, password) = login.unzip();
    let password = password.unwrap_or_else(secret::draw);
    let stack = Stack::Native;
    Ok(Servers { stack, postgres_url, kafka_bootstrap_servers, kafka_user, password, shared: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_runs_is_found_in_the_launchers_file() {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        let state = r#"{"database_url": "postgres://a/b", "kafka_bootstrap_servers": "c:1",
            "kafka": {"username": "karcis", "password": "drawn"}}"#;
        std::fs::write(file.path(), state).expect("it can be written");
        let found = running(file.path()).expect("both are named");
        assert_eq!(found.postgres_url, "postgres://a/b");
        assert_eq!(found.kafka_bootstrap_servers, "c:1");
        assert_eq!(found.kafka_user.as_deref(), Some("karcis"));
        assert_eq!(found.password, "drawn");
        let missing =
            running(Path::new("/nowhere/stack.json")).expect_err("there is no file").to_string();
        assert!(missing.contains("set DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS"), "{missing}");
    }
}
