//! A client of another server, over http or https.

use axum::{
    body::Bytes,
    http::{Request, Response},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use karcis_process::chain;

/// Keeps its connections. It follows no redirect and asks no proxy; a certificate has to be signed by one of
/// the machine's authorities (`SSL_CERT_FILE`), or where it has none, by one that browsers trust.
pub struct HttpsClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    max_bytes: usize,
}

impl HttpsClient {
    /// Of the server of this URL, whose answers have at most so many bytes.
    pub fn new(url: &str, max_bytes: usize) -> Self {
        let machines = if url.starts_with("https:") {
            HttpsConnectorBuilder::new().with_native_roots().ok()
        } else {
            None
        };
        let connector =
            machines.unwrap_or_else(|| HttpsConnectorBuilder::new().with_webpki_roots());
        let connector = connector.https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector), max_bytes }
    }

    /// The answer, whatever its status; or why there is none. Who calls it limits the time.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let answer = self.client.request(request.map(Full::new)).await;
        let (head, body) = answer.map_err(|error| chain(&error).to_string())?.into_parts();
        let body = Limited::new(body, self.max_bytes).collect().await;
        let body = body.map_err(|error| chain(&*error).to_string())?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}
