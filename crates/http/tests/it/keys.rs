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
use karcis_process::CancellationToken;
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
const POLL: Duration = Duration::from_secs(3_600);

/// Publishes keys, or fails while it has none; counts the requests.
#[derive(Clone, Default)]
struct Publisher {
    keys: Arc<Mutex<Option<JwkSet>>>,
    requests: Arc<AtomicUsize>,
}

impl Publisher {
    async fn listen(&self) -> String {
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

    fn publish(&self, signers: &[&Signer]) {
        let keys = signers.iter().map(|signer| signer.public()).collect();
        *self.keys.lock().unwrap() = Some(JwkSet { keys });
    }
}

async fn until_known(keys: &TokenKeys) {
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
async fn a_flood_of_unknown_keys_fetches_nothing() {
    let (publisher, signer) = (Publisher::default(), Signer::new("k1", 1));
    publisher.publish(&[&signer]);
    let began = std::time::Instant::now();
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL);
    let app = TestApp::of(thing_service(routes(), keys.clone())).await;
    tokio::spawn(keys.clone().keep_fresh(app.stopping.clone()));
    until_known(&keys).await;

    for number in 0..50 {
        let token = made_up(number).token(&claims(Role::Admin));
        ProblemResponse::of(app.get("/me").bearer_auth(token)).await.is(401, "not-logged-in");
    }
    let fetches_in_time = began.elapsed().as_secs() / 5 + 1;
    assert!(publisher.requests.load(Ordering::SeqCst) as u64 <= fetches_in_time);
}

/// A key that nobody publishes.
fn made_up(number: usize) -> Signer {
    Signer::new(format!("made-up-{number}").leak(), 9)
}

#[tokio::test]
async fn keys_are_fetched_once_for_each_that_is_unknown() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL).refetching_at_once();
    tokio::spawn(keys.clone().keep_fresh(CancellationToken::new()));
    until_known(&keys).await;
    let made_up = [made_up(1), made_up(2)].map(|signer| signer.token(&claims(Role::Buyer)));
    for _ in 0..5 {
        for token in &made_up {
            assert_eq!(keys.verify(token).await.expect_err("made up"), TokenError::Invalid);
        }
    }
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 3);

    publisher.publish(&[&old, &new]);
    keys.verify(&new.token(&claims(Role::Buyer))).await.expect("its first token has it fetched");
    keys.verify(&old.token(&claims(Role::Buyer))).await.expect("the old key");
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_published_key_is_known_at_the_next_poll_whatever_strangers_make_up() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let poll = Duration::from_millis(100);
    let keys = TokenKeys::fetched_from(&publisher.listen().await, poll);
    tokio::spawn(keys.clone().keep_fresh(CancellationToken::new()));
    until_known(&keys).await;
    let strangers = tokio::spawn({
        let keys = keys.clone();
        async move {
            for number in 0.. {
                let token = made_up(number).token(&claims(Role::Buyer));
                assert_eq!(keys.verify(&token).await, Err(TokenError::Invalid));
                tokio::task::yield_now().await;
            }
        }
    });
    // As one of them names the new key before it is published, its name is remembered as made up.
    let token = new.token(&claims(Role::Buyer));
    keys.verify(&token).await.expect_err("it is not published yet");
    publisher.publish(&[&old, &new]);
    let published = publisher.requests.load(Ordering::SeqCst);
    while publisher.requests.load(Ordering::SeqCst) < published + 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    keys.verify(&token).await.expect("the new key is known");
    keys.verify(&old.token(&claims(Role::Buyer))).await.expect("the old key too");
    assert!(!strangers.is_finished(), "strangers asked all the time");
    strangers.abort();
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
    keys.replace(&new.keys());
    assert_eq!(keys.verify(&tokens[0]).await, Err(TokenError::Invalid));
    keys.verify(&tokens[1]).await.expect("its key is still there");
    // Another key of the same name is another key.
    keys.replace(&Signer::new("k2", 3).keys());
    assert_eq!(keys.verify(&tokens[1]).await, Err(TokenError::Invalid));
    keys.replace(&both);
    for token in &tokens {
        keys.verify(token).await.expect("its key is there again");
    }
}

#[tokio::test]
async fn while_the_keys_cannot_be_fetched_a_new_key_is_503_and_the_old_ones_work() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL).refetching_at_once();
    tokio::spawn(keys.clone().keep_fresh(CancellationToken::new()));
    until_known(&keys).await;

    *publisher.keys.lock().unwrap() = None;
    let token = new.token(&claims(Role::Buyer));
    assert_eq!(keys.verify(&token).await.expect_err("no answer"), TokenError::KeysUnavailable);
    keys.verify(&old.token(&claims(Role::Buyer))).await.expect("the old key");
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
