//! Connections to the database go silent: nobody closes them, and no answer comes.

use std::time::Duration;

use karcis_testkit::{TestEnvironment, eventually};
use tokio::time::Instant;

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn silent_connections_stop_no_log_in_for_long() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.behind_proxy().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Sari").await;

    proxy.silence();
    let since = Instant::now();
    let logs_in = || async { users.logs_in("Sari", PASSWORD).await.status.as_u16() };
    eventually(logs_in).is(200).await;
    assert!(since.elapsed() < Duration::from_secs(60), "it took {:?}", since.elapsed());
    assert!(proxy.swallowed() >= 1, "no connection was silent");
    users.stop().await;
}
