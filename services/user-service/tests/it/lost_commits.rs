//! The answer to a COMMIT is lost: what was done counts, and nobody is logged out by it.

use karcis_schemas::USERS;
use karcis_testkit::TestEnvironment;

use crate::harness::{PASSWORD, Session, TestApp};

#[tokio::test]
async fn people_register_log_in_and_refresh_although_answers_to_commits_are_lost() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.losing_commits().await;
    let users = TestApp::start(&environment, &[]).await;
    proxy.lose("INSERT INTO account");
    let registered = users.registers("Sari").await;
    assert_eq!(proxy.lost(), 1);
    assert_eq!(users.profile(&registered).await["name"], "Sari");
    let accounts = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM users.account");
    assert_eq!(accounts.fetch_one(environment.superuser()).await.unwrap(), 1);
    let again =
        serde_json::json!({"email": "sari@mail.example", "password": PASSWORD, "name": "S"});
    users.post("/register", &again).await.is_problem(409, "email-taken");

    proxy.lose("INSERT INTO session");
    let logged_in = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    assert_eq!(proxy.lost(), 2);

    let mut session = logged_in;
    for round in 3..6 {
        proxy.lose("UPDATE refresh_token SET used_at");
        session = Session::of(users.refreshes(&session).await.is(200));
        assert_eq!(proxy.lost(), round);
    }
    users.profile(&session).await;
    users.stop().await;
    environment.all_sent(USERS).await;
}
