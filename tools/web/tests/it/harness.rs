//! The gateway before tiny services, each of which says what it was asked.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{Json, Router, body::to_bytes, extract::Request, response::IntoResponse};
use clap::Parser;
use karcis_process::{CancellationToken, Process};
use karcis_schemas::SERVICES;
use karcis_web::{Config, run};
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A gateway that is served until this is dropped.
pub(crate) struct TestSite {
    pub address: SocketAddr,
    pub stopping: CancellationToken,
    client: Client,
}

impl TestSite {
    /// Before services that say what they were asked, but for these routes of all of them.
    pub(crate) async fn before(routes: Router) -> Self {
        Self::with_flags(routes, &[]).await
    }

    /// The same with these flags on top.
    pub(crate) async fn with_flags(routes: Router, flags: &[&str]) -> Self {
        let mut arguments = vec!["karcis-web".to_owned()];
        for service in SERVICES {
            let address = tiny_service(service.name, routes.clone()).await;
            arguments.push(format!("--{}-url=http://{address}", service.name));
        }
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        Self::of(arguments).await
    }

    /// Before services of which none is there.
    pub(crate) async fn before_nobody() -> Self {
        let nowhere = SERVICES.map(|service| format!("--{}-url=http://127.0.0.1:1", service.name));
        Self::of(["karcis-web".to_owned()].into_iter().chain(nowhere).collect()).await
    }

    async fn of(arguments: Vec<String>) -> Self {
        let config = Config::try_parse_from(arguments).expect("the flags are right");
        let listener = karcis_http::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let address = listener.local_addr().expect("has an address");
        let stopping = CancellationToken::new();
        tokio::spawn(run(config, listener, Process::embedded(stopping.clone())));
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        Self { address, stopping, client: client.expect("a client") }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }
}

impl Drop for TestSite {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// Serves these routes and, on all other paths, what was asked.
async fn tiny_service(name: &'static str, routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("has an address");
    let routes = routes.fallback(async move |request: Request| asked(name, request).await);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn asked(service: &str, request: Request) -> impl IntoResponse + use<> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers: BTreeMap<String, String> = headers.collect();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    Json(json!({
        "service": service,
        "method": head.method.as_str(),
        "path": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

/// The JSON of the answer to this request, and its status.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a whole answer");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A header of the answer as text; empty if it is missing.
pub(crate) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("is text"))
}
