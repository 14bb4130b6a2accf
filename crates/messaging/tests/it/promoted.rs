//! An outbox whose database another server takes over, while the old one goes on.

use karcis_testkit::{Member, TestEnvironment, eventually, postgres_pair};
use sqlx::{Connection, PgConnection};
use tokio::time::Duration;
use uuid::Uuid;

use crate::harness::{TestApp, note};

#[tokio::test]
async fn what_is_written_to_a_promoted_server_is_sent_though_the_old_one_goes_on() {
    let pair = postgres_pair().await;
    let app = TestApp::on(TestEnvironment::on_pair(&pair).await).await;
    // One has the outbox, the other waits for it.
    let relays = [app.relay(), app.relay()];
    let reader = app.reader();
    let booking = Uuid::now_v7();
    app.send(&relays[0].part, &[note(booking, 0)]).await;
    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    eventually(|| app.unsent()).is(0).await;

    pair.promote().await.unwrap();
    let standby = async || {
        let names = sqlx::query_scalar("SHOW synchronous_standby_names").fetch_one(&app.pool);
        names.await.map_err(|error| error.to_string())
    };
    let moved = eventually(standby).within(Duration::from_secs(20));
    moved.is(Ok(String::new())).await;
    app.send(&relays[0].part, &[note(booking, 1)]).await;

    eventually(|| async { reader.part.first_notes(booking) }).is(vec![0, 1]).await;
    eventually(|| app.unsent()).is(0).await;
    let mut old = PgConnection::connect(&pair.url_of(Member::Primary)).await.unwrap();
    sqlx::query("SELECT 1").execute(&mut old).await.unwrap();
}
