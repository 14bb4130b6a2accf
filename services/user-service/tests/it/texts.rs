//! Names, reasons, telephone numbers and addresses as people type and paste them.

use karcis_testkit::TestEnvironment;
use serde_json::json;

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn a_name_is_one_line_that_can_be_seen_and_turns_nothing_around() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    for (typed, stored) in [
        ("Siti Nurhaliza\n", "Siti Nurhaliza"),
        ("\u{feff}Wayan\u{2028}", "Wayan"),
        ("Zoe\u{308} Nun\u{303}ez", "Zo\u{eb} Nu\u{f1}ez"),
        ("نسرین می\u{200c}خواهم", "نسرین می\u{200c}خواهم"),
        ("DJ 👩\u{200d}🎤", "DJ 👩\u{200d}🎤"),
    ] {
        let answer = users.updates(&sari, &json!({"name": typed})).await.is(200);
        assert_eq!(answer.body["name"], stored, "{typed:?}");
        assert_eq!(users.profile(&sari).await["name"], stored, "{typed:?}");
    }
    for (typed, code) in [
        ("Budi\u{202e}gpj.exe", "U+202E"),
        ("\u{2068}Budi\u{2069}", "U+2068"),
        ("Budi\u{2028}Santoso", "U+2028"),
        ("Budi\u{b}Santoso", "U+000B"),
        ("Budi\u{1b}[31m", "U+001B"),
        ("\u{200d}\u{3164}", "that can be seen"),
    ] {
        for answer in [
            users.updates(&sari, &json!({"name": typed})).await,
            users
                .post(
                    "/register",
                    &json!({"email": email("Budi"), "password": PASSWORD, "name": typed}),
                )
                .await,
        ] {
            let message = answer.body["errors"][0]["message"].to_string();
            assert!(message.contains(code), "{typed:?}: {message}");
            answer.is_about("name");
        }
    }
    users.stop().await;
}

#[tokio::test]
async fn a_reason_is_one_line_too() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    users.registers("Sari").await;
    for (reason, status) in [
        ("sells\u{2066} tickets", 422),
        ("\u{ad}", 422),
        ("one\u{2029}two", 422),
        ("a ban\r\n", 200),
    ] {
        let body = json!({"email": email("Sari"), "reason": reason});
        let path = "/user/disable";
        let answer = users.send(reqwest::Method::POST, path, &admin.access_token, &body).await;
        answer.is(status);
    }
    let stored = "SELECT DISTINCT reason FROM users.audit WHERE reason LIKE '%ban%'";
    let stored: String =
        sqlx::query_scalar(stored).fetch_one(environment.superuser()).await.unwrap();
    assert_eq!(stored, "a ban");
    users.stop().await;
}

#[tokio::test]
async fn a_telephone_number_is_one_that_can_be_dialled() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    for (typed, stored) in [
        ("+62 0813 9876 5432", "+6281398765432"),
        ("+44 (0)121 496 0777", "+441214960777"),
        ("+39 02 8646 5432", "+390286465432"),
        ("\u{2068}+60 (0)12\u{2011}345 6789\u{2069}", "+60123456789"),
    ] {
        let answer = users.updates(&sari, &json!({"phone": typed})).await.is(200);
        assert_eq!(answer.body["phone"], stored, "{typed:?}");
    }
    for (typed, why) in [
        ("0813 9876 5432", "begin with +"),
        ("+44 121 496 0777 x12", "extensions"),
        ("+62 1", "nobody has this one"),
        ("+1 911 911 9111", "nobody has this one"),
    ] {
        let answer = users.updates(&sari, &json!({"phone": typed})).await;
        let message = answer.body["errors"][0]["message"].to_string();
        assert!(message.contains(why), "{typed:?}: {message}");
        answer.is_about("phone");
    }
    users.stop().await;
}

#[tokio::test]
async fn one_address_has_one_form_whatever_script_its_domain_is_typed_in() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let body = |email: &str| json!({"email": email, "password": PASSWORD, "name": "Sari"});
    let typed = "Sari@Kaf\u{fc}nf.example";
    let answer = users.post("/register", &body(typed)).await.is(201);
    let ascii = answer.body["user"]["email"].as_str().unwrap().to_owned();
    assert_eq!(ascii, "sari@xn--kafnf-mva.example");
    for same in [typed, &ascii, "sari@kafu\u{308}nf.example", "sari@KAFÜNF。example"] {
        users.post("/register", &body(same)).await.is_problem(409, "email-taken");
        users.post("/login", &json!({"email": same, "password": PASSWORD})).await.is(200);
    }
    for (typed, why) in [
        ("sari.mail.example", "it has no @"),
        ("sári@mail.example", "not ASCII"),
        ("sari@localhost", "no dot"),
        ("sari@küche", "no dot"),
        ("sari@mail@mail.example", "more than one @"),
    ] {
        for path in ["/register", "/login"] {
            let mut wrong = body(typed);
            if path == "/login" {
                wrong.as_object_mut().unwrap().remove("name");
            }
            let answer = users.post(path, &wrong).await;
            let message = answer.body["errors"][0]["message"].to_string();
            assert!(message.contains(why), "{typed:?}: {message}");
            answer.is_about("email");
        }
    }
    users.stop().await;
}

/// Names, numbers and addresses that are refused now.
#[tokio::test]
async fn what_an_older_release_stored_is_still_read() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let older = "UPDATE users.account SET name = $1, phone = $2, email = $3";
    let (name, phone, email) = ("\u{202e}iraS e\u{301}", "+620812345678", "sari@xn--a.example");
    let older = sqlx::query(older).bind(name).bind(phone).bind(email);
    older.execute(environment.superuser()).await.unwrap();
    let body = json!({"email": email, "password": PASSWORD});
    let user = users.post("/login", &body).await.is(200).body["user"].clone();
    assert_eq!(user, users.profile(&sari).await);
    assert_eq!((&user["name"], &user["phone"]), (&json!(name), &json!(phone)));
    let answer = users.updates(&sari, &json!({"locale": "id"})).await.is(200);
    assert_eq!((&answer.body["name"], &answer.body["phone"]), (&json!(name), &json!(phone)));
    users.stop().await;
}
