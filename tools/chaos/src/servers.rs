//! The servers that services stand on, which chaos kills and freezes by name, and the ways to them, which it
//! cuts.

mod cluster;
mod two;

use async_trait::async_trait;
use karcis_testkit::{SilentProxy, TestEnvironment};

/// Where there is one of each.
const POSTGRES: &str = "postgres";
const KAFKA: &str = "kafka";
/// The one that takes writes, where another can take its place.
pub(crate) const PRIMARY: &str = "postgres/primary";

/// The servers of one fleet.
pub(crate) struct Servers {
    pub(crate) stack: Box<dyn Stack>,
    /// The ways that can be cut, by name: to some servers there are several.
    ways: Ways,
}

type Ways = Vec<(String, SilentProxy)>;

/// Servers that can be struck by name. Killed ones keep their ports and what is on their disks.
#[async_trait(?Send)]
pub(crate) trait Stack {
    /// What can be killed and frozen.
    fn names(&self) -> &'static [&'static str];

    /// Kills a server with signal 9: it finishes nothing.
    async fn kill(&mut self, name: &str);

    /// Starts a server where it was, with what it had, and waits until it answers; one that runs goes on.
    async fn start_again(&mut self, name: &str);

    /// Stops a server as it stands, with all its processes.
    fn freeze(&self, name: &str);

    /// Lets a frozen one go on.
    fn thaw(&self, name: &str);

    /// Whether each has all that it is to have: then any one may be struck.
    async fn is_in_sync(&self) -> bool {
        true
    }

    /// Has another take the place of [`PRIMARY`].
    async fn promote(&self) {}

    /// Has a new server take the place of the one that was promoted, and forgets the old [`PRIMARY`].
    async fn rebuild(&mut self) {}
}

impl Servers {
    /// Starts them on free ports, one of each or a cluster, with what the services need in them, and with a way
    /// of its own to Postgres for so many instances.
    pub(crate) async fn start(instances: usize, cluster: bool) -> (Self, TestEnvironment) {
        let (stack, mut ways, urls, environment) =
            if cluster { cluster::start().await } else { two::start().await };
        for instance in 0..instances {
            for url in &urls {
                ways.push((format!("{POSTGRES}/{instance}"), SilentProxy::start(url).await));
            }
        }
        (Self { stack, ways }, environment)
    }

    /// The database by this instance's own ways.
    pub(crate) fn database_url(&self, instance: usize, environment: &TestEnvironment) -> String {
        let url = environment.database_url().to_owned();
        self.called(&format!("{POSTGRES}/{instance}")).fold(url, |url, way| way.url(&url))
    }

    /// The ways that can be cut.
    pub(crate) fn ways(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<_> = self.ways.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names.into_iter()
    }

    /// From now on the connections that are open on this way say nothing more. Returns how many those are.
    pub(crate) fn cut(&self, way: &str) -> usize {
        self.called(way).map(SilentProxy::silence).sum()
    }

    /// On how many connections an answer was swallowed.
    pub(crate) fn swallowed(&self) -> usize {
        self.ways.iter().map(|(_, way)| way.swallowed()).sum()
    }

    /// Starts those that are killed, and lets frozen ones go on.
    pub(crate) async fn run_again(&mut self) {
        for name in self.stack.names() {
            self.stack.start_again(name).await;
            self.stack.thaw(name);
        }
    }

    fn called(&self, name: &str) -> impl Iterator<Item = &SilentProxy> {
        self.ways.iter().filter(move |(of, _)| of == name).map(|(_, way)| way)
    }
}

/// `host:port` on this machine.
fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}
