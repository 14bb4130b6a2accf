//! What other users of the machine can do with the servers, who reach the ports and read command lines
//! and temporary folders: nothing.

use std::{os::unix::fs::MetadataExt, path::Path, time::Duration};

use karcis_dev_servers::{
    TempDir,
    kafka::{self, Kafka, KafkaOptions},
    postgres::{Postgres, PostgresOptions},
};
use karcis_testkit::processes;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn postgres_lets_nobody_in_without_the_password_that_was_drawn() {
    for durable in [true, false] {
        let data = TempDir::new().expect("a folder");
        let folder = data.path().join("postgres");
        let options =
            PostgresOptions { data: folder.clone(), port: 0, durable, outlives_parent: false };
        let postgres = Postgres::start(options.clone()).await.expect("starts");
        let url = postgres.url();
        let password = password_in(&folder);
        assert!(url.contains(&format!(":{password}@")), "the password is the one that is kept");
        assert_eq!(password.len(), 48, "it was drawn");
        refuses_strangers(&postgres).await;
        shows_nobody(&folder, &password);
        postgres.stop().await.expect("stops");

        // As a cluster of an older release may have it.
        let trusting = "host all all 127.0.0.1/32 trust\n";
        std::fs::write(folder.join("cluster/pg_hba.conf"), trusting).expect("can be written");
        let postgres = Postgres::start(options).await.expect("starts");
        assert_eq!(password_in(&folder), password, "it is drawn once");
        PgConnection::connect(&postgres.url()).await.expect("lets its owner in");
        refuses_strangers(&postgres).await;
    }
}

/// Its folder belongs to the user as whom it runs, who may put links there.
#[tokio::test]
async fn postgres_leads_nobody_to_a_file_of_ours() {
    let data = TempDir::new().expect("a folder");
    let folder = data.path().join("postgres");
    let options =
        PostgresOptions { data: folder.clone(), port: 0, durable: false, outlives_parent: false };
    let postgres = Postgres::start(options.clone()).await.expect("starts");
    postgres.stop().await.expect("stops");
    let ours = data.path().join("ours");
    std::fs::write(&ours, "kept").expect("can be written");
    for name in ["pg_hba.conf", "postmaster.pid"] {
        let link = folder.join("cluster").join(name);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&ours, link).expect("a link can be made");
    }
    let postgres = Postgres::start(options).await.expect("starts");
    refuses_strangers(&postgres).await;
    assert_eq!(std::fs::read_to_string(&ours).expect("is there"), "kept");
}

async fn refuses_strangers(postgres: &Postgres) {
    let port = postgres.port();
    for user in ["postgres", "postgres:postgres", "postgres:"] {
        let url = format!("postgres://{user}@127.0.0.1:{port}/postgres");
        assert!(PgConnection::connect(&url).await.is_err(), "{user} gets in");
    }
}

#[tokio::test]
async fn kafka_answers_nobody_without_the_password_that_was_drawn() {
    let data = TempDir::new().expect("a folder");
    let folder = data.path().join("kafka");
    let options = KafkaOptions { data: folder.clone(), port: 0, outlives_parent: false };
    let kafka = Kafka::start(options).await.expect("starts");
    assert_eq!(kafka.password(), password_in(&folder));
    let login = |password: &str| {
        vec![
            ("security.protocol", "sasl_plaintext".to_owned()),
            ("sasl.mechanism", "PLAIN".to_owned()),
            ("sasl.username", kafka::USER.to_owned()),
            ("sasl.password", password.to_owned()),
        ]
    };
    let at = kafka.bootstrap_servers();
    let owner = answers(&at, login(kafka.password()), Duration::from_secs(100)).await;
    assert!(owner, "answers its owner");
    for stranger in [vec![], login("karcis"), login("postgres")] {
        assert!(!answers(&at, stranger, Duration::from_secs(3)).await, "answers a stranger");
    }
    shows_nobody(&folder, kafka.password());
}

/// Whether the broker tells a client with these settings which topics there are.
async fn answers(at: &str, settings: Vec<(&'static str, String)>, within: Duration) -> bool {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", at);
    for (name, value) in settings {
        client.set(name, value);
    }
    let asked = tokio::task::spawn_blocking(move || {
        let client: BaseConsumer = client.create().expect("the settings are right");
        client.fetch_metadata(None, within).is_ok()
    });
    asked.await.expect("asks")
}

fn password_in(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("password")).expect("is kept")
}

/// No command line below us has the password, and others can neither list the folder nor read what is
/// in it.
fn shows_nobody(folder: &Path, password: &str) {
    for pid in processes::descendants(std::process::id()) {
        let shown = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&shown).contains(password), "process {pid} shows it");
    }
    let mode = folder.metadata().expect("is there").mode();
    assert_eq!(mode & 0o767, 0o700, "{mode:o}");
    for entry in folder.read_dir().expect("is ours").flatten() {
        let mode = entry.metadata().expect("is there").mode();
        let holds = std::fs::read(entry.path()).unwrap_or_default();
        let is_secret = String::from_utf8_lossy(&holds).contains(password);
        assert!(mode & 0o077 == 0 || !is_secret, "{entry:?} is {mode:o}");
    }
}
