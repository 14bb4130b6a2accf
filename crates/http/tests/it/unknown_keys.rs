//! Tokens of keys that are not known: new ones are fetched, made-up ones are refused, and until it is
//! certain which of them a key is, the answer is to try again.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{Router, routing::get};
use futures_util::future::join_all;
use karcis_http::{Claims, TokenError, TokenKeys};
use karcis_kernel::Role;
use karcis_process::CancellationToken;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::{
    harness::{ProblemResponse, Signer, TestApp, claims, routes, thing_service},
    keys::{POLL, Publisher, until_known},
};

/// So often keys may be fetched, however many are asked for.
const PACE_S: u64 = 2;

/// A service that knows the published keys.
async fn open(jwks_url: &str) -> TestApp {
    let keys = TokenKeys::fetched_from(jwks_url, POLL);
    let app = TestApp::of(thing_service(routes(), keys.clone())).await;
    tokio::spawn(keys.clone().keep_fresh(app.stopping.clone()));
    until_known(&keys).await;
    app
}

/// A key that nobody publishes.
fn made_up(number: usize) -> Signer {
    Signer::new(format!("made-up-{number}").leak(), 9)
}

/// Asks with the token until the answer is this, at both kinds of paths, and returns how long it took.
/// Until then each answer has to be 503.
async fn until_answered(app: &TestApp, token: &str, status: u16) -> Duration {
    let began = Instant::now();
    for path in ["/me", "/public"] {
        loop {
            let answer = app.get(path).bearer_auth(token).send().await.unwrap();
            if answer.status() == status {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "there is an end");
            let problem = ProblemResponse::parse(answer).await;
            assert!(problem.is(503, "unavailable").headers.contains_key("retry-after"));
            assert!(problem.detail.contains("key"), "{}", problem.detail);
            sleep(Duration::from_millis(20)).await;
        }
    }
    began.elapsed()
}

#[tokio::test]
async fn a_key_that_signs_before_it_is_published_is_503_until_it_is() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let app = open(&publisher.listen().await).await;
    let token = new.token(&claims(Role::Buyer));
    for path in ["/me", "/public"] {
        // Each has the keys fetched, in vain.
        ProblemResponse::of(app.get(path).bearer_auth(&token)).await.is(503, "unavailable");
    }
    publisher.publish(&[&old, &new]);
    assert!(until_answered(&app, &token, 200).await < Duration::from_secs(10));
    until_answered(&app, &old.token(&claims(Role::Buyer)), 200).await;
}

#[tokio::test]
async fn a_new_key_is_good_at_once_where_keys_were_not_just_fetched() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let app = open(&publisher.listen().await).await;
    publisher.publish(&[&old, &new]);
    let requests = (0..20).map(|_| app.get("/me").bearer_auth(new.token(&claims(Role::Buyer))));
    let answers = join_all(requests.map(|request| async { request.send().await.unwrap() })).await;
    assert!(answers.iter().all(|answer| answer.status() == 200), "{answers:?}");
    assert_eq!(publisher.requests.load(Ordering::SeqCst), 2, "one fetch for all");
}

#[tokio::test]
async fn a_made_up_key_is_refused_once_keys_are_newer_than_its_token() {
    let (publisher, signer) = (Publisher::default(), Signer::new("k1", 1));
    publisher.publish(&[&signer]);
    let began = Instant::now();
    let app = open(&publisher.listen().await).await;
    let token = made_up(1).token(&claims(Role::Admin));
    assert!(until_answered(&app, &token, 401).await < Duration::from_secs(30));
    let fetches = publisher.requests.load(Ordering::SeqCst);
    assert!(fetches as u64 <= began.elapsed().as_secs() / PACE_S + 2, "{fetches}");

    // It is remembered, and that of an old token was never in doubt: nothing is fetched for them.
    let iat = karcis_process::now().timestamp() - 60;
    let old = made_up(2).token(&Claims { iat, exp: iat + 900, ..claims(Role::Admin) });
    let expired = made_up(3).token(&Claims { iat, exp: iat + 50, ..claims(Role::Admin) });
    let elsewhere =
        made_up(4).token(&Claims { iss: "elsewhere".to_owned(), ..claims(Role::Admin) });
    for _ in 0..3 {
        for token in [&token, &old, &expired, &elsewhere] {
            ProblemResponse::of(app.get("/me").bearer_auth(token)).await.is(401, "not-logged-in");
        }
    }
    assert_eq!(publisher.requests.load(Ordering::SeqCst), fetches);
}

#[tokio::test]
async fn a_flood_of_made_up_keys_fetches_seldom_and_hides_no_real_one() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let began = Instant::now();
    let app = open(&publisher.listen().await).await;
    let flood = async {
        for round in 0.. {
            let asked = (0..50).map(|number| {
                let token = made_up(50 * round + number).token(&claims(Role::Admin));
                ProblemResponse::of(app.get("/me").bearer_auth(token))
            });
            for problem in join_all(asked).await {
                assert!([401, 503].contains(&problem.status), "{}", problem.body);
            }
        }
    };
    let token = new.token(&claims(Role::Buyer));
    let meanwhile = async {
        ProblemResponse::of(app.get("/me").bearer_auth(&token)).await.is(503, "unavailable");
        publisher.publish(&[&old, &new]);
        until_answered(&app, &token, 200).await
    };
    tokio::select! {
        () = flood => unreachable!("it never ends"),
        took = meanwhile => assert!(took < Duration::from_secs(10), "{took:?}"),
    }
    let fetches = publisher.requests.load(Ordering::SeqCst);
    assert!(fetches as u64 <= began.elapsed().as_secs() / PACE_S + 2, "{fetches}");
}

#[tokio::test]
async fn keys_that_are_never_answered_delay_a_request_for_a_moment_only() {
    let signer = Signer::new("k1", 1);
    let jwks = serde_json::to_string(&signer.keys()).unwrap();
    let hangs = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let answers = {
        let hangs = hangs.clone();
        get(async move || {
            if hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            jwks.clone()
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let routes = Router::new().route("/jwks", answers);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let app = open(&url).await;
    hangs.store(true, Ordering::SeqCst);
    let token = Signer::new("k2", 2).token(&claims(Role::Buyer));
    for _ in 0..3 {
        let began = Instant::now();
        ProblemResponse::of(app.get("/me").bearer_auth(&token)).await.is(503, "unavailable");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
    until_answered(&app, &signer.token(&claims(Role::Buyer)), 200).await;
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
                keys.verify(&token).await.expect_err("made up");
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
async fn while_the_keys_cannot_be_fetched_a_new_key_is_503_and_the_old_ones_work() {
    let (publisher, old, new) = (Publisher::default(), Signer::new("k1", 1), Signer::new("k2", 2));
    publisher.publish(&[&old]);
    let keys = TokenKeys::fetched_from(&publisher.listen().await, POLL).refetching_at_once();
    tokio::spawn(keys.clone().keep_fresh(CancellationToken::new()));
    until_known(&keys).await;

    *publisher.keys.lock().unwrap() = None;
    let token = new.token(&claims(Role::Buyer));
    assert_eq!(keys.verify(&token).await.expect_err("no answer"), TokenError::KeyMayBeNew);
    keys.verify(&old.token(&claims(Role::Buyer))).await.expect("the old key");
}
