//! People change their profiles.

use karcis_testkit::{Answer, TestEnvironment};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Session, TestApp};

#[tokio::test]
async fn absent_leaves_null_clears_and_each_change_raises_the_version() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let mut expected = sari.user.clone();
    let mut version = 1;
    for (change, seen, raises) in [
        (json!({}), json!({}), false),
        (json!({"name": "Dewi"}), json!({"name": "Dewi"}), true),
        (json!({"name": " Dewi "}), json!({}), false),
        (json!({"phone": "+62 812-3456-7890"}), json!({"phone": "+6281234567890"}), true),
        (json!({"locale": "id-ID"}), json!({"locale": "id-ID"}), true),
        (json!({"time_zone": "Asia/Jakarta"}), json!({"time_zone": "Asia/Jakarta"}), true),
        (
            json!({"phone": null, "locale": null, "name": "Sari"}),
            json!({"phone": null, "locale": null, "name": "Sari"}),
            true,
        ),
        (json!({"phone": null, "current_password": null}), json!({}), false),
        (json!({"time_zone": null}), json!({"time_zone": null}), true),
    ] {
        version += i64::from(raises);
        for (field, value) in seen.as_object().unwrap() {
            expected[field] = value.clone();
        }
        expected["version"] = json!(version);
        let answer = users.updates(&sari, &change).await.is(200);
        assert_eq!(answer.body, expected, "{change}");
        assert_eq!(users.profile(&sari).await, expected, "{change}");
    }
    users.stop().await;
}

#[tokio::test]
async fn an_access_token_says_the_name_as_it_was_when_it_was_issued() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let said = |session: &Session| {
        let claims = jsonwebtoken::dangerous::insecure_decode_claims(&session.access_token);
        let claims: karcis_http::Claims = claims.unwrap();
        claims.name
    };
    assert_eq!(said(&sari).as_deref(), Some("Sari"));
    users.updates(&sari, &json!({"name": "Dewi"})).await.is(200);
    let again = Session::of(users.refreshes(&sari).await.is(200));
    assert_eq!(said(&again).as_deref(), Some("Dewi"));
    users.stop().await;
}

#[tokio::test]
async fn put_post_and_patch_do_the_same() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    for method in [Method::PUT, Method::POST, Method::PATCH] {
        let change = json!({"name": format!("Sari {method}")});
        let answer = users.send(method, "/profile/update", &sari.access_token, &change).await;
        assert_eq!(answer.is(200).body["name"], change["name"]);
    }
    let change = json!({"name": "Sari"});
    let answer = users.send(Method::DELETE, "/profile/update", &sari.access_token, &change).await;
    answer.is_problem(405, "method-not-allowed");
    users.stop().await;
}

#[tokio::test]
async fn a_wrong_field_is_named_and_nothing_changes() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    for (change, field) in [
        (json!({"name": null}), "name"),
        (json!({"email": null, "current_password": PASSWORD}), "email"),
        (json!({"password": null, "current_password": PASSWORD}), "password"),
        (json!({"name": ""}), "name"),
        (json!({"name": "S\u{0}ri"}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"phone": "0812"}), "phone"),
        (json!({"locale": "Bahasa Indonesia"}), "locale"),
        (json!({"time_zone": "Asia/Bandung"}), "time_zone"),
        (json!({"email": "nowhere", "current_password": PASSWORD}), "email"),
        (json!({"password": "short", "current_password": PASSWORD}), "password"),
        (json!({"password": "password123", "current_password": PASSWORD}), "password"),
        (json!({"email": "dewi@mail.example"}), "current_password"),
        (json!({"password": "another good one"}), "current_password"),
        (json!({"email": "dewi@mail.example", "current_password": "wrong"}), "current_password"),
        (json!({"password": "another good one", "current_password": ""}), "current_password"),
        (json!({"nickname": "Sa"}), "nickname"),
        (json!({"role": "admin"}), "role"),
        (json!({"version": 7}), "version"),
    ] {
        users.updates(&sari, &change).await.is_about(field);
        assert_eq!(users.profile(&sari).await, sari.user, "{change}");
    }
    let both = json!({"name": "", "phone": "x"});
    users.updates(&sari, &both).await.is_about("name").is_about("phone");
    users.logs_in("Sari", PASSWORD).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let here = users.registers("Sari").await;
    let there = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let dewi = users.registers("Dewi").await;
    let new = "ten mangoes in a boat";
    let change = json!({"password": new, "current_password": PASSWORD});
    assert_eq!(users.updates(&here, &change).await.is(200).body["version"], 2);

    users.refreshes(&there).await.is_problem(401, "not-logged-in");
    users.refreshes(&here).await.is(200);
    users.refreshes(&dewi).await.is(200);
    users.logs_in("Sari", PASSWORD).await.is_problem(401, "wrong-credentials");
    users.logs_in("Sari", new).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_new_address_logs_in_and_must_not_be_taken() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    users.registers("Dewi").await;
    let taken = json!({"email": "DEWI@mail.example", "current_password": PASSWORD});
    users.updates(&sari, &taken).await.is_problem(409, "email-taken");
    let new = json!({"email": "Putri@Mail.Example", "current_password": PASSWORD});
    let profile = users.updates(&sari, &new).await.is(200).body;
    assert_eq!((&profile["email"], &profile["version"]), (&json!("putri@mail.example"), &json!(2)));
    users.logs_in("Sari", PASSWORD).await.is_problem(401, "wrong-credentials");
    let putri = Session::of(users.logs_in("Putri", PASSWORD).await.is(200));
    assert_eq!(putri.user["user_id"], sari.user["user_id"]);
    users.registers("Sari").await;
    users.stop().await;
}

#[tokio::test]
async fn concurrent_changes_are_all_made() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let changes =
        [json!({"name": "Dewi"}), json!({"phone": "+6281234567890"}), json!({"locale": "id"})];
    let (a, b, c) = tokio::join!(
        users.updates(&sari, &changes[0]),
        users.updates(&sari, &changes[1]),
        users.updates(&sari, &changes[2]),
    );
    for answer in [a, b, c] {
        answer.is(200);
    }
    let profile = users.profile(&sari).await;
    let seen = [&profile["name"], &profile["phone"], &profile["locale"], &profile["version"]];
    let expected: [Value; 4] = [json!("Dewi"), json!("+6281234567890"), json!("id"), json!(4)];
    assert_eq!(seen, expected.each_ref());
    users.stop().await;
}

#[tokio::test]
async fn a_profile_that_is_known_is_not_sent_again_and_no_change_is_lost() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let http = Client::new();
    let send = async |method: Method, path: &str, header: &str, tag: &str, body: Option<Value>| {
        let request = http.request(method, users.url(path)).bearer_auth(&sari.access_token);
        let request = request.header(header, tag);
        Answer::to(if let Some(body) = body { request.json(&body) } else { request }).await
    };
    let known = async |tag: &str| send(Method::GET, "/profile", "if-none-match", tag, None).await;
    let update = async |tag: &str, change: Value| {
        send(Method::PUT, "/profile/update", "if-match", tag, Some(change)).await
    };
    let tag = |answer: &Answer| answer.headers["etag"].to_str().unwrap().to_owned();

    let first = tag(&known("\"none\"").await.is(200));
    let unchanged = known(&first).await.is(304);
    assert_eq!((tag(&unchanged), &unchanged.body), (first.clone(), &Value::Null));
    assert_eq!(unchanged.headers["cache-control"], "no-store");

    let second = tag(&update(&first, json!({"name": "Dewi"})).await.is(200));
    assert_eq!(tag(&known(&first).await.is(200)), second);
    for change in [
        json!({"name": "Putri"}),
        // Before the password, as it would cost a guess.
        json!({"email": "putri@mail.example", "current_password": "wrong"}),
    ] {
        let conflict = update(&first, change).await.is_problem(409, "version-conflict");
        assert_eq!(conflict.body["version"], 2);
    }
    update("2", json!({"name": "Putri"})).await.is_about("If-Match");
    assert_eq!(users.profile(&sari).await["name"], "Dewi");

    let (one, other) = tokio::join!(
        update(&second, json!({"phone": "+6281234567890"})),
        update(&second, json!({"locale": "id"})),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two who saw the same, one is told");
    users.stop().await;
}
