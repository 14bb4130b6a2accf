//! The listener for operators.

use std::net::TcpListener;

use karcis_http::TokenKeys;
use serde_json::{Value, json};

use crate::harness::{ProblemResponse, Signer, TestApp, routes, thing_service};

const FOR_OPERATORS: [&str; 4] = ["/metrics", "/docs", "/docs/", "/openapi.json"];

/// An app with this admin listener and more flags.
async fn app(admin: &str, flags: &[&str]) -> TestApp {
    let app = thing_service(routes(), TokenKeys::fixed(&Signer::new("k1", 1).keys()));
    TestApp::with_flags(app, &[&["--admin-listen", admin], flags].concat()).await
}

/// An address that was free a moment ago.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Where the index of a listener says `path` is.
async fn lists(app: &TestApp, index: &str, path: &str) -> bool {
    let index: Value = app.client.get(index).send().await.unwrap().json().await.unwrap();
    index["endpoints"].as_array().unwrap().contains(&json!({"method": "GET", "path": path}))
}

#[tokio::test]
async fn what_is_for_operators_has_a_listener_of_its_own() {
    let admin = free_address();
    let app = app(&admin, &[]).await;
    let of_admin = |path: &str| app.client.get(format!("http://{admin}{path}"));
    assert_eq!(app.get("/healthz").send().await.unwrap().status(), 200);
    for path in FOR_OPERATORS {
        ProblemResponse::of(app.get(path)).await.is(404, "not-found");
        assert_eq!(of_admin(path).send().await.unwrap().status(), 200, "{path}");
    }
    for path in ["/healthz", "/readyz", "/"] {
        assert_eq!(app.get(path).send().await.unwrap().status(), 200, "{path}");
        assert_eq!(of_admin(path).send().await.unwrap().status(), 200, "{path}");
    }
    for path in ["/things", "/public", "/problems/not-found"] {
        ProblemResponse::of(of_admin(path)).await.is(404, "not-found");
    }
    let (public, own) = (app.url("/"), format!("http://{admin}/"));
    for (path, on_public, on_own) in [
        ("/metrics", false, true),
        ("/things", true, false),
        ("/healthz", true, true),
        ("/problems/{slug}", true, false),
    ] {
        assert_eq!(lists(&app, &public, path).await, on_public, "{path}");
        assert_eq!(lists(&app, &own, path).await, on_own, "{path}");
    }
    let headers = of_admin("/metrics").send().await.unwrap().headers().clone();
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn without_a_listener_of_its_own_it_is_served_with_everything_else() {
    let app = TestApp::open().await;
    for path in FOR_OPERATORS {
        assert_eq!(app.get(path).send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test]
async fn an_admin_address_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut app = app(&address, &[]).await;
    let error = (&mut app.served).await.unwrap().expect_err("it is taken").to_string();
    assert!(error.contains(&address) && error.contains("KARCIS_ADMIN_LISTEN"), "{error}");
}

#[tokio::test]
async fn the_page_of_the_document_keeps_no_token() {
    let app = TestApp::open().await;
    let script = app.get("/docs/swagger-initializer.js").send().await.unwrap();
    let script = script.text().await.unwrap();
    assert!(script.contains("\"persistAuthorization\": false"), "{script}");
}
