//! Words that people look for, as they type them.

use karcis_testkit::Person;
use serde_json::json;

use crate::harness::{TestApp, in_days, plan, with};

/// The titles of what this search finds, in the order of the list.
async fn found(who: &Person, words: &str) -> Vec<String> {
    let url = reqwest::Url::parse_with_params("http://karcis/events", [("q", words)]);
    let url = url.expect("a URL");
    let query = url.query().expect("a query").to_owned();
    let list = who.get(&format!("/events?{query}")).await.is(200).body;
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn words_are_found_in_any_order_whatever_their_case_and_accents() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let events = [
        ("Café Tacvba en vivo", "Teatro Güemes, Córdoba", Some("Músicas del Río de la Plata")),
        ("Đêm nhạc Trịnh", "Nhà hát Đà Nẵng", None),
        ("Smørrebrød & Jazz", "Østerbro, København", Some("Straße, Łódź und Œuvre")),
        ("ВЕЧЕР Йоги", "Дворец культуры", None),
        ("Ζωντανή Μουσική", "Ωδείο Αθηνών", Some("Ο κόσμος")),
        ("東京ガールズ", "ＺＥＰＰ 羽田", Some("がんばれ")),
        ("Guns N’ Roses", "Hall 5", Some("100%_sure\nsecond\\line")),
    ];
    for (days, (title, venue, description)) in (1..).zip(events) {
        let changes = json!({"title": title, "venue": venue, "description": description,
            "starts_at": in_days(days)});
        app.made(&organiser, &with(plan(1), changes)).await;
    }
    let [cafe, dem, jazz, yoga, music, tokyo, guns] = events.map(|(title, ..)| title);
    let visitor = app.visitor();
    for (words, titles) in [
        ("cafe tacvba", &[cafe] as &[&str]),
        ("CAFÉ", &[cafe]),
        ("cafe\u{301}", &[cafe]),
        ("vivo   café", &[cafe]),
        ("\tcordoba\u{a0}tacvba\u{3000}rio ", &[cafe]),
        ("plata GUEMES vivo cafe musicas del", &[cafe]),
        ("tacvba jazz", &[]),
        ("da nang trinh", &[dem]),
        ("Da Nẵng dem", &[dem]),
        ("smorrebrod", &[jazz]),
        ("kobenhavn osterbro JAZZ", &[jazz]),
        ("STRASSE lodz", &[jazz]),
        ("oeuvre", &[jazz]),
        ("вечер йоги", &[yoga]),
        ("культуры ЙОГИ", &[yoga]),
        ("μουσικη ζωντανη", &[music]),
        ("ΚΟΣΜΟΣ", &[music]),
        ("ガールズ zepp", &[tokyo]),
        ("かんばれ", &[]),
        ("guns n' roses", &[guns]),
        ("guns n’ roses", &[guns]),
        ("%_", &[guns]),
        ("％_sure", &[guns]),
        ("\\", &[guns]),
        ("d\\l", &[guns]),
        ("n%roses", &[]),
        ("a", &[cafe, dem, jazz, guns]),
        ("   ", &[cafe, dem, jazz, yoga, music, tokyo, guns]),
        ("\u{301}", &[cafe, dem, jazz, yoga, music, tokyo, guns]),
    ] {
        assert_eq!(found(&visitor, words).await, titles, "{words:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_edit_is_found_by_its_new_words_alone() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &with(plan(1), json!({"description": "Keroncong"}))).await;
    assert_eq!(found(&organiser, "KERONCONG dewa").await, ["Dewa 19"]);
    let edit = with(event.named(), json!({"description": "Dangdut koplo", "venue": "Kridosono"}));
    organiser.post("/event/update", &edit).await.is(200);
    assert_eq!(found(&organiser, "koplo kridosono dewa").await, ["Dewa 19"]);
    for gone in ["keroncong", "istora"] {
        assert!(found(&organiser, gone).await.is_empty(), "{gone}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_hundred_words_are_as_good_as_one() {
    let app = TestApp::start().await;
    app.made(&app.organiser(), &plan(1)).await;
    let many = "e n 1 9 d ".repeat(20);
    assert_eq!(many.len(), 200);
    assert_eq!(found(&app.visitor(), &many).await, ["Dewa 19"]);
    assert!(found(&app.visitor(), &many.replace('9', "8")).await.is_empty());
    app.stop().await;
}
