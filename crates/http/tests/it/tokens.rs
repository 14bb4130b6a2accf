//! Access tokens: which are accepted and which are not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::AlgorithmParameters};
use karcis_http::{Claims, TokenKeys};
use karcis_kernel::Role;
use serde_json::{Value, json};

use crate::harness::{ProblemResponse, Signer, TestApp, claims, token};

fn json_of(claims: &Claims) -> Value {
    serde_json::to_value(claims).unwrap()
}

#[tokio::test]
async fn a_valid_token_names_its_account_each_time() {
    let app = TestApp::open().await;
    let claims = claims(Role::Buyer);
    let token = Signer::new("k1", 1).token(&claims);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        for path in ["/me", "/public"] {
            let request = app.get(path).header("authorization", format!("{scheme} {token}"));
            let response = request.send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), claims.sub.to_string());
        }
    }
    let public = app.get("/public").send().await.unwrap();
    assert_eq!(public.text().await.unwrap(), "nobody");
}

/// Tokens that we signed, with one wrong claim or header.
fn with_wrong_claims_or_header(ours: &Signer, good: &Claims) -> Vec<(&'static str, String)> {
    let now = karcis_process::now().timestamp();
    let header = |change: &dyn Fn(&mut Header)| {
        let mut header = ours.header();
        change(&mut header);
        ours.sign(&header, good)
    };
    let claim = |name: &str, value: Value| {
        let mut claims = json_of(good);
        claims[name] = value;
        ours.token(&claims)
    };
    let without = |name: &str| {
        let mut claims = json_of(good);
        claims.as_object_mut().unwrap().remove(name);
        ours.token(&claims)
    };
    vec![
        ("expired", claim("exp", json!(now - 1))),
        ("expiring now", claim("exp", json!(now))),
        ("expiring before time began", claim("exp", json!(-5))),
        ("expiring after the end of time", claim("exp", json!(i64::MAX))),
        ("never expiring", without("exp")),
        ("expiring after more than 15 minutes", claim("exp", json!(good.iat + 901))),
        ("issued long ago for long", claim("iat", json!(good.iat - 1))),
        ("issued before time began", claim("iat", json!(i64::MIN))),
        ("issued in two minutes", claim("iat", json!(now + 120))),
        ("issued after the end of time", claim("iat", json!(i64::MAX))),
        ("of no time of issue", without("iat")),
        ("of another issuer", claim("iss", json!("someone"))),
        ("of no issuer", without("iss")),
        ("for another audience", claim("aud", json!("elsewhere"))),
        ("for no audience", without("aud")),
        ("of nobody", without("sub")),
        ("of what is no account", claim("sub", json!("admin"))),
        ("of an unknown role", claim("role", json!("root"))),
        ("of another type", header(&|header| header.typ = Some("JWT".to_owned()))),
        ("of no type", header(&|header| header.typ = None)),
        ("with a critical header", header(&|it| it.crit = Some(vec!["exp".to_owned()]))),
        ("with a critical extension", header(&|it| it.crit = Some(vec!["b64".to_owned()]))),
        ("with nothing critical", header(&|it| it.crit = Some(Vec::new()))),
        ("by a key of a long name", header(&|it| it.kid = Some("k".repeat(5_000)))),
        ("by no named key", header(&|header| header.kid = None)),
    ]
}

/// Tokens that we did not sign.
fn forged(ours: &Signer, good: &Claims) -> Vec<(&'static str, String)> {
    let valid = ours.token(good);
    let [head, payload, signature] = valid.split('.').collect::<Vec<_>>().try_into().unwrap();
    let unsigned = |alg: &str| {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": "k1"}).to_string();
        format!("{}.{payload}.", BASE64.encode(header))
    };
    let AlgorithmParameters::OctetKeyPair(public) = ours.public().algorithm else {
        panic!("an Ed25519 key")
    };
    let by_secret = |secret: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some("k1".to_owned());
        encode(&header, good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let other_role = json_of(&Claims { role: Role::Operator, ..good.clone() }).to_string();
    let mut other_signature = signature.to_owned();
    other_signature.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
    vec![
        ("altered payload", format!("{head}.{}.{signature}", BASE64.encode(other_role))),
        ("altered signature", format!("{head}.{payload}.{other_signature}")),
        ("without signature", format!("{head}.{payload}.")),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("unsigned EdDSA", unsigned("EdDSA")),
        ("HS256 with the public key's text", by_secret(public.x.as_bytes())),
        ("HS256 with the public key", by_secret(&BASE64.decode(&public.x).unwrap())),
        ("by an unknown key", Signer::new("k2", 2).token(good)),
        ("by another key of that name", Signer::new("k1", 2).token(good)),
        ("no token", "hello".to_owned()),
        ("dots", "..".to_owned()),
        ("too many parts", format!("{valid}.{valid}")),
        ("nothing", String::new()),
    ]
}

#[tokio::test]
async fn every_other_token_is_refused() {
    let (ours, good) = (Signer::new("k1", 1), claims(Role::Admin));
    let app = TestApp::open().await;
    // The token that they are made from is valid, so each is refused for its own change.
    let valid = app.get("/me").bearer_auth(ours.token(&good)).send().await.unwrap();
    assert_eq!(valid.status(), 200);
    for (case, token) in [with_wrong_claims_or_header(&ours, &good), forged(&ours, &good)].concat()
    {
        for path in ["/me", "/public"] {
            let problem = ProblemResponse::of(app.get(path).bearer_auth(&token)).await;
            assert_eq!((problem.status, problem.slug.as_str()), (401, "not-logged-in"), "{case}");
            assert_eq!(problem.headers["www-authenticate"], "Bearer");
            assert!(problem.detail.contains("POST /login"), "{case}: {}", problem.detail);
        }
    }
    let basic = app.get("/public").header("authorization", "Basic YTpi");
    ProblemResponse::of(basic).await.is(401, "not-logged-in");
}

#[tokio::test]
async fn a_token_that_is_checked_may_say_a_name() {
    let (ours, app) = (Signer::new("k1", 1), TestApp::open().await);
    let named = Claims { name: Some("Sari".to_owned()), ..claims(Role::Buyer) };
    for (token, name) in
        [(ours.token(&named), json!("Sari")), (ours.token(&claims(Role::Buyer)), json!(null))]
    {
        let answer = app.get("/name").bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), name);
    }
    let answer = app.get("/name").send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!(null), "nobody calls");
    let forged = app.get("/name").bearer_auth(Signer::new("k1", 2).token(&named));
    ProblemResponse::of(forged).await.is(401, "not-logged-in");
}

#[tokio::test]
async fn a_token_of_a_host_whose_clock_is_up_to_a_minute_ahead_is_good() {
    let (ours, app) = (Signer::new("k1", 1), TestApp::open().await);
    for ahead_s in [1, 5, 30, 59] {
        let iat = karcis_process::now().timestamp() + ahead_s;
        let claims = Claims { iat, exp: iat + 900, ..claims(Role::Buyer) };
        let mut not_before = json_of(&claims);
        not_before["nbf"] = json!(iat);
        for token in [ours.token(&claims), ours.token(&not_before)] {
            let answer = app.get("/me").bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{ahead_s} s ahead");
        }
    }
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_expires() {
    let ours = Signer::new("k1", 1);
    let keys = TokenKeys::own(&ours.keys());
    let exp = karcis_process::now().timestamp() + 5;
    let token = ours.token(&Claims { exp, ..claims(Role::Buyer) });
    let expiry = chrono::DateTime::from_timestamp(exp, 0).unwrap();
    assert_eq!(keys.verify(&token).await.expect("it is good").expires_at, expiry);
    while keys.verify(&token).await.is_ok() {
        assert!(karcis_process::now() < expiry + chrono::TimeDelta::seconds(60));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(karcis_process::now() >= expiry);
}

#[tokio::test]
async fn an_operation_is_only_for_its_roles() {
    let app = TestApp::open().await;
    for (role, status) in [
        (Role::Buyer, 403),
        (Role::Door, 403),
        (Role::Operator, 403),
        (Role::Organiser, 201),
        (Role::Admin, 201),
    ] {
        let body = json!({"name": "a", "capacity": 1});
        let response = app.post("/things").bearer_auth(token(role)).json(&body).send().await;
        assert_eq!(response.unwrap().status(), status, "{role}");
    }
}
