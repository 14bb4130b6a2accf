//! Reads a key set from another service, over http or https.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{
        Request,
        header::{AGE, CACHE_CONTROL},
    },
};
use jsonwebtoken::jwk::JwkSet;
use tokio::time::timeout;

use crate::HttpsClient;

/// A set of keys for years of rotations is far below this.
const MAX_BYTES: usize = 64 * 1024;

/// The key set at this URL, and for how long a cache may have kept it; or why there is none within this
/// time.
pub(crate) async fn read(url: &str, within: Duration) -> Result<(JwkSet, Duration), String> {
    let read = timeout(within, get(url)).await;
    let (body, age) = read.map_err(|_| format!("no answer within {} s", within.as_secs()))??;
    let keys = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    Ok((keys, age))
}

async fn get(url: &str) -> Result<(Bytes, Duration), String> {
    // A cache in between is to ask user-service; one that does not says how old its answer is.
    let request = Request::get(url).header(CACHE_CONTROL, "no-cache").body(Bytes::new());
    let request = request.map_err(|error| error.to_string())?;
    let answer = HttpsClient::new(url, MAX_BYTES).send(request).await?;
    if answer.status() != axum::http::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()));
    }
    let age = answer.headers().get(AGE).and_then(|age| age.to_str().ok()?.parse::<u32>().ok());
    Ok((answer.into_body(), Duration::from_secs(age.unwrap_or_default().into())))
}
