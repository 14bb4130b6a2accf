//! The keys that access tokens are signed with.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_testkit::{TestEnvironment, eventually};
use reqwest::Method;
use serde_json::Value;

use crate::{
    harness::{PASSWORD, Session, TestApp},
    logs,
};

#[tokio::test]
async fn the_published_key_verifies_what_the_token_says() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let answer = users.get("/.well-known/jwks.json").await.is(200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=30");
    assert!(!answer.body.to_string().contains("\"d\""), "no private half");
    let keys: JwkSet = serde_json::from_value(answer.body).unwrap();
    let header = jsonwebtoken::decode_header(&sari.access_token).unwrap();
    assert_eq!(header.typ.as_deref(), Some(TOKEN_TYPE));
    assert_eq!(header.alg, Algorithm::EdDSA);
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let claims =
        jsonwebtoken::decode::<Claims>(&sari.access_token, &key, &validation).unwrap().claims;
    assert_eq!(claims.sub.to_string(), sari.user["user_id"].as_str().unwrap());
    assert_eq!(claims.role.as_str(), "buyer");
    assert_eq!(claims.exp - claims.iat, 900);
    users.stop().await;
}

#[tokio::test]
async fn keys_are_shared_by_instances_and_survive_a_restart() {
    let environment = TestEnvironment::start().await;
    let (one, other) = tokio::join!(
        TestApp::start(&environment, &[]),
        TestApp::start(&environment, &["--instance", "1"]),
    );
    let keys = one.get("/.well-known/jwks.json").await.is(200).body;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(other.get("/.well-known/jwks.json").await.is(200).body, keys);
    let sari = one.registers("Sari").await;
    assert_eq!(other.profile(&sari).await, sari.user);
    let there = Session::of(other.logs_in("Sari", PASSWORD).await.is(200));
    assert_eq!(one.profile(&there).await, sari.user);
    one.stop().await;
    other.stop().await;

    let again = TestApp::start(&environment, &[]).await;
    assert_eq!(again.get("/.well-known/jwks.json").await.is(200).body, keys);
    assert_eq!(again.profile(&sari).await, sari.user);
    again.refreshes(&sari).await.is(200);
    again.stop().await;
}

#[tokio::test]
async fn an_added_key_signs_and_the_old_one_still_verifies() {
    let environment = TestEnvironment::start().await;
    let first = TestApp::start(&environment, &[]).await;
    let sari = first.registers("Sari").await;
    first.stop().await;
    let (mut key,): (Vec<u8>,) = sqlx::query_as("SELECT private_key FROM users.signing_key")
        .fetch_one(environment.superuser())
        .await
        .unwrap();
    key[47] ^= 1;
    let add = "INSERT INTO users.signing_key (kid, private_key) VALUES ('second', $1)";
    sqlx::query(add).bind(&key).execute(environment.superuser()).await.unwrap();

    let users = TestApp::start(&environment, &[]).await;
    assert_eq!(users.profile(&sari).await, sari.user);
    let session = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let header = jsonwebtoken::decode_header(&session.access_token).unwrap();
    assert_eq!(header.kid.as_deref(), Some("second"));
    assert_eq!(users.profile(&session).await, sari.user);

    let claims: Claims =
        jsonwebtoken::dangerous::insecure_decode_claims(&session.access_token).unwrap();
    let mint = |claims: &Claims| {
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&key)).unwrap()
    };
    let minted = mint(&claims);
    users.send(Method::GET, "/profile", &minted, &Value::Null).await.is(200);
    let expired =
        mint(&Claims { iat: claims.iat - 3600, exp: claims.exp - 3600, ..claims.clone() });
    let answer = users.send(Method::GET, "/profile", &expired, &Value::Null).await;
    answer.is_problem(401, "not-logged-in");
    let plain = Header::new(Algorithm::EdDSA);
    let untyped = jsonwebtoken::encode(&plain, &claims, &EncodingKey::from_ed_der(&key)).unwrap();
    let answer = users.send(Method::GET, "/profile", &untyped, &Value::Null).await;
    answer.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn instances_notice_within_a_moment_which_key_signs_and_which_is_gone() {
    let environment = TestEnvironment::start().await;
    let fast = ["--signing-keys-reread-ms", "50"];
    let instance = [&fast[..], &["--instance", "1"]].concat();
    let (one, other) =
        tokio::join!(TestApp::start(&environment, &fast), TestApp::start(&environment, &instance));
    let sari = one.registers("Sari").await;
    let add = "INSERT INTO users.signing_key (kid, private_key, signs_from)
        SELECT 'next', set_byte(private_key, 47, get_byte(private_key, 47) # 1),
               now() + interval '10 minutes'
        FROM users.signing_key";
    sqlx::query(add).execute(environment.superuser()).await.unwrap();
    for users in [&one, &other] {
        eventually(async || published(users).await.len()).is(2).await;
        let session = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
        assert_ne!(key_of(&session), "next", "it is published and does not sign yet");
    }
    let begin = "UPDATE users.signing_key SET signs_from = now() WHERE kid = 'next'";
    sqlx::query(begin).execute(environment.superuser()).await.unwrap();
    let mut newest = Vec::new();
    for users in [&one, &other] {
        let signed = async || Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
        eventually(async || key_of(&signed().await)).is("next".to_owned()).await;
        newest.push(signed().await);
    }
    let noted = ["access tokens are signed with another key", "key_changed", "next"];
    eventually(async || logs::lines_with(&noted).len()).is(2).await;
    for users in [&one, &other] {
        for session in newest.iter().chain([&sari]) {
            users.profile(session).await;
        }
    }
    let retire = "DELETE FROM users.signing_key WHERE kid <> 'next'";
    sqlx::query(retire).execute(environment.superuser()).await.unwrap();
    for users in [&one, &other] {
        let status = async || {
            let token = &sari.access_token;
            users.send(Method::GET, "/profile", token, &Value::Null).await.status.as_u16()
        };
        eventually(status).is(401).await;
        users.profile(&newest[0]).await;
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_key_that_signs_at_once_is_known_to_the_instances_that_do_not_sign_with_it_yet() {
    let environment = TestEnvironment::start().await;
    let other = ["--instance", "1"];
    let (one, other) =
        tokio::join!(TestApp::start(&environment, &[]), TestApp::start(&environment, &other));
    let sari = one.registers("Sari").await;
    let add = "INSERT INTO users.signing_key (kid, private_key)
        SELECT 'at_once', set_byte(private_key, 47, get_byte(private_key, 47) # 1)
        FROM users.signing_key";
    sqlx::query(add).execute(environment.superuser()).await.unwrap();
    one.stop().await;
    let one = TestApp::start(&environment, &[]).await;
    let session = Session::of(one.logs_in("Sari", PASSWORD).await.is(200));
    assert_eq!(key_of(&session), "at_once", "an instance that starts signs with it");
    // The other reads its keys each minute, but for this.
    assert_eq!(other.profile(&session).await, sari.user);
    assert_eq!(published(&other).await.len(), 2);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_instance_publishes_a_new_key_to_the_first_who_asks() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let add = "INSERT INTO users.signing_key (kid, private_key, signs_from)
        SELECT 'at_once', private_key, now() + interval '10 minutes' FROM users.signing_key";
    sqlx::query(add).execute(environment.superuser()).await.unwrap();
    // It has read them within the last second.
    eventually(async || published(&users).await.len()).within(Duration::from_secs(10)).is(2).await;
    users.stop().await;
}

#[tokio::test]
async fn tokens_of_a_made_up_key_are_refused() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let claims: Claims =
        jsonwebtoken::dangerous::insecure_decode_claims(&sari.access_token).unwrap();
    let (key,): (Vec<u8>,) = sqlx::query_as("SELECT private_key FROM users.signing_key")
        .fetch_one(environment.superuser())
        .await
        .unwrap();
    for name in ["made up", "made up", "made up too"] {
        let mut header = jsonwebtoken::decode_header(&sari.access_token).unwrap();
        header.kid = Some(name.to_owned());
        let key = EncodingKey::from_ed_der(&key);
        let made_up = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let answer = users.send(Method::GET, "/profile", &made_up, &Value::Null).await;
        answer.is_problem(401, "not-logged-in");
    }
    users.profile(&sari).await;
    users.stop().await;
}

/// The ids of the published keys.
async fn published(users: &TestApp) -> Vec<String> {
    let keys: JwkSet =
        serde_json::from_value(users.get("/.well-known/jwks.json").await.is(200).body).unwrap();
    keys.keys.into_iter().filter_map(|key| key.common.key_id).collect()
}

fn key_of(session: &Session) -> String {
    jsonwebtoken::decode_header(&session.access_token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn an_unreadable_key_stops_the_boot() {
    let environment = TestEnvironment::start().await;
    let add = "INSERT INTO users.signing_key (kid, private_key) VALUES ('odd', $1)";
    sqlx::query(add).bind(vec![7_u8; 48]).execute(environment.superuser()).await.unwrap();
    let error = TestApp::start_error(&environment, &[]).await;
    assert!(error.contains("signing key odd"), "{error}");
}
