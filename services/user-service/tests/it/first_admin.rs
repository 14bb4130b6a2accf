//! The first admin comes from the configuration.

use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::json;

use crate::harness::{PASSWORD, Session, TestApp, email};

const ADMIN: [&str; 4] = ["--admin-email", "Admin@mail.example", "--admin-password", PASSWORD];

#[tokio::test]
async fn instances_that_start_together_make_one_admin() {
    let environment = TestEnvironment::start().await;
    let second = [&ADMIN[..], &["--instance", "1"]].concat();
    let third = [&ADMIN[..], &["--instance", "2"]].concat();
    let (one, two, three) = tokio::join!(
        TestApp::start(&environment, &ADMIN),
        TestApp::start(&environment, &second),
        TestApp::start(&environment, &third),
    );
    for users in [&one, &two, &three] {
        let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
        assert_eq!((&admin.user["role"], &admin.user["version"]), (&json!("admin"), &json!(1)));
    }
    for users in [one, two, three] {
        users.stop().await;
    }
}

#[tokio::test]
async fn an_admin_who_changed_the_password_keeps_it() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let new = "ten mangoes in a boat";
    let change = json!({"password": new, "current_password": PASSWORD});
    users.updates(&admin, &change).await.is(200);
    users.stop().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    users.logs_in("Admin", PASSWORD).await.is_problem(401, "wrong-credentials");
    let admin = Session::of(users.logs_in("Admin", new).await.is(200));
    assert_eq!(admin.user["role"], "admin");
    users.stop().await;
}

#[tokio::test]
async fn an_account_becomes_an_admins_only_if_it_has_the_password() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Admin").await;
    users.stop().await;
    for (password, role) in [("ten mangoes in a boat", "buyer"), (PASSWORD, "admin")] {
        let flags = ["--admin-email", "admin@mail.example", "--admin-password", password];
        let users = TestApp::start(&environment, &flags).await;
        let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
        assert_eq!(admin.user["role"], role);
        users.stop().await;
    }
}

#[tokio::test]
async fn a_first_admin_whom_others_demoted_stays_demoted() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    users.registers("Sari").await;
    let role = |name: &str, role: &str| json!({"email": email(name), "role": role});
    let give = async |users: &TestApp, by: &Session, body| {
        users.send(Method::POST, "/user/role", &by.access_token, &body).await.is(200);
    };
    give(&users, &admin, role("Sari", "admin")).await;
    let sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    give(&users, &sari, role("Admin", "buyer")).await;
    users.stop().await;

    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    assert_eq!(admin.user["role"], "buyer");
    users.stop().await;
}

#[tokio::test]
async fn incomplete_or_invalid_settings_of_the_admin_stop_the_boot() {
    let environment = TestEnvironment::start().await;
    for (flags, reason) in [
        (["--admin-email", "admin@mail.example"].as_slice(), "KARCIS_ADMIN_PASSWORD"),
        (&["--admin-password", PASSWORD], "KARCIS_ADMIN_EMAIL"),
        (&["--admin-email", "admin", "--admin-password", PASSWORD], "KARCIS_ADMIN_EMAIL"),
        (
            &["--admin-email", "admin@mail.example", "--admin-password", "password"],
            "KARCIS_ADMIN_PASSWORD",
        ),
    ] {
        let error = TestApp::start_error(&environment, flags).await;
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains(PASSWORD), "{error}");
    }
}
