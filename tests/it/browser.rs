//! A browser at the web app's gateway: its session lives in a cookie, and services see whose call it is.

use std::net::SocketAddr;

use clap::Parser;
use karcis_fleet::{Fleet, FleetBuilder};
use karcis_process::{CancellationToken, Process};
use karcis_schemas::{SERVICES, USER};
use karcis_web::{Config, run};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

#[tokio::test]
async fn a_browser_stays_logged_in_by_its_cookie_until_it_logs_out() {
    let fleet = Fleet::start().await;
    let browser = Browser::before(&fleet).await;
    let sari = json!({
        "email": "sari@mail.example", "password": "nine mangoes in a boat", "name": "Sari",
    });
    let (status, first, session) = browser.exchange("register", "", &sari).await;
    assert_eq!((status, &session["user"]["name"]), (201, &"Sari".into()));
    let (status, second, session) = browser.exchange("refresh", &first, &Value::Null).await;
    assert_eq!((status, first == second), (200, false));

    let token = session["access_token"].as_str().expect("a token");
    let profile = browser.get("/profile").bearer_auth(token).send().await.unwrap();
    let profile: Value = profile.json().await.unwrap();
    assert_eq!(profile["email"], "sari@mail.example", "services know the token");
    let sessions = browser.get("/sessions").bearer_auth(token).send().await.unwrap();
    let sessions: Value = sessions.json().await.unwrap();
    assert_eq!(sessions["items"][0]["user_agent"], "a browser", "{sessions}");

    let (status, gone, _) = browser.exchange("logout", &second, &Value::Null).await;
    assert_eq!((status, gone.as_str()), (204, ""));
    let (status, _, _) = browser.exchange("refresh", &second, &Value::Null).await;
    assert_eq!(status, 204, "the session has ended, also for who kept the cookie");

    let wrong = json!({ "email": "sari@mail.example", "password": "ten mangoes" });
    let (status, cookie, problem) = browser.exchange("login", "", &wrong).await;
    assert_eq!((status, cookie.as_str()), (401, ""));
    assert_eq!(problem["type"], "/problems/wrong-credentials");
    let (status, cookie, _) = browser.exchange("login", "", &json!({ "email": 1 })).await;
    assert_eq!((status, cookie.as_str()), (422, ""));
}

#[tokio::test]
async fn limits_are_those_of_the_client_and_not_of_the_gateway() {
    let fleet = builder().flag(&USER, "--rate-limit-logins", "3/1h").start().await;
    let browser = Browser::before(&fleet).await;
    let nobody = json!({ "email": "nobody@mail.example", "password": "nine mangoes in a boat" });
    let log_in = async |from: &str| {
        let request = browser.request("login", "").json(&nobody).header("x-forwarded-for", from);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..3 {
        assert_eq!(log_in("203.0.113.7").await, 401);
    }
    assert_eq!(log_in("203.0.113.7").await, 429);
    assert_eq!(log_in("203.0.113.8").await, 401, "somebody else's limit");
}

/// A fleet that believes the gateway.
fn builder() -> FleetBuilder {
    let trusting = |builder: FleetBuilder, service| {
        builder.flag(service, "--trusted-proxies", "127.0.0.1").flag(service, "--rate-limits", "on")
    };
    SERVICES.into_iter().fold(Fleet::builder(), trusting)
}

/// A browser, and a gateway that trusts it as a proxy: so it can be at any address.
struct Browser {
    gateway: SocketAddr,
    http: Client,
    stopping: CancellationToken,
}

impl Browser {
    async fn before(fleet: &Fleet) -> Self {
        let urls = SERVICES.map(|service| format!("--{}-url={}", service.name, fleet.url(service)));
        let flags = ["karcis-web", "--trusted-proxies=127.0.0.1"].map(str::to_owned);
        let config = Config::try_parse_from(flags.into_iter().chain(urls)).expect("good flags");
        let listener = karcis_http::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let gateway = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        tokio::spawn(run(config, listener, Process::embedded(stopping.clone())));
        let http = Client::builder().no_proxy().user_agent("a browser").build().unwrap();
        Self { gateway, http, stopping }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("http://{}{path}", self.gateway))
    }

    /// A call that the page makes with this cookie.
    fn request(&self, call: &str, cookie: &str) -> RequestBuilder {
        let request = self.http.post(format!("http://{}/session/{call}", self.gateway));
        let request = request.header("origin", format!("http://{}", self.gateway));
        if cookie.is_empty() { request } else { request.header("cookie", cookie) }
    }

    /// The status, the cookie as it is sent back, empty if it is cleared or not set, and the JSON.
    async fn exchange(&self, call: &str, cookie: &str, body: &Value) -> (u16, String, Value) {
        let mut request = self.request(call, cookie);
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let set = response.headers().get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
        let set = set.filter(|cookie| !cookie.ends_with("Max-Age=0")).unwrap_or_default();
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        assert!(!text.contains("refresh_token"), "{text}");
        (status, cookie, serde_json::from_str(&text).unwrap_or_default())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}
