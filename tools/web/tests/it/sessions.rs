//! Browser sessions: the cookie that the app cannot read, and who may use it.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{TestSite, answer, header};

const ATTRIBUTES: &str = "; HttpOnly; Secure; SameSite=Strict; Path=/session; Max-Age=";

/// What user-service would answer to these tokens, passwords and roles.
fn user_service() -> Router {
    let session = |token: &str, role: &str| {
        let user = json!({ "email": "sari@mail.example", "role": role });
        json!({
            "access_token": "access", "token_type": "Bearer", "expires_in": 900,
            "refresh_token": token, "user": user,
        })
    };
    let refused =
        |status: StatusCode| (status, Json(json!({ "type": "/problems/x" }))).into_response();
    let log_in = async move |Json(body): Json<Value>| -> Response {
        match body["password"].as_str() {
            Some("right") => Json(session("first", "buyer")).into_response(),
            Some("staff") => Json(session("first", "organiser")).into_response(),
            _ => refused(StatusCode::UNAUTHORIZED),
        }
    };
    let register = async move |Json(_): Json<Value>| {
        (StatusCode::CREATED, Json(session("first", "buyer"))).into_response()
    };
    let refresh = async move |Json(body): Json<Value>| match body["refresh_token"].as_str() {
        Some("first") => Json(session("second", "buyer")).into_response(),
        Some("busy") => refused(StatusCode::SERVICE_UNAVAILABLE),
        _ => refused(StatusCode::UNAUTHORIZED),
    };
    let log_out = async move |Json(body): Json<Value>| match body["refresh_token"].as_str() {
        Some("first") => StatusCode::NO_CONTENT.into_response(),
        Some("busy") => refused(StatusCode::SERVICE_UNAVAILABLE),
        _ => refused(StatusCode::UNAUTHORIZED),
    };
    Router::new()
        .route("/login", post(log_in))
        .route("/register", post(register))
        .route("/token/refresh", post(refresh))
        .route("/logout", post(log_out))
}

/// The request as the app's page makes it.
fn of_page(request: RequestBuilder) -> RequestBuilder {
    request.header("sec-fetch-site", "same-origin")
}

/// The status, the cookie that is set and the JSON of the answer.
async fn exchanged(request: RequestBuilder) -> (u16, String, Value) {
    let response = of_page(request).send().await.expect("an answer");
    let (status, cookie) = (response.status().as_u16(), header(&response, "set-cookie").to_owned());
    assert_eq!(header(&response, "cache-control"), "no-store");
    let text = response.text().await.expect("a whole answer");
    (status, cookie, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn a_log_in_leaves_the_refresh_token_in_a_cookie() {
    let site = TestSite::before(user_service()).await;
    for (path, password, status, age_s) in [
        ("/session/login", "right", 200, 2_592_000),
        ("/session/login", "staff", 200, 43_200),
        ("/session/register", "any", 201, 2_592_000),
    ] {
        let request = site.post(path).json(&json!({ "password": password }));
        let (answered, cookie, session) = exchanged(request).await;
        assert_eq!((answered, &session["access_token"]), (status, &"access".into()));
        assert_eq!(cookie, format!("karcis_session=first{ATTRIBUTES}{age_s}"));
        assert_eq!(session["refresh_token"], Value::Null, "no script sees it");
        assert_eq!(session["user"]["email"], "sari@mail.example");
    }
    let wrong = site.post("/session/login").json(&json!({ "password": "wrong" }));
    let (status, cookie, problem) = exchanged(wrong).await;
    assert_eq!((status, cookie.as_str()), (401, ""));
    assert_eq!(problem["type"], "/problems/x", "user-service's own answer");
}

#[tokio::test]
async fn the_cookie_is_exchanged_until_the_session_ends() {
    let site = TestSite::before(user_service()).await;
    let refresh = |cookie: &str| site.post("/session/refresh").header("cookie", cookie);
    let (status, cookie, session) = exchanged(refresh("a=b; karcis_session=first; c=d")).await;
    assert_eq!((status, &session["access_token"]), (200, &"access".into()));
    assert!(cookie.starts_with("karcis_session=second;"), "{cookie}");
    assert_eq!(session["refresh_token"], Value::Null);

    let cleared = format!("karcis_session={ATTRIBUTES}0");
    let (status, cookie, _) = exchanged(refresh("karcis_session=ended")).await;
    assert_eq!((status, &cookie), (204, &cleared));
    let (status, cookie, _) = exchanged(refresh("karcis_session=busy")).await;
    assert_eq!((status, cookie.as_str()), (503, ""), "the session may live");
    let (status, cookie, _) = exchanged(site.post("/session/refresh")).await;
    assert_eq!((status, cookie.as_str()), (204, ""), "nobody is logged in");
}

#[tokio::test]
async fn a_log_out_clears_the_cookie_whatever_happens() {
    let site = TestSite::before(user_service()).await;
    let cleared = format!("karcis_session={ATTRIBUTES}0");
    for (token, expected) in [("first", 204), ("ended", 204), ("busy", 503)] {
        let request = site.post("/session/logout");
        let request = request.header("cookie", format!("karcis_session={token}"));
        let (status, cookie, _) = exchanged(request).await;
        assert_eq!((status, &cookie), (expected, &cleared), "{token}");
    }
    let away = TestSite::before_nobody().await;
    let request = away.post("/session/logout").header("cookie", "karcis_session=first");
    let (status, cookie, problem) = exchanged(request).await;
    assert_eq!((status, &cookie), (503, &cleared));
    assert_eq!(problem["type"], "/problems/unavailable");
}

#[tokio::test]
async fn other_sites_pages_cannot_use_the_cookie() {
    let site = TestSite::before(user_service()).await;
    for path in ["/session/login", "/session/register", "/session/refresh", "/session/logout"] {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("x-nothing", ""),
        ] {
            let request = site.post(path).header("cookie", "karcis_session=first");
            let (status, said) = answer(request.header(name, value)).await;
            assert_eq!((status, &said["type"]), (403, &"/problems/wrong-origin".into()), "{path}");
        }
    }
    let own = format!("http://{}", site.address);
    let request = site.post("/session/refresh").header("cookie", "karcis_session=first");
    let (status, _) = answer(request.header("origin", own)).await;
    assert_eq!(status, 200, "a browser that sends no Sec-Fetch-Site");
    let (status, said) = answer(of_page(site.get("/session/refresh"))).await;
    assert_eq!((status, &said["type"]), (405, &"/problems/method-not-allowed".into()));
}
