//! Metrics as Prometheus reads them, and what asks for them: dashboard, alerts, runbooks, docs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use karcis_fleet::Fleet;
use karcis_schemas::SERVICES;
use karcis_testkit::eventually;
use serde_json::Value;

#[tokio::test]
async fn what_dashboard_alerts_and_docs_name_is_what_services_show() {
    let fleet = Fleet::of_processes(&[]).await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.registers("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;

    let page = read("docs/observability.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let described: BTreeSet<&str> = rows.map(|(name, _)| name).filter(|it| is_own(it)).collect();
    let asked: BTreeSet<String> = queries().iter().flat_map(|query| names(query)).collect();
    assert!(asked.len() > 30, "the search for names finds too few: {asked:?}");
    let shown = eventually(async || {
        let shown = shown(&fleet).await;
        let mut missing: Vec<_> = asked.iter().map(String::as_str).collect();
        missing.retain(|name| !shown.samples.contains(*name));
        missing.extend(described.iter().filter(|name| !shown.families.contains_key(**name)));
        if missing.is_empty() { Ok(shown) } else { Err(format!("nobody shows {missing:?}")) }
    })
    .await;

    for (family, kind) in &shown.families {
        assert!(shown.helped.contains(family), "{family} has no HELP");
        assert_eq!(family.ends_with("_total"), kind == "counter", "{family} is a {kind}");
    }
    let own = shown.families.keys().filter(|family| !family.starts_with("process_"));
    let own: BTreeSet<&str> = own.map(String::as_str).collect();
    assert_eq!(described, own, "docs/observability.md lists each metric");
    for text in &shown.texts {
        if let Some(checked) = promtool(&["check", "metrics"], text) {
            assert!(checked.status.success(), "{checked:?}");
        }
    }
}

#[test]
fn every_query_can_be_parsed() {
    let rules = queries().into_iter().enumerate().map(|(number, query)| {
        let query = query.replace("$__rate_interval", "1m");
        format!("  - {{record: 'q:{number}', expr: '{query}'}}\n")
    });
    let rules = format!("groups:\n- name: all\n  rules:\n{}", rules.collect::<String>());
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    fs::write(file.path(), rules).unwrap();
    let path = file.path().to_str().unwrap();
    if let Some(checked) = promtool(&["check", "rules", path], "") {
        assert!(checked.status.success(), "{checked:?}");
    }
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let alerts = read("docker/observability/alerts.yaml");
    let after = |key: &str| -> BTreeSet<String> {
        let values = alerts.lines().filter_map(|line| line.trim().strip_prefix(key));
        values.map(str::to_owned).collect()
    };
    let names = after("- uid: ");
    assert!(names.len() > 10, "the search for alerts finds too few: {names:?}");
    let linked: BTreeSet<_> =
        names.iter().map(|name| format!("/public/runbooks/{name}.md")).collect();
    assert_eq!(after("runbook_url: "), linked);
    let pages = fs::read_dir(root().join("docs/runbooks")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let pages: BTreeSet<_> =
        pages.map(|page| page.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(pages, names);
}

/// What the services show, taken together.
#[derive(Debug, Default)]
struct Shown {
    /// As each service shows it.
    texts: Vec<String>,
    samples: BTreeSet<String>,
    families: BTreeMap<String, String>,
    helped: BTreeSet<String>,
}

async fn shown(fleet: &Fleet) -> Shown {
    let mut all = Shown::default();
    for service in SERVICES {
        let answer = reqwest::get(format!("{}/metrics", fleet.url(service))).await.unwrap();
        let text = answer.text().await.unwrap();
        for line in text.lines() {
            let mut words = line.split([' ', '{']);
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("HELP"), Some(name), _) => {
                    all.helped.insert(name.to_owned());
                }
                (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                    all.families.insert(name.to_owned(), kind.to_owned());
                }
                (Some(name), ..) if !name.is_empty() => {
                    all.samples.insert(name.to_owned());
                }
                _ => {}
            }
        }
        all.texts.push(text);
    }
    all
}

/// The queries of the dashboard's panels and of the alerts.
fn queries() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&read("docker/observability/dashboards/karcis.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let panels = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let alerts = read("docker/observability/alerts.yaml");
    let lines: Vec<&str> = alerts.lines().collect();
    let expressions = lines.windows(2).filter(|pair| pair[0].trim() == "expr: >-");
    panels.chain(expressions.map(|pair| pair[1].trim().to_owned())).collect()
}

/// The metrics a query names.
fn names(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| is_own(word) || word.starts_with("process_")).map(str::to_owned).collect()
}

fn is_own(name: &str) -> bool {
    name.starts_with("karcis_") || name.starts_with("http_server_")
}

/// What promtool (Debian's package prometheus) says; nothing where it is not installed.
fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input).unwrap();
    let input = fs::File::open(file.path()).unwrap();
    let child = Command::new("promtool")
        .args(arguments)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match child {
        Ok(child) => Some(child.wait_with_output().unwrap()),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
            eprintln!("promtool is not installed: not checked by it");
            None
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
