//! An event changes after its tickets are sold: buyers see it, are told, and can give them back.

use std::path::Path;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person};
use karcis_schemas::{BOOKING, EVENT, USER};
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};

fn in_days(days: i64) -> DateTime<Utc> {
    karcis_process::now() + Duration::days(days)
}

fn time(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Its organiser changes these fields.
async fn update(concert: &Concert, mut fields: Value) -> Answer {
    fields["event_id"] = json!(concert.id);
    let request = concert.organiser.request(Method::PUT, &EVENT, "/event/update");
    Answer::to(request.json(&fields)).await.is(200)
}

async fn confirmed(buyer: &Person, concert: &Concert) -> Booking {
    let booking = buyer.books(concert, "VIP", 2).await;
    if buyer.sees(&booking).await == "awaiting_payment" {
        buyer.pays_up(&booking).await;
    }
    eventually(|| buyer.sees(&booking)).is("confirmed").await;
    booking
}

/// A fleet that writes its e-mails into this folder, with a buyer who has proven to read his.
async fn with_mails(folder: &Path) -> (Fleet, Person) {
    let folder = folder.to_str().unwrap();
    let fleet = Fleet::builder().flag(&USER, "--mail-dir", folder).start().await;
    let sari = fleet.registers("Sari").await;
    let verify = "UPDATE users.account SET verified_email = email";
    sqlx::query(verify).execute(fleet.environment().superuser()).await.unwrap();
    (fleet, sari)
}

/// The e-mails so far that say this, as a mailbox shows them: folded lines are joined.
fn mails_with(folder: &Path, text: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let eml = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some());
    let mails = eml.map(|path| std::fs::read_to_string(path).unwrap().replace("=\r\n", ""));
    mails.filter(|mail| mail.contains(text)).collect()
}

#[tokio::test]
async fn bookings_and_tickets_show_the_new_date_and_place_and_each_holder_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, sari) = with_mails(folder.path()).await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let booking = confirmed(&sari, &concert).await;
    let before = sari.booking(&booking).await;

    let moved = time(in_days(331));
    update(&concert, json!({"starts_at": moved, "venue": "Gelora Bung Karno"})).await;
    let shown = async || {
        let event = sari.booking(&booking).await["event"].clone();
        (event["starts_at"].clone(), event["venue"].clone())
    };
    let now = (moved.clone(), json!("Gelora Bung Karno"));
    eventually(shown).is(now.clone()).await;
    let told = async || mails_with(folder.path(), "Gelora Bung Karno").len();
    eventually(told).is(1).await;
    let after = sari.booking(&booking).await;
    assert!(after["version"].as_i64() > before["version"].as_i64(), "{after}");
    assert_eq!((&after["status"], &after["tickets"]), (&json!("confirmed"), &before["tickets"]));
    let listed = sari.get(&BOOKING, "/bookings").await.is(200).body["items"][0]["event"].clone();
    assert_eq!((listed["starts_at"].clone(), listed["venue"].clone()), now);
    let code = after["tickets"][0]["code"].as_str().unwrap();
    let ticket = sari.get(&EVENT, &format!("/tickets/{code}")).await.is(200).body;
    assert_eq!((ticket["event"]["starts_at"].clone(), ticket["event"]["venue"].clone()), now);

    // An edit of what no holder sees tells nobody; the next move does.
    update(&concert, json!({"max_per_buyer": 7})).await;
    update(&concert, json!({"title": "Dewa 20"})).await;
    eventually(async || mails_with(folder.path(), "Dewa 20").len()).is(1).await;
    assert_eq!(mails_with(folder.path(), "Gelora Bung Karno").len(), 2);
    let timeline = sari.timeline(&booking).await;
    let moves = timeline.iter().filter(|entry| entry["input"] == "EventChanged").count();
    assert_eq!(moves, 2, "{timeline:#?}");
}

#[tokio::test]
async fn after_a_postponement_tickets_can_be_given_back_though_the_agreed_time_is_past() {
    let fleet = Fleet::start().await;
    let never = in_days(-1);
    let concert = fleet.concert().tickets("VIP", 10).refundable_until(never).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = confirmed(&sari, &concert).await;
    sari.cancels(&booking).await.is_problem(409, "refund-window-closed");

    update(&concert, json!({"starts_at": time(in_days(331))})).await;
    eventually(async || sari.booking(&booking).await["can"].clone()).is(json!(["cancel"])).await;
    let until = sari.booking(&booking).await["refundable_until"].as_str().unwrap().to_owned();
    let until: DateTime<Utc> = until.parse().unwrap();
    assert!(until > in_days(6) && until < in_days(8), "{until}");
    assert_eq!(
        concert.seen().await["refundable_until"],
        sari.booking(&booking).await["refundable_until"]
    );
    sari.cancels(&booking).await.is(202);
    eventually(|| sari.sees(&booking)).is("cancelled").await;
    assert_eq!(fleet.ledger(&booking).await.kept(), 0);
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
}

#[tokio::test]
async fn the_reason_of_a_cancelled_event_reaches_its_buyers() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, sari) = with_mails(folder.path()).await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let booking = confirmed(&sari, &concert).await;
    let code = sari.booking(&booking).await["tickets"][0]["code"].as_str().unwrap().to_owned();
    concert.is_called_off().await;

    eventually(|| sari.sees(&booking)).is("cancelled").await;
    let reason = json!("the singer is ill");
    assert_eq!(sari.booking(&booking).await["event"]["cancel_reason"], reason);
    let event = sari.get(&EVENT, &format!("/events/{}", concert.id)).await.is(200).body;
    assert_eq!(event["cancel_reason"], reason);
    let ticket = sari.get(&EVENT, &format!("/tickets/{code}")).await.is(200).body;
    assert_eq!((&ticket["status"], &ticket["cancel_reason"]), (&json!("cancelled"), &reason));
    eventually(async || mails_with(folder.path(), "the singer is ill").len()).is(1).await;
}

#[tokio::test]
async fn nobody_pays_after_the_sale_has_ended() {
    let fleet = Fleet::start().await;
    let end = karcis_process::now() + Duration::seconds(6);
    let price = json!({"amount": 750_000, "currency": "IDR"});
    let closing = json!({"name": "VIP", "capacity": 10, "price": price, "sales_end": time(end)});
    let concert = fleet.concert().ticket_type(closing).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    assert_eq!(sari.booking(&booking).await["pay_by"], time(end));
    assert_eq!(sari.payment(&booking).await["pay_by"], time(end));

    let expired = ("cancelled".to_owned(), "payment_expired".to_owned());
    eventually(|| sari.sees_why(&booking)).is(expired).await;
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
}

#[tokio::test]
async fn the_mail_of_a_free_booking_names_the_tickets_and_asks_for_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, sari) = with_mails(folder.path()).await;
    let concert = fleet.concert().priced("VIP", 10, 0).published().await;
    let booking = confirmed(&sari, &concert).await;
    let mails = async || mails_with(folder.path(), &booking.id.to_string()).len();
    eventually(mails).is(1).await;
    let mail = mails_with(folder.path(), &booking.id.to_string()).remove(0);
    for said in ["Dewa 19", "Istora Senayan, Jakarta", "VIP"] {
        assert!(mail.contains(said), "{said:?} is not in:\n{mail}");
    }
    assert!(!mail.to_lowercase().contains("pay") && !mail.contains("IDR"), "{mail}");
}
