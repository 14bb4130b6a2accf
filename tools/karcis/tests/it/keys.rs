//! `karcis keys`, as an operator runs it on user-service's schema.

use std::process::Command;

use karcis_schemas::USERS;
use karcis_testkit::TestEnvironment;

/// What it prints, a line for each key; or its complaint.
fn keys(environment: &TestEnvironment, arguments: &[&str]) -> Result<Vec<String>, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command.arg("keys").args(arguments).env("DATABASE_URL", environment.role_url(USERS));
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it says text");
    if !output.status.success() {
        return Err(text(output.stderr));
    }
    let lines: Vec<String> = text(output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["KEY", "CREATED", "STATUS"]);
    Ok(lines[1..].to_vec())
}

fn id(line: &str) -> String {
    line.split_whitespace().next().expect("a key").to_owned()
}

fn ends(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line[67..].split(" 20").next().expect("a status")).collect()
}

/// As if so many minutes had passed.
async fn later(environment: &TestEnvironment, minutes: i32) {
    let later = "UPDATE users.signing_key SET signs_from = signs_from - make_interval(mins => $1)";
    let later = sqlx::query(later).bind(minutes).execute(environment.superuser()).await;
    later.expect("keys can be changed");
}

#[tokio::test]
async fn a_key_is_published_then_signs_and_is_retired_when_no_token_needs_it() {
    let environment = TestEnvironment::start().await;
    assert_eq!(keys(&environment, &["list"]), Ok(vec![]));
    let first = keys(&environment, &["rotate", "--reason", "a new site"]).expect("makes the first");
    assert_eq!(ends(&first), ["signs"]);
    let first = id(&first[0]);
    later(&environment, 60).await;

    let two = keys(&environment, &["rotate"]).expect("makes another");
    assert_eq!((id(&two[0]), ends(&two)), (first.clone(), vec!["signs", "signs from"]));
    let second = id(&two[1]);
    let refused = keys(&environment, &["rotate"]).expect_err("one is on its way");
    assert!(refused.contains(&second) && refused.contains("wait for it"), "{refused}");
    let refused = keys(&environment, &["retire", &first]).expect_err("it signs");
    assert!(refused.contains("it signs: rotate first"), "{refused}");

    later(&environment, 10).await;
    let two = keys(&environment, &["list"]).expect("shows both");
    assert_eq!(
        (id(&two[0]), ends(&two)),
        (second.clone(), vec!["signs", "its tokens are valid until"])
    );
    let refused = keys(&environment, &["retire", &first]).expect_err("its tokens are valid");
    assert!(refused.contains("wait, or retire it with --force"), "{refused}");
    later(&environment, 15).await;
    keys(&environment, &["retire", &first])
        .expect_err("a token may have been signed a minute later");

    later(&environment, 1).await;
    let two = keys(&environment, &["list"]).expect("shows both");
    assert_eq!(ends(&two), ["signs", "not needed, may be retired"]);
    let one = keys(&environment, &["retire", &first]).expect("nothing needs it");
    assert_eq!((id(&one[0]), ends(&one)), (second.clone(), vec!["signs"]));
    let refused = keys(&environment, &["retire", &first]).expect_err("it is gone");
    assert!(refused.contains("karcis keys list shows them"), "{refused}");
    let stolen = ["retire", &second, "--force", "--reason", " stolen "];
    assert_eq!(keys(&environment, &stolen), Ok(vec![]));
    keys(&environment, &["rotate", "--reason", "  "]).expect_err("it is no reason");

    let (first, second) = (by_me(&first), by_me(&second));
    assert_eq!(
        audit(&environment).await,
        [
            ("rotate_keys", &*first, Some("a new site")),
            ("rotate_keys", &second, None),
            ("retire_key", &first, None),
            ("retire_key", &second, Some("stolen")),
        ]
        .map(|(action, detail, reason)| {
            (action.to_owned(), detail.to_owned(), reason.map(str::to_owned))
        })
    );
}

/// As what the audit tells that this test's user did something to the key.
fn by_me(key: &str) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).expect("users can be read");
    format!("key {key} by {}", user.map_or("karcis keys".to_owned(), |user| user.name))
}

/// What was done, to what by whom, and why, the oldest first.
async fn audit(environment: &TestEnvironment) -> Vec<(String, String, Option<String>)> {
    let acts = "SELECT action, detail, reason FROM users.audit ORDER BY at";
    sqlx::query_as(acts).fetch_all(environment.superuser()).await.expect("there is an audit table")
}

#[tokio::test]
async fn another_database_is_refused_without_its_password() {
    let environment = TestEnvironment::start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command
        .args(["keys", "list"])
        .env("DATABASE_URL", environment.role_url(karcis_schemas::EVENTS));
    let output = command.output().expect("it runs");
    let complaint = String::from_utf8(output.stderr).expect("it says text");
    assert!(complaint.contains("is DATABASE_URL that of user-service"), "{complaint}");
}
