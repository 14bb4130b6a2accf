//! How often an account or a client may ask.

use futures_util::{StreamExt, stream};
use karcis_http::{Claims, TokenKeys};
use karcis_kernel::Role;
use reqwest::RequestBuilder;

use crate::harness::{ProblemResponse, Signer, TestApp, claims, routes, thing_service, token};

/// An app behind a trusted gateway, with these flags.
async fn app(flags: &[&str]) -> TestApp {
    let app = thing_service(routes(), TokenKeys::own(&Signer::new("k1", 1).keys()));
    TestApp::with_flags(app, &[&["--trusted-proxies", "127.0.0.1"], flags].concat()).await
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// A request that the gateway passes on for this client.
fn of(client: &str, request: RequestBuilder) -> RequestBuilder {
    request.header("x-forwarded-for", client)
}

#[tokio::test]
async fn a_client_without_a_login_is_told_when_to_come_again() {
    let app = app(&["--rate-limit-per-client-ip", "3/1h"]).await;
    for path in ["/public", "/nothing", "/client"] {
        assert_ne!(status(of("203.0.113.7", app.get(path))).await, 429);
    }
    for request in [app.get("/public"), app.get("/nothing"), app.post("/keyed"), app.get("/me")] {
        let refused = ProblemResponse::of(of("203.0.113.7", request)).await;
        let wait_s: u32 = refused.is(429, "too-many-requests").headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1_100..=1_200).contains(&wait_s), "{wait_s} s until the next of three an hour");
    }
    let others = ["203.0.113.8", "2001:db8::1"];
    for client in others {
        assert_eq!(status(of(client, app.get("/public"))).await, 200, "{client} is another");
    }
    // All addresses of a network of 2^64 are one client's.
    for address in ["2001:db8::2", "2001:db8::ffff:1"] {
        assert_eq!(status(of(address, app.get("/public"))).await, 200);
    }
    assert_eq!(status(of("2001:db8::3", app.get("/public"))).await, 429);
}

#[tokio::test]
async fn health_and_metrics_are_always_answered_and_refusals_counted() {
    let app = app(&["--rate-limit-per-client-ip", "1/24h"]).await;
    let before = limited(&app, "client_ip").await;
    assert_eq!(status(app.get("/public")).await, 200);
    for path in ["/public", "/", "/openapi.json", "/docs", "/problems/not-found"] {
        assert_eq!(status(app.get(path)).await, 429, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        for _ in 0..3 {
            assert_eq!(status(app.get(path)).await, 200, "{path}");
        }
    }
    assert!(limited(&app, "client_ip").await >= before + 5.0);
}

/// How many requests this limit has refused. All tests of this process are in it.
async fn limited(app: &TestApp, limit: &str) -> f64 {
    let metrics = app.get("/metrics").send().await.unwrap().text().await.unwrap();
    let sample = format!("karcis_requests_limited_total{{limit=\"{limit}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&sample));
    value.unwrap_or_else(|| panic!("no {sample}in {metrics}")).parse().unwrap()
}

#[tokio::test]
async fn an_account_is_limited_wherever_it_is_and_leaves_its_client_alone() {
    let app =
        app(&["--rate-limit-per-account", "3/1h", "--rate-limit-per-client-ip", "5/1h"]).await;
    let (sari, budi) = (token(Role::Buyer), token(Role::Buyer));
    for client in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        assert_eq!(status(of(client, app.get("/me").bearer_auth(&sari))).await, 200);
    }
    for client in ["203.0.113.1", "203.0.113.4"] {
        let request = of(client, app.get("/me").bearer_auth(&sari));
        ProblemResponse::of(request).await.is(429, "too-many-requests");
    }
    // Another token of the same account changes nothing, another account is another.
    let of_sari: Claims = jsonwebtoken::dangerous::insecure_decode_claims(&sari).unwrap();
    let again = Signer::new("k1", 1).token(&Claims { exp: of_sari.exp - 1, ..of_sari });
    assert_eq!(status(of("203.0.113.1", app.get("/me").bearer_auth(&again))).await, 429);
    assert_eq!(status(of("203.0.113.1", app.get("/me").bearer_auth(&budi))).await, 200);
    // So far 203.0.113.1 had a token looked at three times: of its five, two are left.
    for expected in [200, 200, 429] {
        assert_eq!(status(of("203.0.113.1", app.get("/public"))).await, expected);
    }
    assert_eq!(status(of("203.0.113.1", app.get("/me").bearer_auth(&budi))).await, 200);
}

#[tokio::test]
async fn bad_tokens_cost_their_client_as_much_as_none() {
    let app = app(&["--rate-limit-per-client-ip", "4/1h"]).await;
    let forged = Signer::new("k1", 2).token(&claims(Role::Admin));
    for (token, expected) in [(forged.as_str(), 401), ("nonsense", 401), ("", 401), (&forged, 401)]
    {
        assert_eq!(status(app.get("/me").bearer_auth(token)).await, expected);
    }
    for token in [forged.as_str(), "nonsense", ""] {
        assert_eq!(status(app.get("/me").bearer_auth(token)).await, 429);
        assert_eq!(status(app.get("/public").bearer_auth(token)).await, 429);
    }
}

#[tokio::test]
async fn without_limits_nobody_is_refused() {
    let few = ["--rate-limit-per-client-ip", "1/24h", "--rate-limit-per-account", "1/24h"];
    let app = app(&[&["--rate-limits", "off"], &few[..]].concat()).await;
    let token = token(Role::Buyer);
    for _ in 0..5 {
        assert_eq!(status(app.get("/public")).await, 200);
        assert_eq!(status(app.get("/me").bearer_auth(&token)).await, 200);
    }
}

#[tokio::test]
async fn an_office_behind_one_address_gets_through_an_on_sale() {
    let app = app(&[]).await;
    let people: Vec<_> = (0..100).map(|_| token(Role::Buyer)).collect();
    let mut requests = Vec::new();
    for token in &people {
        requests.extend((0..10).map(|_| app.get("/public")));
        requests.extend((0..10).map(|_| app.get("/me").bearer_auth(token)));
    }
    let statuses: Vec<_> =
        stream::iter(requests.into_iter().map(status)).buffer_unordered(50).collect().await;
    assert_eq!(statuses, [200; 2_000]);
}
