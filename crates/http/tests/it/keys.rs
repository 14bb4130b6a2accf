//! Token keys that are fetched from another service.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, http::StatusCode, response::Redirect, routing::get};
use jsonwebtoken::jwk::JwkSet;
use karcis_http::{TokenError, TokenKeys};
use karcis_kernel::Role;
use karcis_process::{CancellationToken, now};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::harness::{ProblemResponse, Signer, TestApp, claims, routes, thing_service};

/// So rarely that no test sees it.
pub(crate) const POLL: Duration = Duration::from_secs(3_600);

/// Publishes keys, or fails while it has none; counts the requests.
#[derive(Clone, Default)]
pub(crate) struct Publisher {
    pub keys: Arc<Mutex<Option<JwkSet>>>,
    pub requests: Arc<AtomicUsize>,
}

impl Publisher {
    pub(crate) async fn listen(&self) -> String {
        let this = self.clone();
        let routes = Router::new().route(
            "/jwks",
            get(async move || {
                this.requests.fetch_add(1, Ordering::SeqCst);
                let keys = this.keys.lock().unwrap().clone();
                keys.map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    pub(crate) fn publish(&self, signers: &[&Signer]) {
        let keys = signers.iter().map(|signer| signer.public()).collect();
        *self.keys.lock().unwrap() = Some(JwkSet { keys });
    }
}

pub(crate) async fn until_known(keys: &TokenKeys) {
    while !keys.are_known() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn before_the_keys_are_known_a_token_is_503_and_its_absence_401() {
    let (publisher, signer) = (Publisher::default(), Signer::new("k1", 1));
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL);
    let app = TestApp::of(thing_service(routes(), keys.clone())).await;
    let stopping = CancellationToken::new();
    let fetching = tokio::spawn(keys.clone().keep_fresh(stopping.clone()));

    let token = signer.token(&claims(Role::Buyer));
    for token in [token.as_str(), "garbage"] {
        let problem = ProblemResponse::of(app.get("/me").bearer_auth(token)).await;
        assert!(problem.is(503, "unavailable").headers.contains_key("retry-after"));
        assert!(problem.detail.contains("keys"), "{}", problem.detail);
    }
    ProblemResponse::of(app.get("/me")).await.is(401, "not-logged-in");
    let unready = ProblemResponse::of(app.get("/readyz")).await;
    assert!(unready.is(503, "unavailable").detail.contains("keys"));

    publisher.publish(&[&signer]);
    until_known(&keys).await;
    assert_eq!(app.get("/me").bearer_auth(&token).send().await.unwrap().status(), 200);
    assert_eq!(app.get("/readyz").send().await.unwrap().status(), 200);
    stopping.cancel();
    fetching.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_service_that_starts_answers_once_it_has_the_keys() {
    let (publisher, signer) = (Publisher::default(), Signer::new("k1", 1));
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL);
    let app = TestApp::of(thing_service(routes(), keys.clone())).await;
    let stopping = CancellationToken::new();
    let fetching = tokio::spawn(keys.keep_fresh(stopping.clone()));
    let early = app.get("/me").bearer_auth(signer.token(&claims(Role::Buyer)));
    let response = tokio::spawn(early.send());
    while publisher.requests.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    publisher.publish(&[&signer]);
    assert_eq!(response.await.unwrap().unwrap().status(), 200);
    stopping.cancel();
    fetching.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_tokens_of_a_withdrawn_key_are_forgotten_and_no_others() {
    let (old, new) = (Signer::new("k1", 1), Signer::new("k2", 2));
    let both = JwkSet { keys: vec![old.public(), new.public()] };
    let keys = TokenKeys::own(&both);
    let tokens = [&old, &new].map(|signer| signer.token(&claims(Role::Buyer)));
    for token in &tokens {
        keys.verify(token).await.expect("its key is there");
    }
    keys.replace(&new.keys(), now());
    assert_eq!(keys.verify(&tokens[0]).await, Err(TokenError::Invalid));
    keys.verify(&tokens[1]).await.expect("its key is still there");
    // Another key of the same name is another key.
    keys.replace(&Signer::new("k2", 3).keys(), now());
    assert_eq!(keys.verify(&tokens[1]).await, Err(TokenError::Invalid));
    keys.replace(&both, now());
    for token in &tokens {
        keys.verify(token).await.expect("its key is there again");
    }
}

/// Keys at this URL, given the time for some fetches.
async fn fetches_from(url: &str) -> bool {
    let keys = TokenKeys::fetched_from(url, POLL);
    let fetching = tokio::spawn(keys.clone().keep_fresh(CancellationToken::new()));
    let known = tokio::time::timeout(Duration::from_secs(5), until_known(&keys)).await;
    fetching.abort();
    known.is_ok()
}

#[tokio::test]
async fn keys_are_neither_fetched_from_elsewhere_nor_without_end() {
    let (publisher, signer) = (Publisher::default(), Signer::new("k1", 1));
    publisher.publish(&[&signer]);
    let elsewhere = publisher.listen().await;
    let jwks = serde_json::to_string(&JwkSet { keys: vec![signer.public()] }).unwrap();
    let padded = |to_bytes: usize| {
        let jwks = format!("{}{jwks}", " ".repeat(to_bytes - jwks.len()));
        get(async move || jwks.clone())
    };
    let redirect = get(async move || Redirect::temporary(&elsewhere));
    let routes = Router::new()
        .route("/redirect", redirect)
        .route("/full", padded(64 * 1024))
        .route("/larger", padded(64 * 1024 + 1));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    assert!(fetches_from(&format!("{url}/full")).await);
    assert!(!fetches_from(&format!("{url}/larger")).await);
    assert!(!fetches_from(&format!("{url}/redirect")).await);
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 0, "nobody was sent there");
}

/// Tells a child of the test below whether it trusts the certificate.
const TRUSTS: &str = "KARCIS_TEST_TRUSTS";
/// For 127.0.0.1, and signed by itself.
const CERTIFICATE: &str = "tests/it/certificate.pem";

#[tokio::test]
async fn keys_are_fetched_over_https_from_whom_the_machine_trusts() {
    if let Ok(trusts) = std::env::var(TRUSTS) {
        let jwks = JwkSet { keys: vec![Signer::new("k1", 1).public()] };
        let url = listen_with_tls(serde_json::to_string(&jwks).unwrap()).await;
        assert_eq!(fetches_from(&url).await.to_string(), trusts);
        return;
    }
    for trusts in ["true", "false"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "keys::keys_are_fetched_over_https_from_whom_the_machine_trusts";
        child.args(["--exact", name]).env(TRUSTS, trusts).env_remove("SSL_CERT_FILE");
        if trusts == "true" {
            child.env("SSL_CERT_FILE", CERTIFICATE);
        }
        let ran = child.output().unwrap();
        assert!(ran.status.success(), "{trusts}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

/// Answers every request on every connection with this body.
async fn listen_with_tls(body: String) -> String {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file("tests/it/certificate.key").unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/jwks", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // Who does not trust us goes away.
            if let Ok(mut stream) = acceptor.accept(connection).await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    url
}
