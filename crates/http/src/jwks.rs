//! Reads a key set from another service, over http or https.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{
        Request,
        header::{AGE, CACHE_CONTROL},
    },
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jsonwebtoken::jwk::JwkSet;
use tokio::time::timeout;

/// A set of keys for years of rotations is far below this.
const MAX_BYTES: usize = 64 * 1024;

/// The key set at this URL, and for how long a cache may have kept it; or why there is none within this
/// time. Follows no redirect and asks no proxy; a certificate has to be signed by one of the machine's
/// authorities (`SSL_CERT_FILE`), or where it has none, by one that browsers trust.
pub(crate) async fn read(url: &str, within: Duration) -> Result<(JwkSet, Duration), String> {
    let read = timeout(within, get(url)).await;
    let (body, age) = read.map_err(|_| format!("no answer within {} s", within.as_secs()))??;
    let keys = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    Ok((keys, age))
}

async fn get(url: &str) -> Result<(Bytes, Duration), String> {
    let uri: axum::http::Uri = url.parse().map_err(|_| "this is no URL".to_owned())?;
    let machines = if uri.scheme_str() == Some("https") {
        HttpsConnectorBuilder::new().with_native_roots().ok()
    } else {
        None
    };
    let connector = machines.unwrap_or_else(|| HttpsConnectorBuilder::new().with_webpki_roots());
    let connector = connector.https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    // A cache in between is to ask user-service; one that does not says how old its answer is.
    let request = Request::get(uri).header(CACHE_CONTROL, "no-cache").body(Empty::default());
    let request = request.map_err(|error| error.to_string())?;
    let answer = client.request(request).await.map_err(|error| karcis_process::chain(&error))?;
    if answer.status() != axum::http::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()));
    }
    let age = answer.headers().get(AGE).and_then(|age| age.to_str().ok()?.parse::<u32>().ok());
    let age = Duration::from_secs(age.unwrap_or_default().into());
    let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
    Ok((body.map_err(|error| karcis_process::chain(&*error))?.to_bytes(), age))
}
