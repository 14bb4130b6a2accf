//! The floor plan: the same job has the same file in every service, and no job has two.

use std::path::Path;

use crate::{
    source::is_word_char,
    tree::{assert_none, files, read, root, services, shown, stem},
};

/// The files of a service's `src` and `tests`, by their folder. A service that lacks a job lacks
/// the file. `*` stands for names that the service chooses.
const PLAN: [(&str, &[&str]); 10] = [
    ("src", &["main", "lib", "config"]),
    ("src/domain", &["*"]),
    ("src/domain/tests", &["mod", "table", "exploration", "samples"]),
    ("src/application", &["mod", "ports", "*"]),
    ("src/adapters", &["mod", "workers", "metrics"]),
    ("src/adapters/http", &["mod", "responses", "problems", "*"]),
    ("src/adapters/http/ops", &["mod", "responses"]),
    ("src/adapters/kafka", &["mod", "consumer", "messages"]),
    (
        "src/adapters/postgres",
        &["mod", "load", "commit", "rows", "queries", "batched", "purge", "stored_json"],
    ),
    ("tests/it", &["main", "harness", "*"]),
];

/// Jobs that one service alone has: a file, or a folder whose files it names itself.
const OWN_JOBS: [(&str, &str); 14] = [
    ("booking-service", "src/domain/tests/operator.rs"),
    ("event-service", "src/adapters/http/doors/"),
    ("event-service", "src/adapters/time_zone.rs"),
    ("event-service", "src/domain/tests/edits/"),
    ("payment-service", "src/adapters/gateway/"),
    ("payment-service", "src/domain/tests/attempt.rs"),
    ("payment-service", "src/domain/tests/settle.rs"),
    ("user-service", "src/adapters/access_tokens.rs"),
    ("user-service", "src/adapters/first_admin.rs"),
    ("user-service", "src/adapters/mail/"),
    ("user-service", "src/adapters/password_hasher.rs"),
    ("user-service", "src/adapters/postgres/notifications.rs"),
    ("user-service", "src/adapters/secret_tokens.rs"),
    ("user-service", "src/adapters/security_log.rs"),
];

/// Names that a job had before it had one.
const OTHER_NAMES: [(&str, &str); 17] = [
    ("answer", "responses"),
    ("shown", "responses"),
    ("shapes", "responses"),
    ("payment_json", "responses"),
    ("outgoing", "kafka/messages"),
    ("facts", "kafka/messages"),
    ("replies", "kafka/consumer"),
    ("row", "rows"),
    ("columns", "rows"),
    ("read", "load or queries"),
    ("write", "commit"),
    ("lanes", "postgres/batched"),
    ("regularly", "workers"),
    ("desk", "harness"),
    ("shop", "harness"),
    ("instance", "harness"),
    ("explored", "tests/exploration"),
];

#[test]
fn every_job_has_its_file() {
    let mut broken = Vec::new();
    for service in services() {
        let tables = tables(&service);
        for file in
            [files(&service.join("src"), ".rs"), files(&service.join("tests"), ".rs")].concat()
        {
            let name = file.strip_prefix(&service).unwrap().to_str().unwrap();
            let service = service.file_name().unwrap().to_str().unwrap();
            if let Some(why) = misplaced(service, name, &tables) {
                broken.push(format!("{}: {why}", shown(&file)));
            }
        }
    }
    assert_none(broken, "the floor plan is CONTRIBUTING.md's");
}

#[test]
fn every_entry_of_the_plan_has_a_file() {
    let has = |service: &Path, file: &str| service.join(file).exists();
    let jobs = PLAN.iter().flat_map(|(folder, names)| {
        let names = names.iter().filter(|name| **name != "*");
        names.map(move |name| format!("{folder}/{name}.rs"))
    });
    let unused = jobs.filter(|job| !services().iter().any(|service| has(service, job)));
    let of = |service: &str| root().join("services").join(service);
    let gone = OWN_JOBS.iter().filter(|(service, job)| !has(&of(service), job));
    let gone = gone.map(|(service, job)| format!("{service}/{job}"));
    assert_none(unused.chain(gone), "each entry of the plan has a file");
}

/// Why a file has no place in the plan.
fn misplaced(service: &str, file: &str, tables: &[String]) -> Option<String> {
    let (folder, name) = file.trim_end_matches(".rs").rsplit_once('/').unwrap();
    let own = |job: &str| file == job || job.ends_with('/') && file.starts_with(job);
    if OWN_JOBS.iter().any(|(of, job)| *of == service && own(job)) {
        return None;
    }
    let instead = OTHER_NAMES
        .iter()
        .find(|(not, of)| *not == name && (*of == "harness") == (folder == "tests/it"));
    if let Some((_, instead)) = instead {
        return Some(format!("this job's file is {instead}.rs"));
    }
    let Some((_, names)) = PLAN.iter().find(|(of, _)| *of == folder) else {
        return Some(format!("no folder {folder} is in the plan"));
    };
    if folder == "src/domain"
        && (name.contains("test") || ["table", "samples", "fixture"].contains(&name))
    {
        return Some("tests of the domain are in domain/tests".to_owned());
    }
    let table = folder == "src/adapters/postgres" && tables.iter().any(|table| table == name);
    let fits = names.contains(&name) || names.contains(&"*") || table;
    (!fits).then(|| format!("{folder} has {} and no {name}.rs", names.join(", ")))
}

/// The names that a file for one table may have: the table's, or its plural.
fn tables(service: &Path) -> Vec<String> {
    let schema = service.file_name().unwrap().to_str().unwrap().trim_end_matches("-service");
    let migrations = files(&root().join("migrations").join(schema), ".sql");
    let sql: String = migrations.iter().map(|file| read(file)).collect();
    let tables = sql.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split(' ').next());
    tables.flat_map(|table| [table.to_owned(), format!("{table}s")]).collect()
}

#[test]
fn a_use_case_is_one_function_in_a_file_of_its_name() {
    let mut broken = Vec::new();
    for service in services() {
        for file in files(&service.join("src/application"), ".rs") {
            let name = stem(&file);
            let has_it = functions(&read(&file)).iter().any(|function| is_named_by(name, function));
            if !["mod", "ports", "port_tests", "provider_tests", "unit_of_work"].contains(&name)
                && !has_it
            {
                broken.push(format!("{} has no `async fn {name}`", shown(&file)));
            }
        }
    }
    assert_none(broken, "a use case is a verb: one file, one function");
}

/// The names of the functions that wait, as use cases do.
fn functions(text: &str) -> Vec<String> {
    let names = text.split("async fn ").skip(1);
    names.map(|rest| rest.chars().take_while(|c| is_word_char(*c)).collect()).collect()
}

/// `check_password.rs` may have `check_password`, or `check` of a type.
fn is_named_by(file: &str, function: &str) -> bool {
    file == function || file.starts_with(&format!("{function}_"))
}

#[test]
fn the_plan_can_be_broken() {
    assert_eq!(functions("pub async fn check(\n) {}"), ["check"]);
    assert!(is_named_by("check_password", "check") && !is_named_by("check_password", "password"));
    let tables = ["hold".to_owned(), "holds".to_owned()];
    let place = |file| misplaced("event-service", file, &tables);
    for fits in [
        "src/lib.rs",
        "src/domain/stock.rs",
        "src/domain/tests/table.rs",
        "src/adapters/http/events.rs",
        "src/adapters/postgres/holds.rs",
        "src/adapters/time_zone.rs",
        "tests/it/editing.rs",
    ] {
        assert_eq!(place(fits), None, "{fits}");
    }
    for misplaced in [
        "src/house.rs",
        "src/domain/command_tests.rs",
        "src/domain/tests/holds.rs",
        "src/adapters/lanes.rs",
        "src/adapters/gateway/mod.rs",
        "src/adapters/http/shown.rs",
        "src/adapters/kafka/facts.rs",
        "src/adapters/postgres/turns.rs",
        "tests/it/shop.rs",
    ] {
        assert!(place(misplaced).is_some(), "{misplaced}");
    }
}
