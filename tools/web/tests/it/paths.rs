//! Which paths are pages, which are the services', and which are nobody's.

use std::{collections::BTreeSet, fs, path::Path};

use axum::Router;
use karcis_schemas::SERVICES;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{TestSite, answer};

/// What every service has for itself: the gateway has its own, or none.
const OF_EVERY_SERVICE: [&str; 7] =
    ["/", "/docs", "/healthz", "/metrics", "/openapi.json", "/problems/{slug}", "/readyz"];

#[tokio::test]
async fn every_path_of_the_documents_leads_to_its_service_and_to_no_page() {
    let site = TestSite::before(Router::new()).await;
    for service in SERVICES {
        let paths = documented(service.name);
        assert!(paths.len() > 5, "{paths:?}");
        for (path, method) in paths {
            let filled = path.replace(['{', '}'], "");
            let method: Method = method.to_uppercase().parse().expect("a method");
            let request = site.request(method.clone(), &filled).header("accept", "text/html");
            let (status, said) = answer(request.bearer_auth("a token")).await;
            assert_eq!((status, &said["service"]), (200, &service.name.into()), "{path}");
            assert_eq!((&said["path"], &said["method"]), (&filled.into(), &method.as_str().into()));
        }
    }
}

/// The paths of a service's own with their methods.
fn documented(service: &str) -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    let text = fs::read(folder.join(service).with_extension("json")).expect("has a document");
    let document: Value = serde_json::from_slice(&text).expect("is JSON");
    let paths = document["paths"].as_object().expect("has paths").iter();
    let own = paths.filter(|(path, _)| !OF_EVERY_SERVICE.contains(&path.as_str()));
    let own = own.flat_map(|(path, item)| {
        let methods = item.as_object().expect("has methods").keys();
        methods.map(move |method| (path.clone(), method.clone()))
    });
    own.collect()
}

#[tokio::test]
async fn what_is_for_those_who_run_the_services_is_not_passed_on() {
    let site = TestSite::before(Router::new()).await;
    for path in ["/metrics", "/openapi.json", "/docs", "/docs/", "/nothing", "/ops", "/ops/audit"] {
        let (status, said) = answer(site.get(path).bearer_auth("a token")).await;
        assert_eq!((status, &said["type"]), (404, &"/problems/not-found".into()), "{path}");
    }
    for path in ["/ops/booking/sagas", "/ops/user/audit"] {
        let (status, said) = answer(site.get(path)).await;
        assert_eq!((status, &said["type"]), (401, &"/problems/not-logged-in".into()), "{path}");
    }
    let (status, said) = answer(site.get("/healthz")).await;
    assert_eq!((status, &said["status"]), (200, &"alive".into()), "its own");
    let (status, said) = answer(site.get("/readyz")).await;
    assert_eq!((status, &said["status"]), (200, &"ready".into()), "its own");
}

#[tokio::test]
async fn problems_have_their_pages_here_too() {
    let site = TestSite::before_nobody().await;
    let (status, page) = answer(site.get("/problems/wrong-origin")).await;
    assert!(status == 200 && page.as_str().is_some_and(|page| page.contains("403")), "{page}");
}
