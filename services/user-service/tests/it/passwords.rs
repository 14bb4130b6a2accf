//! What passwords may be, and how they are hashed.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use karcis_testkit::{TestEnvironment, eventually};
use serde_json::json;

use crate::harness::{PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn a_password_has_neither_the_name_of_its_owner_nor_of_the_product() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    for password in ["my name is SARI", "Karcis tickets 2026"] {
        let body = json!({"email": email("Sari"), "password": password, "name": "Sari"});
        users.post("/register", &body).await.is_about("password");
    }
    let sari = users.registers("Sari").await;
    for change in [
        json!({"password": "my name is sari", "current_password": PASSWORD}),
        json!({"password": "karcis-development", "current_password": PASSWORD}),
        json!({"password": "my name is dewi", "email": "dewi@mail.example",
            "current_password": PASSWORD}),
    ] {
        users.updates(&sari, &change).await.is_about("password");
    }
    users.logs_in("Sari", PASSWORD).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let (composed, decomposed) =
        ("café crème brûlée", "cafe\u{301} cre\u{300}me bru\u{302}le\u{301}e");
    let body = json!({"email": email("Sari"), "password": decomposed, "name": "Sari"});
    users.post("/register", &body).await.is(201);
    for password in [composed, decomposed] {
        users.logs_in("Sari", password).await.is(200);
    }
    // As an older release stored it, from either keyboard.
    for set in [composed, decomposed] {
        for typed in [composed, decomposed] {
            store(&environment, &hashed(set, 19 * 1024, 2)).await;
            users.logs_in("Sari", typed).await.is(200);
        }
        users.logs_in("Sari", composed).await.is(200);
        users.logs_in("Sari", "cafe creme brulee").await.is_problem(401, "wrong-credentials");
    }
    // To change it and to be erased one types it too.
    let sari = Session::of(users.logs_in("Sari", decomposed).await.is(200));
    let (new_composed, new_decomposed) = ("пирожки й ёлки", "пирожки и\u{306} е\u{308}лки");
    let change = json!({"password": new_composed, "current_password": decomposed});
    users.updates(&sari, &change).await.is(200);
    users.logs_in("Sari", new_decomposed).await.is(200);
    users.erases(&sari, new_decomposed).await.is(204);
    users.stop().await;
}

#[tokio::test]
async fn a_log_in_replaces_a_hash_of_lower_parameters() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Sari").await;
    let weak = hashed(PASSWORD, 1024, 1);
    store(&environment, &weak).await;
    users.logs_in("Sari", "wrong").await.is_problem(401, "wrong-credentials");
    assert_eq!(stored(&environment).await, weak);
    let session = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let strong = stored(&environment).await;
    assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
    users.logs_in("Sari", PASSWORD).await.is(200);
    assert_eq!(stored(&environment).await, strong);
    users.refreshes(&session).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_log_in_succeeds_although_another_replaces_the_hash_meanwhile() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Sari").await;
    store(&environment, &hashed(PASSWORD, 1024, 1)).await;
    let database = environment.superuser();
    let mut other = database.begin().await.unwrap();
    let stop = "LOCK TABLE users.known_peer IN ACCESS EXCLUSIVE MODE";
    sqlx::query(stop).execute(&mut *other).await.unwrap();
    let replacing = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting =
            async || sqlx::query_scalar::<_, i64>(waiting).fetch_one(database).await.unwrap();
        // The log-in has read the old hash.
        eventually(waiting).is(1).await;
        let replace = sqlx::query("UPDATE users.account SET password_hash = $1");
        let replace = replace.bind(hashed(PASSWORD, 19 * 1024, 2)).execute(&mut *other).await;
        assert_eq!(replace.unwrap().rows_affected(), 1);
        other.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(users.logs_in("Sari", PASSWORD), replacing);
    let session = Session::of(answer.is(200));
    users.refreshes(&session).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_log_in_succeeds_although_the_hash_cannot_be_replaced() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    users.registers("Sari").await;
    let weak = hashed(PASSWORD, 1024, 1);
    store(&environment, &weak).await;
    let refuse = "ALTER TABLE users.account ADD CONSTRAINT no_change CHECK (false) NOT VALID";
    sqlx::query(refuse).execute(environment.superuser()).await.unwrap();
    let session = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    users.refreshes(&session).await.is(200);
    assert_eq!(stored(&environment).await, weak);
    let allow = "ALTER TABLE users.account DROP CONSTRAINT no_change";
    sqlx::query(allow).execute(environment.superuser()).await.unwrap();
    users.logs_in("Sari", PASSWORD).await.is(200);
    assert_ne!(stored(&environment).await, weak);
    users.stop().await;
}

fn hashed(password: &str, memory_kib: u32, passes: u32) -> String {
    let params = Params::new(memory_kib, passes, 1, None).unwrap();
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = b"salt of mangoes!";
    argon2id.hash_password_with_salt(password.as_bytes(), salt).unwrap().to_string()
}

async fn store(environment: &TestEnvironment, hash: &str) {
    let store = sqlx::query("UPDATE users.account SET password_hash = $1").bind(hash);
    store.execute(environment.superuser()).await.unwrap();
}

async fn stored(environment: &TestEnvironment) -> String {
    let stored = sqlx::query_scalar("SELECT password_hash FROM users.account");
    stored.fetch_one(environment.superuser()).await.unwrap()
}
