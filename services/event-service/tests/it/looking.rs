//! What everybody sees of events, and what only their organisers see.

use karcis_kernel::{Role, Timestamp};
use karcis_testkit::eventually;
use serde_json::{Value, json};

use crate::shop::{Shop, Somebody, in_days, plan, with};

async fn titles(shop: &Shop, who: Option<Somebody>, query: &str) -> Vec<String> {
    let list = shop.get(who, &format!("/events?{query}")).await.is(200).body;
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_seen_by_their_organiser_and_admins_alone() {
    let shop = Shop::open().await;
    let organiser = Somebody::organiser();
    let draft = shop.made(organiser, &with(plan(10), json!({"status": "draft"}))).await;
    let path = format!("/events/{}", draft.id);
    let admin = Somebody::new(Role::Admin);
    for who in [organiser, admin] {
        assert_eq!(shop.get(Some(who), &path).await.is(200).body["status"], "draft");
        assert_eq!(titles(&shop, Some(who), "status=draft").await, ["Dewa 19"]);
    }
    for who in [None, Some(Somebody::organiser()), Some(Somebody::new(Role::Buyer))] {
        shop.get(who, &path).await.is_problem(404, "not-found");
        assert!(titles(&shop, who, "status=draft").await.is_empty());
        assert!(titles(&shop, who, "").await.is_empty());
    }
    shop.post(organiser, "/event/publish", &draft.named()).await.is(200);
    assert_eq!(shop.get(None, &path).await.is(200).body["status"], "published");
    assert_eq!(titles(&shop, None, "").await, ["Dewa 19"]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_searched_and_filtered_soonest_first() {
    let shop = Shop::open().await;
    let organiser = Somebody::organiser();
    let event = |title: &str, days: i64| {
        with(plan(10), json!({"title": title, "starts_at": in_days(days)}))
    };
    shop.made(organiser, &event("Late", 30)).await;
    shop.made(organiser, &event("Soon", 10)).await;
    let elsewhere = with(event("100%_sure", 20), json!({"venue": "Gedung Kesenian"}));
    shop.made(organiser, &elsewhere).await;
    let going_on = with(event("Going on", -1), json!({"ends_at": in_days(1)}));
    shop.made(organiser, &going_on).await;
    let cancelled = shop.made(organiser, &event("Cancelled", 15)).await;
    let reason = with(cancelled.named(), json!({"reason": "rain"}));
    shop.post(organiser, "/event/cancel", &reason).await.is(202);
    let over = shop.made(organiser, &event("Over", 12)).await;
    let earlier = with(over.named(), json!({"starts_at": in_days(-2)}));
    shop.post(organiser, "/event/update", &earlier).await.is(200);

    let (from, to) = (in_days(15), in_days(25));
    for (query, expected) in [
        ("", &["Going on", "Soon", "100%_sure", "Late"] as &[&str]),
        ("status=published", &["Going on", "Soon", "100%_sure", "Late"]),
        ("status=cancelled", &["Cancelled"]),
        ("status=ended", &["Over"]),
        ("q=soon", &["Soon"]),
        ("q=kesenian", &["100%_sure"]),
        ("q=%25_", &["100%_sure"]),
        ("q=%25", &["100%_sure"]),
        ("q=_", &["100%_sure"]),
        ("q=%5C", &[]),
        (&format!("from={from}"), &["100%_sure", "Late"]),
        (&format!("to={to}"), &["Going on", "Soon", "100%_sure"]),
        (&format!("from={from}&to={to}"), &["100%_sure"]),
        ("unknown=parameter&limit=1", &["Going on"]),
    ] {
        assert_eq!(titles(&shop, None, query).await, expected, "{query}");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("from=yesterday", "from"),
        ("to=%2B99999-01-01T00:00:00Z", "to"),
        ("status=over", "status"),
        ("q=%00", "q"),
    ] {
        shop.get(None, &format!("/events?{query}")).await.is_about(field);
    }
    shop.get(None, "/events/nonsense").await.is_problem(404, "not-found");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_every_event_once() {
    let shop = Shop::open().await;
    let organiser = Somebody::organiser();
    // Three of them start at the same moment: the cursor must tell those apart too.
    let starts = [10, 11, 12].map(in_days);
    let mut expected = Vec::new();
    for n in 0..9 {
        let changes = json!({"title": format!("Event {n}"), "starts_at": starts[n / 3]});
        let made = shop.made(organiser, &with(plan(10), changes)).await;
        expected.push(made.id.to_string());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(None, &format!("/events?limit=2{cursor}")).await.is(200).body;
        let items = page["items"].as_array().expect("a page has items");
        seen.extend(items.iter().map(|item| item["event_id"].as_str().expect("an id").to_owned()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            end => {
                assert_eq!(end, &Value::Null);
                break;
            }
        }
    }
    assert_eq!(seen, expected);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_seen_within_a_second() {
    let shop = Shop::open().await;
    let organiser = Somebody::organiser();
    let types = json!([
        {"name": "VIP", "price": {"amount": 900, "currency": "USD"}, "capacity": 10},
        {"name": "Lawn", "price": {"amount": 100, "currency": "USD"}, "capacity": 1},
    ]);
    let event = shop.made(organiser, &with(plan(1), json!({"ticket_types": types}))).await;
    let listed = async || {
        let asked = karcis_process::now();
        let list = shop.get(None, "/events").await.is(200).body;
        let item = &list["items"][0];
        let as_of = item["as_of"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        assert!(as_of > Some(asked - chrono::Duration::seconds(1)), "{as_of:?}, asked {asked}");
        let left = |n: usize| item["ticket_types"][n]["available"].as_i64();
        let price = item["from_price"]["amount"].as_i64();
        (price, item["availability"].as_str().map(str::to_owned), left(0), left(1))
    };
    let is =
        |price, word: &str, vip, lawn| (Some(price), Some(word.to_owned()), Some(vip), Some(lawn));
    assert_eq!(listed().await, is(100, "many", 10, 1));
    let mut lawn = event.reserve(1);
    lawn.items[0].ticket_type_id = event.types[1];
    shop.ask(lawn).await;
    eventually(listed).is(is(900, "many", 10, 0)).await;
    shop.ask(event.reserve(9)).await;
    eventually(listed).is(is(900, "few", 1, 0)).await;
    shop.ask(event.reserve(1)).await;
    eventually(listed).is(is(100, "sold_out", 0, 0)).await;
    let seen = shop.get(None, &format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(seen["ticket_types"][0]["available"], 0);
    assert_eq!(seen["version"], 1, "sales are no edits");
    shop.close().await;
}
