//! Reads a key set from another service, over http or https.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jsonwebtoken::jwk::JwkSet;
use tokio::time::timeout;

/// A set of keys for years of rotations is far below this.
const MAX_BYTES: usize = 64 * 1024;

/// The key set at this URL, or why there is none within this time. Follows no redirect and asks no
/// proxy; a certificate has to be signed by one of the machine's authorities (`SSL_CERT_FILE`), or where
/// it has none, by one that browsers trust.
pub(crate) async fn read(url: &str, within: Duration) -> Result<JwkSet, String> {
    let read = timeout(within, get(url)).await;
    let answer = read.map_err(|_| format!("no answer within {} s", within.as_secs()))??;
    serde_json::from_slice(&answer).map_err(|error| error.to_string())
}

async fn get(url: &str) -> Result<Bytes, String> {
    let uri: axum::http::Uri = url.parse().map_err(|_| "this is no URL".to_owned())?;
    let machines = if uri.scheme_str() == Some("https") {
        HttpsConnectorBuilder::new().with_native_roots().ok()
    } else {
        None
    };
    let connector = machines.unwrap_or_else(|| HttpsConnectorBuilder::new().with_webpki_roots());
    let connector = connector.https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let answer = client.get(uri).await.map_err(|error| karcis_process::chain(&error))?;
    if answer.status() != axum::http::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
    Ok(body.map_err(|error| karcis_process::chain(&*error))?.to_bytes())
}
