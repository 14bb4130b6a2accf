//! Three brokers, and a Postgres with a synchronous standby: at most one is struck at a time.

use async_trait::async_trait;
use karcis_testkit::{BROKERS, Cluster, Member, SilentProxy, TestEnvironment};

use super::{KAFKA, PRIMARY, Stack, Ways, address};

const STANDBY: &str = "postgres/standby";

/// The servers, the ways to the brokers, and the URLs of both Postgres.
pub(super) async fn start() -> (Box<dyn Stack>, Ways, Vec<String>, TestEnvironment) {
    let mut ways = Ways::new();
    let before_brokers = async |mut ports: [u16; BROKERS]| {
        for (broker, port) in ports.iter_mut().enumerate() {
            let way = SilentProxy::start(&address(*port)).await;
            *port = way.port();
            ways.push((format!("{KAFKA}/{broker}"), way));
        }
        ports
    };
    let cluster = Cluster::start_behind(before_brokers).await;
    let environment = TestEnvironment::on_cluster(&cluster).await;
    let urls = [Member::Primary, Member::Standby].map(|member| cluster.postgres.url_of(member));
    (Box::new(cluster), ways, urls.into(), environment)
}

#[async_trait(?Send)]
impl Stack for Cluster {
    fn names(&self) -> &'static [&'static str] {
        &[PRIMARY, STANDBY, "kafka/0", "kafka/1", "kafka/2"]
    }

    async fn kill(&mut self, name: &str) {
        match broker(name) {
            Some(broker) => self.kafka.kill(broker).await,
            None => self.postgres.kill(member(self, name)).await,
        }
    }

    async fn start_again(&mut self, name: &str) {
        let started = match broker(name) {
            Some(broker) => self.kafka.restart(broker).await,
            None => self.postgres.restart(member(self, name)).await,
        };
        started.expect("the server starts");
    }

    fn freeze(&self, name: &str) {
        match broker(name) {
            Some(broker) => self.kafka.freeze(broker),
            None => self.postgres.freeze(member(self, name)),
        }
    }

    fn thaw(&self, name: &str) {
        match broker(name) {
            Some(broker) => self.kafka.thaw(broker),
            None => self.postgres.thaw(member(self, name)),
        }
    }

    async fn is_in_sync(&self) -> bool {
        Cluster::is_in_sync(self).await
    }

    async fn promote(&self) {
        self.postgres.promote().await.expect("the standby takes writes");
    }

    async fn rebuild(&mut self) {
        self.postgres.rebuild().await.expect("a standby can be made");
    }
}

/// The number of this broker; `None`: it is a Postgres.
fn broker(name: &str) -> Option<usize> {
    name.strip_prefix("kafka/")?.parse().ok()
}

/// Which of the two that is by now.
fn member(cluster: &Cluster, name: &str) -> Member {
    if name == PRIMARY { cluster.postgres.primary() } else { cluster.postgres.standby() }
}
