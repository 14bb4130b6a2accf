//! `Accept` as RFC 9110 weighs it.

use axum::{Router, routing::get};
use karcis_http::{TokenKeys, WantsStream};

use crate::harness::{Signer, TestApp, thing_service};

#[tokio::test]
async fn what_a_client_would_rather_have_is_weighed() {
    let chosen = get(async |wants: WantsStream| if wants.0.is_some() { "stream" } else { "JSON" });
    let keys = TokenKeys::own(&Signer::new("k1", 1).keys());
    let app = TestApp::of(thing_service(Router::new().route("/thing", chosen), keys)).await;
    let (json, live) = ("JSON", "stream");
    for (accept, expected) in [
        (vec!["text/event-stream"], live),
        (vec!["Text/Event-Stream; charset=utf-8"], live),
        (vec!["text/event-stream;q=0.001"], live),
        (vec!["text/event-stream;q=1."], live),
        (vec!["text/event-stream;q=1.000, application/json;q=0.999"], live),
        (vec!["application/json;q=2, text/event-stream;q=0.5"], live),
        (vec![r#"application/json;foo="a,b";q=0.3, text/event-stream;bar="\\";q=0.4"#], live),
        (vec!["text/*"], live),
        (vec!["text/event-stream, */*"], live),
        (vec!["*/*, text/event-stream"], live),
        (vec!["application/json;q=0.8, text/event-stream;q=0.9"], live),
        (vec!["application/json;q=0, */*"], live),
        (vec!["*/*;q=0.1", "text/event-stream ; q = 0.2"], live),
        (vec!["application/json; q=0.5; x=1, text/event-stream; x=1; Q=0.7"], live),
        (vec![], json),
        (vec![""], json),
        (vec!["*/*"], json),
        (vec!["application/json"], json),
        (vec!["application/json, text/event-stream;q=0"], json),
        (vec!["text/event-stream;q=0"], json),
        (vec!["text/event-stream;q=0.000, */*"], json),
        (vec!["text/event-stream;q=0", "text/*"], json),
        (vec!["text/*;q=0.9, application/json"], json),
        (vec!["application/json, text/event-stream"], json),
        (vec!["text/event-stream, application/json"], json),
        (vec!["text/event-stream;q=0.3", "application/json;charset=utf-8;q=0.4"], json),
        (vec!["text/event-stream;q=much"], json),
        (vec!["text/event-stream;q=1.1"], json),
        (vec!["text/event-stream;q=1.001, */*;q=0.5"], json),
        (vec!["text/event-stream;q=0.1234"], json),
        (vec!["text/event-stream;q=.5"], json),
        (vec!["text/event-stream;q=5e-1"], json),
        (vec!["text/event-stream;q=inf"], json),
        (vec!["text/event-stream;q=+1"], json),
        (vec!["text/event-stream;q=\"1\""], json),
        (vec![r#"text/event-stream;foo="a,b";q=0"#], json),
        (vec![r#"text/event-stream;foo="a;q=1;b";q=0"#], json),
        (vec![r#"text/event-stream;foo="\",text/event-stream;q=1,";q=0"#], json),
        (vec!["text/html, application/xhtml+xml"], json),
        (vec!["text/event-streams, xtext/event-stream"], json),
    ] {
        let mut request = app.get("/thing");
        for value in &accept {
            request = request.header("accept", *value);
        }
        let chosen = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(chosen, expected, "{accept:?}");
    }
}
