//! `karcis ops`, as an operator runs it beside a whole fleet.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use karcis_dev_servers::TempDir;
use karcis_fleet::Fleet;
use karcis_schemas::{BOOKING, EVENT, PAYMENT, SERVICES};
use karcis_testkit::eventually;
use serde_json::json;

use crate::operator::{Operator, Stranger, say_nonsense};

const WHY: [&str; 2] = ["--reason", "the buyer called"];

#[tokio::test]
async fn an_operator_finds_out_what_a_booking_waits_for_and_cancels_it() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    let operator = Operator::of(&fleet);
    let id = booking.id.to_string();

    assert_eq!(operator.says(&["stuck"]), "no booking needs an operator\n");
    let all = operator.says(&["stuck", "--all"]);
    assert!(all.lines().count() == 2 && all.contains(&id) && all.contains("awaiting"), "{all}");
    let story = operator.says(&["why", &id]);
    for part in ["TicketsReserved", "RequestPayment", "Hold: held", "2 VIP", "Payment: open"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    let last = story.lines().last().expect("a line");
    assert!(last.starts_with("It waits for the buyer to pay, until 20"), "{last}");
    let story = operator.json(&["why", &id]);
    assert_eq!([&story["hold"]["state"], &story["payment"]["status"]], ["held", "open"]);
    assert_eq!(story["waits_for"], last);

    let told = operator.says(&[&["cancel", &id], &WHY[..]].concat());
    assert!(told.starts_with("it is being cancelled; it waits for payment-service"), "{told}");
    let is_cancelled = ("cancelled".to_owned(), "cancelled_by_buyer".to_owned());
    eventually(|| sari.sees_why(&booking)).is(is_cancelled).await;
    let is_over =
        async || operator.says(&["why", &id]).contains("It waits for nothing: it has ended");
    eventually(is_over).is(true).await;
    let told = operator.says(&[&["cancel", &id], &WHY[..]].concat());
    assert!(told.contains("nothing was changed"), "{told}");
    let refused = operator.complains(&[&["resume", &id], &WHY[..]].concat());
    assert!(
        refused.contains("booking-service refuses: The booking waits for no answer"),
        "{refused}"
    );
    let audit = operator.says(&["audit"]);
    assert!(audit.contains("cancel_booking") && audit.contains("the buyer called"), "{audit}");
}

#[tokio::test]
async fn an_operator_settles_what_the_provider_left_open() {
    let fleet = Fleet::builder()
        .flag(&karcis_schemas::PAYMENT, "--provider-wait-ms", "200")
        .flag(&karcis_schemas::PAYMENT, "--provider-timeout-ms", "600000")
        .start()
        .await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    let operator = Operator::of(&fleet);
    let id = booking.id.to_string();
    let none = "the provider left nothing open\n";
    assert_eq!(operator.says(&["unknown", "--older-than", "0"]), none);

    // The provider takes the money, and its answer is late.
    let mut thinking = fleet.environment().superuser().begin().await.expect("a transaction");
    let lock = "LOCK TABLE simulated_gateway.charge IN EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *thinking).await.expect("a lock");
    sari.pays(&booking, "tok_approved").await.is(202);
    let open = operator.says(&["unknown", "--older-than", "0"]);
    assert!(open.contains(&id) && open.contains("attempt"), "{open}");
    let story = operator.says(&["why", &id]);
    assert!(story.contains("Payment: processing"), "{story}");
    let last = story.lines().last().expect("a line");
    assert!(last.starts_with("It waits for the provider: an attempt of 20"), "{last}");

    let settle = ["settle", &id, "approved", "--reference", "pi_42"];
    let told = operator.says(&[&settle, &WHY[..]].concat());
    assert!(told.starts_with("recorded; the payment is succeeded"), "{told}");
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    let refused = operator.complains(&[&settle, &WHY[..]].concat());
    assert!(refused.contains("There is nothing to settle"), "{refused}");
    thinking.rollback().await.expect("the provider goes on");
    // Its ledger has the money too, at the end of this test.
    eventually(async || fleet.ledger(&booking).await.captures).is(1).await;
}

#[tokio::test]
async fn an_operator_redrives_and_discards_what_a_service_could_not_handle() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    let operator = Operator::of(&fleet);
    let id = booking.id.to_string();
    assert_eq!(operator.says(&["dead-letters"]), "no dead letters\n");
    assert_eq!(operator.says(&["parked"]), "no parked messages\n");
    assert_eq!(operator.says(&["differences"]), "no differences\n");
    say_nonsense(&fleet, &booking).await;
    let one = eventually(async || {
        let listed = operator.json(&["dead-letters", "--service", "booking"]);
        match &listed["items"].as_array().expect("a list")[..] {
            [one] => Ok(one["dead_letter_id"].as_str().expect("an id").to_owned()),
            _ => Err(listed),
        }
    });
    let one = one.await;

    let table = operator.says(&["dead-letters"]);
    assert!(table.contains(&one) && table.contains("karcis.PaymentSucceeded.v1"), "{table}");
    let shown = operator.says(&["dead-letters", "show", "booking", &one]);
    assert!(shown.contains("header ce_id") && shown.ends_with("\nno json\n"), "{shown}");
    let why = operator.says(&["why", &id]);
    let last = why.lines().last().expect("a line");
    assert!(
        last.ends_with("booking-service could not handle karcis.PaymentSucceeded.v1."),
        "{last}"
    );

    let narrow = ["dead-letters", "redrive", "booking", &one, "--topic", "karcis.users.v1"];
    let refused = operator.run(&[&narrow[..], &WHY].concat());
    assert_eq!(refused.status.code(), Some(2), "a topic is for --all");
    let other = ["--all", "--type", "karcis.PaymentFailed.v1"];
    let redrive = ["dead-letters", "redrive", "booking"];
    assert_eq!(operator.says(&[&redrive[..], &other, &WHY].concat()), "redrive: 0\n");
    assert_eq!(operator.says(&[&redrive[..], &["--all"], &WHY].concat()), "redrive: 1\n");
    let again = operator.says(&[&redrive[..], &[&one], &WHY].concat());
    assert_eq!(again, "redrive: 0 (1 more were done before)\n");
    // It fails again, as nothing was mended.
    let has_failed =
        async || operator.says(&["dead-letters"]).contains("karcis.PaymentSucceeded.v1");
    eventually(has_failed).is(true).await;
    let discard = ["dead-letters", "discard", "booking", "--all"];
    assert_eq!(operator.says(&[&discard[..], &WHY].concat()), "discard: 1\n");
    let gone = operator.complains(&[&["parked", "resend", "booking", &one], &WHY[..]].concat());
    assert!(gone.contains("booking-service refuses: Not found"), "{gone}");
}

#[tokio::test]
async fn a_service_that_does_not_answer_hides_nothing_of_the_others() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let booking = fleet.buyer("Sari").await.books(&concert, "VIP", 2).await;
    let operator = Operator::of(&fleet);
    say_nonsense(&fleet, &booking).await;
    let is_there = async || operator.says(&["dead-letters"]).contains("PaymentSucceeded");
    eventually(is_there).is(true).await;

    let nowhere = "http://127.0.0.1:1";
    let half = operator.run(&["dead-letters", "--user-url", nowhere]);
    assert_eq!(half.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&half.stdout).contains("PaymentSucceeded"), "{half:?}");
    let complaint = String::from_utf8_lossy(&half.stderr);
    let named = "1 of 4 calls failed:\nuser-service does not answer at http://127.0.0.1:1";
    assert!(complaint.contains(named), "{complaint}");
    let none = operator.run(&["parked", "--user-url", nowhere]);
    assert_eq!(String::from_utf8_lossy(&none.stdout), "", "there may be some");
    let discard = ["dead-letters", "discard", "booking", "--all"];
    assert_eq!(operator.says(&[&discard[..], &WHY].concat()), "discard: 1\n");
}

#[tokio::test]
async fn whichever_service_is_silent_a_story_has_what_the_others_know() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let booking = fleet.buyer("Sari").await.books(&concert, "VIP", 2).await;
    let operator = Operator::of(&fleet);
    let id = booking.id.to_string();
    let stranger = Stranger::answers(|_| (200, "<html>Welcome to nginx!</html>".to_owned()));
    for service in SERVICES {
        for elsewhere in ["http://127.0.0.1:1", &stranger.url] {
            let half = operator.run(&["why", &id, &format!("--{}-url", service.name), elsewhere]);
            assert_eq!(half.status.code(), Some(1), "{}", service.name);
            let story = String::from_utf8_lossy(&half.stdout);
            for (whose, part) in [
                (BOOKING.name, "TicketsReserved"),
                (BOOKING.name, "It waits for the buyer to pay"),
                (EVENT.name, "Hold: held"),
                (PAYMENT.name, "Payment: open"),
            ] {
                assert_eq!(story.contains(part), whose != service.name, "{part}: {story}");
            }
            let unseen = format!("are not known of {}", service.full_name());
            assert_eq!(story.contains(&unseen), service.name != BOOKING.name, "{story}");
            let complaint = String::from_utf8_lossy(&half.stderr);
            let named = format!("{} does not answer at {elsewhere}", service.full_name());
            assert!(complaint.contains(&named), "{complaint}");
        }
    }
    // What booking-service has lost, such as by a restored backup, the others may know.
    let lost = "01980a5c-2f7e-7000-8000-2f3a4b5c6d7e";
    let unknown = operator.complains(&["why", lost]);
    assert!(unknown.contains("no service knows this booking"), "{unknown}");
    let superuser = fleet.environment().superuser();
    let tombstone = "INSERT INTO payments.payment (booking_id, payment_id, status, version)
        VALUES ($1::uuid, $1::uuid, 'cancelled', 1)";
    sqlx::query(tombstone).bind(lost).execute(superuser).await.expect("a row can be made");
    let story = operator.says(&["why", lost]);
    for part in ["booking-service has no such booking", "Hold: none", "Payment: cancelled"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    let gone = "DELETE FROM payments.payment WHERE booking_id = $1::uuid";
    sqlx::query(gone).bind(lost).execute(superuser).await.expect("a row can be deleted");
}

#[tokio::test]
async fn operators_log_in_with_a_token_or_a_password_and_others_are_refused() {
    let fleet = Fleet::start().await;
    let olga = fleet.registers("Olga").await;
    let as_operator = "UPDATE users.account SET role = 'operator' WHERE user_id = $1";
    let promoted = sqlx::query(as_operator).bind(olga.user_id.0);
    promoted.execute(fleet.environment().superuser()).await.expect("she is one");
    let mut operator = Operator::of(&fleet);
    operator.login =
        vec![("KARCIS_OPS_EMAIL", olga.email()), ("KARCIS_OPS_PASSWORD", olga.password())];
    assert_eq!(operator.says(&["audit"]), "nobody did anything\n");
    let token = operator.says(&["token"]).trim().to_owned();
    operator.login = vec![("KARCIS_TOKEN", token)];
    assert_eq!(operator.says(&["stuck"]), "no booking needs an operator\n");

    // The first admin of a running `karcis` is in its state file.
    operator.login = vec![];
    operator.writes_state(&fleet, Some((&olga.email(), &olga.password())));
    assert_eq!(operator.says(&["stuck"]), "no booking needs an operator\n");
    // It is found where `karcis` writes it, and not wherever the operator happens to be.
    let folder = operator.folder.path().to_owned();
    operator.login = vec![("KARCIS_DATA", folder.display().to_string())];
    let found = operator.runs_in("/".as_ref(), &["stuck"]);
    assert!(found.status.success(), "{found:?}");
    std::fs::create_dir_all(folder.join("elsewhere/target/karcis")).expect("a folder");
    std::fs::copy(operator.state_file(), folder.join("elsewhere/target/karcis/stack.json"))
        .expect("a file can be copied");
    operator.login = vec![("KARCIS_DATA", folder.join("nothing").display().to_string())];
    let there = operator.runs_in(&folder.join("elsewhere"), &["stuck"]);
    assert!(String::from_utf8_lossy(&there.stderr).contains("nobody to call as"), "{there:?}");

    operator.login = vec![];
    operator.writes_state(&fleet, None);
    assert!(operator.complains(&["stuck"]).contains("nobody to call as"));
    operator.login = vec![("KARCIS_OPS_EMAIL", olga.email())];
    assert!(operator.complains(&["stuck"]).contains("nobody to call as"), "no password is typed");
    operator.login.push(("KARCIS_OPS_PASSWORD", "seven quiet concerts".to_owned()));
    let refused = operator.complains(&["stuck"]);
    assert!(refused.contains("user-service refuses"), "{refused}");
    operator.login = vec![("KARCIS_TOKEN", fleet.buyer("Sari").await.token)];
    let refused = operator.complains(&["stuck"]);
    assert!(refused.contains("Not allowed for this role"), "{refused}");
    operator.login.push(("KARCIS_BOOKING_URL", "http://127.0.0.1:1".to_owned()));
    let refused = operator.complains(&["stuck"]);
    assert!(refused.contains("booking-service does not answer at http://127.0.0.1:1"), "{refused}");
}

#[test]
fn what_another_program_answers_is_no_success() {
    let folder = TempDir::new().expect("a folder");
    let operator = Operator { folder, login: vec![("KARCIS_TOKEN", "a token".to_owned())] };
    let one = "01980a5c-2f7e-7000-8000-2f3a4b5c6d7e";
    for (status, body) in [
        (200, "<html>Welcome to nginx!</html>"),
        (200, r#"{"status": "UP"}"#),
        (200, ""),
        (404, "<html>Not Found</html>"),
        (502, r#"{"message": "no upstream"}"#),
    ] {
        let stranger = Stranger::answers(move |_| (status, body.to_owned()));
        operator.writes(&SERVICES.map(|service| (service, &*stranger.url)), None);
        for command in [
            &["stuck"][..],
            &["audit"][..],
            &["why", one][..],
            &[&["resume", one], &WHY[..]].concat()[..],
            &[&["cancel", one], &WHY[..]].concat()[..],
            &[&["settle", one, "approved", "--reference", "pi_42"], &WHY[..]].concat()[..],
            &["dead-letters", "show", "booking", one][..],
            &[&["dead-letters", "redrive", "booking", one], &WHY[..]].concat()[..],
            &[&["parked", "resend", "booking", "--all"], &WHY[..]].concat()[..],
        ] {
            let output = operator.run(command);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{status} {body}: {command:?}: {output:?}");
            let named = format!("does not answer at {}: it answers {status}", stranger.url);
            assert!(complaint.contains(&named), "{command:?}: {complaint}");
        }
    }
}

#[test]
fn what_takes_longer_than_a_token_lasts_goes_on_with_another() {
    let renewed = Arc::new(AtomicBool::new(false));
    let is_renewed = renewed.clone();
    let dead_letters = [1, 2, 3].map(|n| format!("01980a5c-2f7e-7000-8000-00000000000{n}"));
    let listed = dead_letters.clone().map(|id| json!({"dead_letter_id": id}));
    let stranger = Stranger::answers(move |request| {
        let is_first = request.contains("Bearer first");
        if request.starts_with("POST /login") {
            return (200, json!({"access_token": "first", "refresh_token": "one"}).to_string());
        }
        if request.starts_with("POST /token/refresh") && request.contains("one") {
            assert!(!is_renewed.swap(true, Ordering::SeqCst), "a refresh token is used once");
            return (200, json!({"access_token": "next", "refresh_token": "two"}).to_string());
        }
        if request.starts_with("GET") && is_first {
            return (200, json!({"items": listed, "next_cursor": null}).to_string());
        }
        // It ends after the first.
        if is_first && !request.contains("00001/redrive") {
            return (401, json!({"title": "Not logged in", "status": 401}).to_string());
        }
        (200, json!({"id": "some", "is_repeated": false}).to_string())
    });
    let folder = TempDir::new().expect("a folder");
    let operator = Operator { folder, login: vec![] };
    let admin = Some(("admin@shop.example", "seven quiet concerts"));
    operator.writes(&SERVICES.map(|service| (service, &*stranger.url)), admin);
    let redrive = ["dead-letters", "redrive", "booking", "--all"];
    assert_eq!(operator.says(&[&redrive[..], &WHY].concat()), "redrive: 3\n");
    assert!(renewed.load(Ordering::SeqCst));
}
