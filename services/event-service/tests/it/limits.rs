//! How often one address may search.

use karcis_kernel::Role;
use karcis_testkit::{Answer, TestEnvironment};
use reqwest::Method;

use crate::harness::{TestApp, plan};

#[tokio::test]
async fn a_client_may_search_so_often_and_look_at_events_all_the_same() {
    let flags = ["--rate-limits", "on", "--rate-limit-searches", "3/24h"];
    let flags = [&flags[..], &["--trusted-proxies", "127.0.0.0/8"]].concat();
    let app = TestApp::start_with(TestEnvironment::start().await, &flags).await;
    let concert = app.made(&app.organiser(), &plan(10)).await;
    let (visitor, buyer) = (app.visitor(), app.person(Role::Buyer));
    for text in ["d", "de", "dewa"] {
        visitor.get(&format!("/events?q={text}")).await.is(200);
    }
    for who in [&visitor, &buyer] {
        let refused = who.get("/events?q=dewa").await.is_problem(429, "too-many-requests");
        assert!(refused.headers.contains_key("retry-after"));
        for path in ["/events", "/events?q=%20", &format!("/events/{}", concert.id)] {
            who.get(path).await.is(200);
        }
        who.get("/events?q=%00").await.is_problem(422, "invalid-input");
    }
    // Behind the gateway another client has a count of its own.
    let other = visitor.request(Method::GET, "/events?q=dewa");
    Answer::to(other.header("x-forwarded-for", "203.0.113.7")).await.is(200);
    app.stop().await;
}
