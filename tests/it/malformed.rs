//! Input of every bad kind, on every service, gets the problem that the contract names.

use std::collections::BTreeMap;

use karcis_fleet::{Fleet, Person};
use karcis_http::{AUDIENCE, Claims, ISSUER};
use karcis_kernel::{Role, UserId};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, SERVICES, Service, USER};
use karcis_testkit::{Answer, together, token, token_of};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A call with a JSON body, who may make it, and a body that is right but for what it refers to.
struct Call {
    service: &'static Service,
    method: Method,
    path: &'static str,
    role: Option<Role>,
    body: Value,
}

fn calls() -> Vec<Call> {
    let call = |service, method, path, role, body| Call { service, method, path, role, body };
    let (organiser, buyer) = (Some(Role::Organiser), Some(Role::Buyer));
    let password = "loud concerts, 7 of them";
    let account = json!({"email": "sari@example.com", "password": password, "name": "Sari"});
    let login = json!({"email": "sari@example.com", "password": password});
    let profile = json!({
        "name": "Sari", "phone": "+62 21 555 0100", "locale": "id-ID", "time_zone": "Asia/Jakarta",
    });
    let role = json!({"email": "nobody@example.com", "role": "buyer"});
    let id = Uuid::now_v7();
    let edit = json!({"event_id": id, "version": 1, "title": "Dewa 20"});
    let off = json!({"event_id": id, "reason": "illness"});
    let order = json!({
        "event_id": id, "items": [{"ticket_type_id": id, "quantity": 1}],
        "expected_total": {"amount": 750_000, "currency": "IDR"},
    });
    let cancel = json!({"booking_id": id});
    let pay = json!({"booking_id": id, "method": "tok_approved"});
    vec![
        call(&USER, Method::POST, "/register", None, account),
        call(&USER, Method::POST, "/login", None, login),
        call(&USER, Method::POST, "/token/refresh", None, json!({"refresh_token": "x"})),
        call(&USER, Method::PUT, "/profile/update", buyer, profile),
        call(&USER, Method::POST, "/user/role", Some(Role::Admin), role),
        call(&EVENT, Method::POST, "/event/create", organiser, event()),
        call(&EVENT, Method::PUT, "/event/update", organiser, edit),
        call(&EVENT, Method::POST, "/event/cancel", organiser, off),
        call(&BOOKING, Method::POST, "/booking/create", buyer, order),
        call(&BOOKING, Method::POST, "/booking/cancel", buyer, cancel),
        call(&PAYMENT, Method::POST, "/payment/process", buyer, pay),
    ]
}

/// An event with every field there is.
fn event() -> Value {
    json!({
        "title": "Dewa 19", "description": "Reunion", "venue": "Istora", "time_zone": "Asia/Jakarta",
        "starts_at": "2100-01-01T12:00:00Z", "ends_at": "2100-01-01T15:00:00Z",
        "refundable_until": "2099-12-31T12:00:00Z", "status": "draft",
        "ticket_types": [{
            "name": "VIP", "price": {"amount": 750_000, "currency": "IDR"}, "capacity": 10,
            "max_per_booking": 4, "sales_start": "2026-01-01T00:00:00Z",
            "sales_end": "2099-01-01T00:00:00Z",
        }],
    })
}

impl Call {
    fn caller(&self, fleet: &Fleet) -> Person {
        match self.role {
            Some(role) => fleet.person("caller", role),
            None => fleet.bearer("caller", UserId(Uuid::nil()), String::new()),
        }
    }

    async fn json(&self, caller: &Person, body: &str) -> Answer {
        let request = caller.request(self.method.clone(), self.service, self.path);
        let json = request.header("content-type", "application/json").body(body.to_owned());
        Answer::to(json).await
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_or_of_another_shape() {
    let fleet = Fleet::start().await;
    for call in calls() {
        let caller = call.caller(&fleet);
        for text in ["", "{", "sari", "{\"a\": 1,}", "\u{feff}{}", "{} {}"] {
            call.json(&caller, text).await.is_problem(400, "not-json");
        }
        for json in ["[]", "null", "7", "\"x\"", "{}"] {
            let answer = call.json(&caller, json).await;
            // Of an update an empty object asks for nothing.
            if json == "{}" && call.path == "/profile/update" {
                assert!(answer.status.as_u16() < 500);
                continue;
            }
            answer.is_problem(422, "invalid-input");
        }
        let mut unknown = call.body.clone();
        unknown["surprise"] = json!(1);
        call.json(&caller, &unknown.to_string()).await.is_problem(422, "invalid-input");

        let request = caller.request(call.method.clone(), call.service, call.path);
        let text = request.header("content-type", "text/plain").body(call.body.to_string());
        Answer::to(text).await.is_problem(415, "unsupported-media-type");
        let huge = format!("{{\"x\": \"{}\"}}", "x".repeat(1 << 20));
        call.json(&caller, &huge).await.is_problem(413, "too-large");
    }
}

#[tokio::test]
async fn fields_of_another_type_or_size() {
    let fleet = Fleet::start().await;
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("a\u{0}b"),
        json!("x".repeat(20_000)),
        json!([]),
        json!({}),
        json!({"amount": -1, "currency": "IDR"}),
        json!({"amount": i64::MAX, "currency": "IDR"}),
        json!("9999-99-99T99:99:99Z"),
        json!("-262143-01-01T00:00:00Z"),
    ];
    let mut refused = BTreeMap::<String, usize>::new();
    for call in calls() {
        let caller = call.caller(&fleet);
        let bodies = fields(&call.body)
            .into_iter()
            .flat_map(|field| strange.iter().map(move |value| (field.clone(), value.clone())));
        let answers = bodies.map(|(field, value)| async {
            let mut body = call.body.clone();
            *body.pointer_mut(&field).unwrap() = value.clone();
            (call.json(&caller, &body.to_string()).await, field, value)
        });
        for (answer, field, value) in together(16, answers).await {
            let what = format!("{} {field} = {value:.40}: {}", call.path, answer.body);
            assert!(answer.status.as_u16() < 500, "{what}");
            let is_nul = value.as_str().is_some_and(|text| text.contains('\0'));
            if is_nul || value == json!({}) {
                assert_eq!(answer.status, 422, "{what}");
            }
            if !answer.status.is_success() {
                let kind = answer.body["type"].as_str().expect("it is a problem").to_owned();
                *refused.entry(kind).or_default() += 1;
            }
        }
    }
    assert!(refused["/problems/invalid-input"] > 500, "{refused:?}");
}

/// The JSON pointers to everything in it.
fn fields(body: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match body {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(name, child)| {
        let own = format!("/{name}");
        let deeper = fields(child).into_iter().map(|rest| format!("/{name}{rest}"));
        std::iter::once(own).chain(deeper.collect::<Vec<_>>())
    });
    below.collect()
}

#[tokio::test]
async fn quantities_out_of_bounds() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    for quantity in [json!(0), json!(-1), json!(1_001), json!(1u64 << 40), json!(1.5), json!("1")] {
        let mut order = concert.order(&[("VIP", 1)]);
        order["items"][0]["quantity"] = quantity;
        let answer = sari.post(&BOOKING, "/booking/create", &order).await;
        answer.is_about("items[0].quantity");
    }
    let twice = concert.order(&[("VIP", 1), ("VIP", 1)]);
    sari.post(&BOOKING, "/booking/create", &twice).await.is_problem(422, "invalid-input");
    let none = concert.order(&[]);
    sari.post(&BOOKING, "/booking/create", &none).await.is_about("items");
    for capacity in [json!(-1), json!(1_000_001), json!(u64::MAX)] {
        let mut event = event();
        event["ticket_types"][0]["capacity"] = capacity;
        let organiser = fleet.person("Ahmad", Role::Organiser);
        let answer = organiser.post(&EVENT, "/event/create", &event).await;
        answer.is_about("ticket_types[0].capacity");
    }
}

#[tokio::test]
async fn tokens_that_are_no_good() {
    let fleet = Fleet::start().await;
    let user = UserId(Uuid::now_v7());
    let good = token(user, Role::Buyer);
    for service in [&USER, &BOOKING, &PAYMENT] {
        let path = private(service);
        let expected = fleet.bearer("good", user, good.clone()).get(service, path).await.status;
        assert_ne!(expected, 401, "the good token is good");
        for (what, bad) in bad_tokens(user, &good) {
            let answer = fleet.bearer(what, user, bad).get(service, path).await;
            let header = answer.headers.contains_key("www-authenticate");
            answer.is_problem(401, "not-logged-in");
            assert!(header, "{what}: 401 says how to log in");
        }
    }
}

/// A path that somebody has to be logged in for.
fn private(service: &Service) -> &'static str {
    match service.name {
        "user" => "/profile",
        "event" => "/event/sales?event_id=019a0000-0000-7000-8000-000000000000",
        "booking" => "/bookings",
        "payment" => "/payment/status?booking_id=019a0000-0000-7000-8000-000000000000",
        other => panic!("which path of {other}-service is private?"),
    }
}

fn bad_tokens(user: UserId, good: &str) -> Vec<(&'static str, String)> {
    let now = karcis_process::now().timestamp();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        role: Role::Buyer,
        iat: now,
        exp: now + 900,
        sid: None,
        email_verified: false,
        name: None,
    };
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let admin = token(user, Role::Admin);
    let admins = admin.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"at+jwt","kid":"tests"}
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoidGVzdHMifQ";
    // {"alg":"HS256","typ":"at+jwt","kid":"tests"}
    let symmetric = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6InRlc3RzIn0";
    vec![
        ("none at all", String::new()),
        ("nonsense", "nonsense".to_owned()),
        ("three dots", "...".to_owned()),
        ("no signature", format!("{header}.{payload}.")),
        ("another's signature", format!("{header}.{admins}.{signature}")),
        ("algorithm none", format!("{unsigned}.{payload}.")),
        ("a symmetric algorithm", format!("{symmetric}.{payload}.{signature}")),
        ("expired", token_of(&Claims { iat: now - 1_800, exp: now - 900, ..claims.clone() })),
        ("for somebody else", token_of(&Claims { aud: "others".to_owned(), ..claims.clone() })),
        ("from somebody else", token_of(&Claims { iss: "others".to_owned(), ..claims })),
        ("huge", "x".repeat(6_000)),
    ]
}

#[tokio::test]
async fn paths_methods_roles_and_queries() {
    let fleet = Fleet::start().await;
    let (sari, ahmad) = (fleet.buyer("Sari").await, fleet.person("Ahmad", Role::Organiser));
    for service in SERVICES {
        sari.get(service, "/nowhere").await.is_problem(404, "not-found");
        let wrong = Answer::to(sari.request(Method::PATCH, service, "/healthz")).await;
        let allowed = wrong.headers.get("allow").cloned();
        wrong.is_problem(405, "method-not-allowed");
        assert!(allowed.is_some(), "405 names the right verb");
    }
    for id in ["1", "%00", "..%2f", "019a0000-0000-7000-8000-00000000000g", "'; DROP TABLE booking"]
    {
        for path in [format!("/bookings/{id}"), format!("/bookings/{id}/timeline")] {
            sari.get(&BOOKING, &path).await.is_problem(404, "not-found");
        }
        sari.get(&EVENT, &format!("/events/{id}")).await.is_problem(404, "not-found");
        sari.get(&EVENT, &format!("/tickets/{id}")).await.is_problem(404, "not-found");
    }
    for query in ["limit=0", "limit=101", "limit=many", "limit=-1", "cursor=!", "cursor=AAAA"] {
        for (service, path) in [(&BOOKING, "/bookings"), (&EVENT, "/events")] {
            let answer = sari.get(service, &format!("{path}?{query}")).await;
            answer.is_problem(422, "invalid-input");
        }
    }
    for call in calls().iter().filter(|call| call.path.starts_with("/event/")) {
        call.json(&sari, &call.body.to_string()).await.is_problem(403, "wrong-role");
    }
    let roles = "/user/role";
    ahmad.post(&USER, roles, &json!({})).await.is_problem(403, "wrong-role");
}

#[tokio::test]
async fn ids_of_others() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let (sari, budi) = (fleet.buyer("Sari").await, fleet.buyer("Budi").await);
    let booking = sari.books(&concert, "VIP", 1).await;
    let path = format!("/bookings/{}", booking.id);
    budi.get(&BOOKING, &path).await.is_problem(404, "not-found");
    budi.get(&BOOKING, &format!("{path}/timeline")).await.is_problem(404, "not-found");
    let status = format!("/payment/status?booking_id={}", booking.id);
    budi.get(&PAYMENT, &status).await.is_problem(404, "not-found");
    budi.pays(&booking, "tok_approved").await.is_problem(404, "not-found");
    budi.cancels(&booking).await.is_problem(404, "not-found");

    let other = fleet.person("Another organiser", Role::Organiser);
    let edit = json!({"event_id": concert.id, "title": "Mine now"});
    other.post(&EVENT, "/event/update", &edit).await.is_problem(404, "not-found");
    let off = json!({"event_id": concert.id, "reason": "envy"});
    other.post(&EVENT, "/event/cancel", &off).await.is_problem(404, "not-found");
    let sales = format!("/event/sales?event_id={}", concert.id);
    other.get(&EVENT, &sales).await.is_problem(404, "not-found");
}
