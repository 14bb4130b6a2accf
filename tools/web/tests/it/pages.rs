//! The app's pages and files.

use axum::Router;
use reqwest::Method;

use crate::harness::{TestSite, answer, header};

#[tokio::test]
async fn every_page_is_the_app_also_while_all_services_are_away() {
    let site = TestSite::before_nobody().await;
    for path in [
        "/",
        "/e/0198-an-event",
        "/b",
        "/b/0198-a-booking",
        "/checkout",
        "/checkout/0198-an-event",
        "/me",
        "/sign-in",
        "/sign-up",
        "/verify",
        "/reset",
        "/office",
        "/office/events/new",
        "/door",
        "/console",
        "/console/sagas/0198?older_than_s=60",
    ] {
        let response = site.get(path).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&response, "cache-control"), "no-cache");
        let text = response.text().await.expect("is text");
        assert!(text.contains("<!doctype html>") && !text.contains("{{"), "{text}");
    }
}

#[tokio::test]
async fn a_page_may_load_its_own_files_and_nothing_else() {
    let site = TestSite::before_nobody().await;
    let response = site.get("/").send().await.expect("an answer");
    let policy = header(&response, "content-security-policy");
    for part in ["default-src 'none'", "script-src 'self' 'sha256-", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(header(&response, name), value);
    }
    assert!(header(&response, "permissions-policy").contains("camera=(self)"));
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let site = TestSite::before_nobody().await;
    let first = site.get("/").send().await.expect("an answer");
    let tag = header(&first, "etag").to_owned();
    let again = site.get("/me").header("if-none-match", &tag).send().await.expect("an answer");
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, tag.as_str()));
    let policy = |of| header(of, "content-security-policy").to_owned();
    assert_eq!(policy(&again), policy(&first), "it takes the place of the one that is kept");
    let other = site.get("/").header("if-none-match", "W/\"other\"").send().await;
    assert_eq!(other.expect("an answer").status(), 200);
}

#[tokio::test]
async fn files_are_kept_for_a_year_at_the_hash_of_all() {
    let site = TestSite::before_nobody().await;
    let page = site.get("/").send().await.expect("an answer").text().await.expect("is text");
    let (_, rest) = page.split_once("src=\"/a/").expect("the page loads a script");
    let path = format!("/a/{}", rest.split('"').next().expect("ends"));

    let plain = site.get(&path).send().await.expect("an answer");
    assert_eq!(plain.status(), 200, "{path}");
    assert_eq!(header(&plain, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&plain, "cache-control"), "public, max-age=31536000, immutable");
    let plain = plain.bytes().await.expect("arrives");

    let style = page.split('"').find(|part| part.ends_with(".css")).expect("has a style");
    for (path, at_most) in [(path.as_str(), plain.len()), (style, usize::MAX), ("/", page.len())] {
        let packed = site.get(path).header("accept-encoding", "br, gzip").send().await;
        let packed = packed.expect("an answer");
        assert_eq!(header(&packed, "vary"), "accept-encoding");
        assert!(packed.bytes().await.expect("arrives").len() <= at_most, "{path}");
    }

    let (_, name) = path.trim_start_matches("/a/").split_once('/').expect("has a hash");
    for gone in [format!("/a/0000000000000000/{name}"), path.replace(name, "../Cargo.toml")] {
        let (status, _) = answer(site.get(&gone)).await;
        assert_eq!(status, 404, "{gone}");
    }
}

#[tokio::test]
async fn what_is_at_no_path_is_a_page_for_browsers_and_a_problem_for_programs() {
    let site = TestSite::before(Router::new()).await;
    let browser = site.get("/nowhere").header("accept", "text/html,*/*;q=0.8").send().await;
    let browser = browser.expect("an answer");
    assert_eq!(browser.status(), 404);
    assert_eq!(header(&browser, "content-type"), "text/html; charset=utf-8");
    let (status, said) = answer(site.get("/nowhere")).await;
    assert_eq!((status, &said["type"]), (404, &"/problems/not-found".into()));
    let (status, said) = answer(site.request(Method::POST, "/me")).await;
    assert_eq!((status, &said["type"]), (405, &"/problems/method-not-allowed".into()));
}
