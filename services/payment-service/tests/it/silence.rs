//! Connections to the database go silent: nobody closes them, and no answer comes.

use std::time::Duration;

use karcis_testkit::{TestEnvironment, eventually};
use tokio::time::Instant;

use crate::harness::{Buyer, TestApp};

#[tokio::test]
async fn silent_connections_stop_neither_commands_nor_payments_nor_refunds() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.behind_proxy().await;
    let mut app = TestApp::without_instance_on(environment).await;
    app.start_instance_with(&[]).await;
    let (paid, paying) = (app.buyer().await, app.buyer().await);
    app.pay(paid, "tok_approved").await.is(200);
    app.told(paid, &["Requested", "Succeeded"]).await;

    proxy.silence();
    let since = Instant::now();
    let new = Buyer::new();
    app.send_all(vec![new.request().into(), paid.refund().into()]).await;
    let pays = || async { app.pay(paying, "tok_approved").await.status.as_u16() };
    eventually(pays).is(200).await;
    // Commands whose commit was not answered come again, and are answered again.
    let told = async |buyer| {
        let mut kinds = app.kinds(buyer);
        kinds.dedup();
        kinds
    };
    eventually(|| told(new)).is(vec!["Requested"]).await;
    eventually(|| told(paid)).is(vec!["Requested", "Succeeded", "Refunded"]).await;
    assert!(since.elapsed() < Duration::from_secs(60), "it took {:?}", since.elapsed());
    assert!(proxy.swallowed() >= 3, "{} connections were silent", proxy.swallowed());
    app.stop().await;
}
