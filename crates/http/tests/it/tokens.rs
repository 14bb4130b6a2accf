//! Access tokens: which are taken, and which are not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::AlgorithmParameters};
use karcis_http::{Claims, TokenKeys};
use karcis_kernel::Role;
use serde_json::{Value, json};

use crate::house::{House, Seen, Signer, claims, token};

fn json_of(claims: &Claims) -> Value {
    serde_json::to_value(claims).unwrap()
}

#[tokio::test]
async fn a_good_token_stands_for_its_account_again_and_again() {
    let house = House::open().await;
    let claims = claims(Role::Buyer);
    let token = Signer::new("k1", 1).token(&claims);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        for path in ["/me", "/public"] {
            let request = house.get(path).header("authorization", format!("{scheme} {token}"));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), claims.sub.to_string());
        }
    }
    let public = house.get("/public").send().await.unwrap();
    assert_eq!(public.text().await.unwrap(), "nobody");
}

/// Tokens of ours whose claims or header say something else.
fn of_another_kind(ours: &Signer, good: &Claims) -> Vec<(&'static str, String)> {
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
        ("of another issuer", claim("iss", json!("someone"))),
        ("of no issuer", without("iss")),
        ("for another audience", claim("aud", json!("elsewhere"))),
        ("for no audience", without("aud")),
        ("of nobody", without("sub")),
        ("of what is no account", claim("sub", json!("admin"))),
        ("of an unknown role", claim("role", json!("root"))),
        ("of another type", header(&|header| header.typ = Some("JWT".to_owned()))),
        ("of no type", header(&|header| header.typ = None)),
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
    let house = House::open().await;
    // The one they are all made from is good, so each is refused for what was done to it.
    let valid = house.get("/me").bearer_auth(ours.token(&good)).send().await.unwrap();
    assert_eq!(valid.status(), 200);
    for (case, token) in [of_another_kind(&ours, &good), forged(&ours, &good)].concat() {
        for path in ["/me", "/public"] {
            let seen = Seen::of(house.get(path).bearer_auth(&token)).await;
            assert_eq!((seen.status, seen.slug.as_str()), (401, "not-logged-in"), "{case}");
            assert_eq!(seen.headers["www-authenticate"], "Bearer");
            assert!(seen.detail.contains("POST /login"), "{case}: {}", seen.detail);
        }
    }
    let basic = house.get("/public").header("authorization", "Basic YTpi");
    Seen::of(basic).await.is(401, "not-logged-in");
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_expires() {
    let ours = Signer::new("k1", 1);
    let keys = TokenKeys::fixed(&ours.keys());
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
async fn a_role_opens_only_what_is_its_own() {
    let house = House::open().await;
    for (role, status) in [
        (Role::Buyer, 403),
        (Role::Door, 403),
        (Role::Operator, 403),
        (Role::Organiser, 201),
        (Role::Admin, 201),
    ] {
        let body = json!({"name": "a", "capacity": 1});
        let answer = house.post("/things").bearer_auth(token(role)).json(&body).send().await;
        assert_eq!(answer.unwrap().status(), status, "{role}");
    }
}
