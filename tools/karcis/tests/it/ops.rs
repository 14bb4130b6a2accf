//! `karcis ops`, as an operator runs it beside a whole fleet.

use std::process::Command;

use karcis_dev_servers::TempDir;
use karcis_fleet::{Booking, Fleet, Person};
use karcis_kernel::Role;
use karcis_schemas::SERVICES;
use karcis_testkit::eventually;
use serde_json::{Value, json};

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
    let half = operator.run(&["why", &booking.id.to_string(), "--booking-url", nowhere]);
    assert_eq!(half.status.code(), Some(1));
    let story = String::from_utf8_lossy(&half.stdout);
    for part in ["Hold: held", "Payment: open", "only booking-service knows"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    let discard = ["dead-letters", "discard", "booking", "--all"];
    assert_eq!(operator.says(&[&discard[..], &WHY].concat()), "discard: 1\n");
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

#[tokio::test]
async fn an_operator_sees_what_another_service_could_not_handle_and_asks_and_ends_sessions() {
    let fleet = Fleet::builder().flag(&karcis_schemas::BOOKING, "--resend-after", "20ms").start();
    let fleet = fleet.await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.registers("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let (operator, id) = (Operator::of(&fleet), booking.id.to_string());
    let superuser = fleet.environment().superuser();
    // event-service cannot read what it holds, so that it cannot sell it.
    let set = async |time_zone: &str| {
        let set = "UPDATE events.hold
            SET reservation = jsonb_set(reservation, '{time_zone}', to_jsonb($2::text))
            WHERE booking_id = $1";
        let set = sqlx::query(set).bind(booking.id.0).bind(time_zone).execute(superuser).await;
        assert_eq!(set.expect("rows can be changed").rows_affected(), 1);
    };
    set("Mars/Olympus").await;
    sari.pays(&booking, "tok_approved").await.is(200);
    let shows_error = async || {
        let stuck = operator.says(&["stuck"]);
        if stuck.contains(&id) && stuck.contains("event-service: ") { Ok(()) } else { Err(stuck) }
    };
    eventually(shows_error).await;
    let sagas = operator.json(&["stuck"]);
    assert!(sagas["items"][0]["last_error"].is_string(), "{sagas}");
    let half = operator.run(&["stuck", "--payment-url", "http://127.0.0.1:1"]);
    assert_eq!(half.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&half.stdout).contains("event-service: "), "{half:?}");
    set("Asia/Jakarta").await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    operator.says(&[&["dead-letters", "discard", "event", "--all"], &WHY[..]].concat());

    let asked = operator.says(&[&["ask", &id], &WHY[..]].concat());
    assert!(asked.starts_with("the provider is asked now; before its answer"), "{asked}");
    let of_sari = sari.user_id.to_string();
    assert_eq!(operator.run(&[&["end-sessions"], &WHY[..]].concat()).status.code(), Some(2));
    for (whose, count) in [(of_sari.as_str(), 1), ("--all", 0)] {
        let ended = operator.says(&[&["end-sessions", whose], &WHY[..]].concat());
        assert!(ended.starts_with(&format!("{count} sessions ended")), "{ended}");
    }
    let audit = operator.says(&["audit"]);
    assert!(audit.contains("ask_provider") && audit.contains("end_sessions"), "{audit}");
}

/// payment-service says something about the booking that nobody can read.
async fn say_nonsense(fleet: &Fleet, booking: &Booking) {
    let insert = "INSERT INTO payments.outbox (topic, key, kind, correlation, body)
        VALUES ('karcis.payments.v1', $1, 'karcis.PaymentSucceeded.v1', $1, 'no json')";
    let said = sqlx::query(insert).bind(booking.id.0).execute(fleet.environment().superuser());
    said.await.expect("rows can be made");
}

/// Somebody at a terminal.
struct Operator {
    folder: TempDir,
    login: Vec<(&'static str, String)>,
}

impl Operator {
    fn of(fleet: &Fleet) -> Self {
        let person: Person = fleet.person("operator", Role::Operator);
        let folder = TempDir::new().expect("a folder");
        let operator = Self { folder, login: vec![("KARCIS_TOKEN", person.token)] };
        operator.writes_state(fleet, None);
        operator
    }

    /// What a running `karcis` would write.
    fn writes_state(&self, fleet: &Fleet, admin: Option<(&str, &str)>) {
        let urls = SERVICES.map(|service| (service.name.to_owned(), json!(fleet.url(service))));
        let mut state = json!({"services": serde_json::Map::from_iter(urls)});
        if let Some((email, password)) = admin {
            state["admin"] = json!({"email": email, "password": password});
        }
        std::fs::write(self.state_file(), state.to_string()).expect("a file can be written");
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.folder.path().join("stack.json")
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
        command.arg("ops").arg("--state-file").arg(self.state_file()).args(arguments);
        command.env_clear().envs(self.login.iter().map(|(name, value)| (name, value)));
        command.stdin(std::process::Stdio::null()).output().expect("it runs")
    }

    /// What it prints.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("it says text")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.says(&arguments)).expect("it says JSON")
    }

    /// Why it fails.
    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).expect("it says text")
    }
}
