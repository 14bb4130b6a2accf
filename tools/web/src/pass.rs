//! Passes requests on to the services and their answers back, as they come: nothing is collected on the
//! way, so live streams stay live.

use std::time::Duration;

use axum::{
    RequestExt,
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Uri, Version,
        header::{
            CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE,
            PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
        },
        uri::{Authority, Scheme},
    },
    response::Response,
};
use futures_util::StreamExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use karcis_http::{ClientIp, Problem, TrustedProxies};
use karcis_process::{CancellationToken, chain, trace};
use karcis_schemas::Service;
use tokio::time::timeout;

use crate::Upstreams;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take to begin: longer than any wait that a call can ask for.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Less than the services keep an idle connection, so that none is used that they are about to close.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// What is about one connection alone (RFC 9110, 7.6.1), beside what `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The way to the services. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passing {
    client: Client<HttpConnector, Body>,
    upstreams: Upstreams,
    stopping: CancellationToken,
}

impl Passing {
    /// To these services, until `stopping` ends all live streams.
    pub(crate) fn new(upstreams: Upstreams, stopping: CancellationToken) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        let client =
            builder.pool_idle_timeout(IDLE_TIMEOUT).pool_timer(TokioTimer::new()).build(connector);
        Self { client, upstreams, stopping }
    }

    /// The service's answer to this request; 503 if it gives none.
    pub(crate) async fn pass(
        &self,
        service: &Service,
        mut request: Request,
    ) -> Result<Response, Problem> {
        let name = service.full_name();
        let upstream = self.upstreams.of(service).ok_or_else(|| Problem::internal(name))?;
        let Ok(client_ip) = request.extract_parts::<ClientIp>().await;
        *request.uri_mut() =
            at(upstream, request.uri()).map_err(|error| Problem::internal(chain(&error)))?;
        *request.version_mut() = Version::HTTP_11;
        rewrite(&mut request, client_ip);
        let answer = timeout(HEAD_TIMEOUT, self.client.request(request)).await;
        let answer = answer.map_err(|_| {
            Problem::unavailable(format_args!("{name} began no answer within 30 s"))
        })?;
        let answer = answer
            .map_err(|error| Problem::unavailable(format_args!("{name}: {}", chain(&error))))?;
        Ok(self.passed_back(answer.map(Body::new)))
    }

    fn passed_back(&self, mut answer: Response) -> Response {
        strip(answer.headers_mut());
        let kind = answer.headers().get(CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            // It has no end of its own, and its reader comes back.
            let stopped = self.stopping.clone().cancelled_owned();
            return answer
                .map(|body| Body::from_stream(body.into_data_stream().take_until(stopped)));
        }
        answer
    }
}

/// The same path and query at the service.
fn at(upstream: &Authority, uri: &Uri) -> Result<Uri, axum::http::Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().scheme(Scheme::HTTP).authority(upstream.clone()).path_and_query(path).build()
}

/// Makes the client's request the gateway's. The client's address stands alone in `X-Forwarded-For`, so
/// services need to trust no proxy but this one.
fn rewrite(request: &mut Request, client_ip: ClientIp) {
    let is_of_proxy = TrustedProxies::sent(request.extensions());
    let headers = request.headers_mut();
    strip(headers);
    let host = headers.remove(HOST);
    let told = |name: &str| headers.get(name).filter(|_| is_of_proxy).cloned();
    let host = told("x-forwarded-host").or(host);
    let proto = told("x-forwarded-proto").unwrap_or(HeaderValue::from_static("http"));
    let traceparent = trace::header(&trace::current());
    let traceparent = traceparent.and_then(|value| HeaderValue::from_str(&value).ok());
    let client_ip = HeaderValue::from_str(&client_ip.to_string()).ok();
    // A cookie is the gateway's own affair.
    for name in [COOKIE, EXPECT, FORWARDED] {
        headers.remove(name);
    }
    let ours = [
        ("traceparent", traceparent),
        ("x-forwarded-for", client_ip),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", Some(proto)),
    ];
    for (name, value) in ours {
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Takes out what is about one connection alone.
fn strip(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named =
        named.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
    for name in named.collect::<Vec<HeaderName>>().into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}
