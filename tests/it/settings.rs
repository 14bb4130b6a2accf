//! What every program says about its settings, and about wrong ones.

use std::{net::TcpListener, process::Command};

use karcis_fleet::program;
use karcis_schemas::{SERVICES, Service};

/// Somewhere that a test can rely on nobody answering.
const NOWHERE: &str = "postgres://somebody:swordfish@127.0.0.1:1/karcis";

/// A program with a variable that is wrong, the exit code, and what it says beside the variable.
const WRONG: [(&str, &str, &str, i32, &str); 28] = [
    ("booking-service", "DATABASE_URL", "localhost/karcis", 1, "give postgres://"),
    ("event-service", "DATABASE_URL", "postgres://a:b@h:port/d", 1, "give postgres://"),
    ("user-service", "DATABASE_URL", NOWHERE, 1, "no database answers at 127.0.0.1:1"),
    ("user-service", "DATABASE_CONNECTIONS", "2", 2, "not in 3.."),
    ("user-service", "KARCIS_LISTEN", "8081", 2, "such as 127.0.0.1:8080"),
    ("user-service", "KARCIS_SMTP_URL", "mail:swordfish", 1, "give smtp://"),
    ("user-service", "KARCIS_WEB_URL", "karcis.example", 1, "such as https://"),
    ("user-service", "KARCIS_WEB_ORIGINS", "https://a.example/shop", 2, "without a path"),
    ("user-service", "KARCIS_ADMIN_LISTEN", "9090", 2, "such as 127.0.0.1:8080"),
    ("user-service", "KARCIS_MAX_CONNECTIONS", "0", 2, "not in 1.."),
    ("user-service", "KARCIS_HSTS", "yes", 2, "give max-age="),
    ("user-service", "KARCIS_TRUSTED_TRACE_PEERS", "gateway", 2, "give networks such as"),
    ("user-service", "KARCIS_TRUSTED_PROXIES", "gateway", 2, "give networks such as 10.0.0.0/8"),
    ("event-service", "KARCIS_RATE_LIMITS", "no", 2, "give on or off"),
    ("booking-service", "KARCIS_RATE_LIMIT_BOOKINGS", "60", 2, "such as 600/30s"),
    ("event-service", "KARCIS_MAX_HOLDS", "many", 2, "invalid digit"),
    ("booking-service", "KARCIS_PAYMENT_WINDOW", "15", 2, "a number with its unit"),
    ("booking-service", "KAFKA_BOOTSTRAP_SERVERS", "", 2, "give host:port"),
    ("booking-service", "KAFKA_BOOTSTRAP_SERVERS", "kafka", 2, "give host:port"),
    ("booking-service", "KARCIS_TOPIC_PREFIX", "a b", 2, "give letters"),
    ("payment-service", "KARCIS_JWKS_URL", "user-service:8081", 2, "begins with http://"),
    ("payment-service", "KARCIS_PROVIDER_TIMEOUT_MS", "0", 2, "not in 1.."),
    ("payment-service", "KARCIS_STRIPE_API", "api.stripe.com", 2, "begins with http://"),
    ("payment-service", "KARCIS_WEBHOOK_URL", "127.0.0.1:8084", 2, "begins with http://"),
    ("karcis", "KARCIS_USER_PORT", "99999", 2, "not in 0..=65535"),
    ("karcis-web", "KARCIS_WEB_LISTEN", "8080", 2, "such as 127.0.0.1:8080"),
    ("karcis-web", "KARCIS_WEB_ORIGIN", "https://a.example/", 2, "without a path"),
    ("karcis-web", "KARCIS_EVENT_URL", "event-service:8082", 2, "give http://host:port"),
];

/// How a program ended that was started with these arguments and this environment alone.
fn run(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(program(name));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    let output = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it says text");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

/// What it says of why it ended with this code; that is not for programmers, and shows no secret.
fn complaint(name: &str, environment: &[(&str, &str)], code: i32) -> String {
    let anywhere = [("KARCIS_LISTEN", "127.0.0.1:0")];
    let (ended, out, told) = run(name, &[], &[&anywhere, environment].concat());
    assert_eq!((ended, out.as_str()), (code, ""), "{name} {environment:?}: {told}");
    // What a service logs before goes to the same place.
    let begins = told.find("error: ").unwrap_or_else(|| panic!("{name} {environment:?}: {told}"));
    let complaint = &told[begins..];
    for text in ["swordfish", "Error(", "Error {", "Os {", "Configuration(", "panicked"] {
        assert!(!complaint.contains(text), "{name} {environment:?} says {text:?}: {complaint}");
    }
    complaint.to_owned()
}

#[test]
fn help_explains_each_flag_with_its_variable() {
    let subcommands = ["migrate", "topics", "web"].map(|command| ("karcis", vec![command]));
    let pages = [("karcis", vec![]), ("karcis-web", vec![])].into_iter().chain(subcommands);
    let pages = pages.chain(SERVICES.map(|service| (service.full_name(), vec![])));
    for (name, mut arguments) in pages {
        arguments.push("--help");
        let (code, help, _) = run(name, &arguments, &[("DATABASE_URL", NOWHERE)]);
        assert_eq!(code, 0);
        assert!(!help.contains("swordfish"), "{name} shows a secret:\n{help}");
        let flags: Vec<&str> = help.split("\n      --").skip(1).collect();
        assert!(flags.len() > 5, "{name} has flags:\n{help}");
        for flag in flags {
            // The last is followed by `-h, --help`.
            let flag = flag.split("\n  -h").next().unwrap();
            let (head, about) = flag.split_once('\n').unwrap_or_default();
            let acts = ["ephemeral", "demo", "state-file", "check"];
            assert!(about.trim().len() > 10, "{name} {head} says nothing:\n{help}");
            let has_variable = about.contains("[env: ");
            assert!(has_variable || acts.iter().any(|act| head.starts_with(act)), "{name} {head}");
        }
    }
}

#[test]
fn a_wrong_setting_is_named_with_its_variable_and_what_to_do() {
    for (name, variable, value, code, said) in WRONG {
        let told = complaint(name, &[("DATABASE_URL", NOWHERE), (variable, value)], code);
        for text in [variable, said] {
            assert!(told.contains(text), "{name} {variable}={value} does not say {text:?}: {told}");
        }
    }
}

/// A program with a secret that is in the documents, an example or an older release.
const KNOWN: [(&str, &str, &str); 7] = [
    (
        "booking-service",
        "DATABASE_URL",
        "postgres://karcis_booking:karcis_booking@127.0.0.1:1/karcis",
    ),
    ("user-service", "DATABASE_URL", "postgres://me:me@127.0.0.1:1/karcis"),
    ("user-service", "KARCIS_ADMIN_PASSWORD", "karcis-development"),
    ("user-service", "KARCIS_SMTP_URL", "smtp://mail:change-me@127.0.0.1"),
    ("payment-service", "KAFKA_SASL_PASSWORD", "change-me"),
    ("karcis migrate", "KARCIS_EVENT_DATABASE_PASSWORD", "karcis_event"),
    (
        "karcis migrate",
        "KARCIS_SETUP_DATABASE_URL",
        "postgres://postgres:postgres@127.0.0.1:1/karcis",
    ),
];

#[test]
fn a_password_that_everybody_knows_is_refused_outside_of_development() {
    for (name, variable, value) in KNOWN {
        let (program, arguments) = name.split_once(' ').unwrap_or((name, ""));
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let own = [("KARCIS_GATEWAY", "simulated"), ("KARCIS_GATEWAY_DATABASE_URL", NOWHERE)];
        let all = [("KARCIS_LISTEN", "127.0.0.1:0"), ("DATABASE_URL", NOWHERE), own[0], own[1]];
        let mut settings: Vec<_> = all.into_iter().filter(|(name, _)| *name != variable).collect();
        settings.push((variable, value));
        let (code, _, said) = run(program, &arguments, &settings);
        let expected = format!("{variable} has a password that everybody knows");
        assert!(code == 2 && said.contains(&expected), "{name} {variable}: {code} {said}");
        settings.push(("KARCIS_ENVIRONMENT", "development"));
        let (code, _, said) = run(program, &arguments, &settings);
        assert!(code == 1 && !said.contains("everybody knows"), "{name} {variable}: {code} {said}");
    }
}

#[test]
fn a_file_takes_the_place_of_any_variable() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file can be written");
        path.display().to_string()
    };
    let (url, other) = (file("url", &format!("{NOWHERE}\n")), file("other", "localhost/karcis"));
    let read = [("DATABASE_URL_FILE", url.as_str()), ("KARCIS_SMTP_URL_FILE", "")];
    let told = complaint("user-service", &read, 1);
    assert!(told.contains("no database answers at 127.0.0.1:1"), "{told}");
    let gateway = [("KARCIS_GATEWAY", "simulated"), ("KARCIS_GATEWAY_DATABASE_URL_FILE", &other)];
    let told = complaint("payment-service", &[&read[..1], &gateway].concat(), 1);
    assert!(told.contains("no database answers at 127.0.0.1:1"), "its gateway has one: {told}");
    let (code, _, said) =
        run("karcis", &["migrate"], &[("KARCIS_SETUP_DATABASE_URL_FILE", other.as_str())]);
    assert!(code == 1 && !said.contains("no database for schema"), "{code} {said}");

    let both = [("DATABASE_URL", NOWHERE), ("DATABASE_URL_FILE", url.as_str())];
    let told = complaint("event-service", &both, 2);
    assert!(told.contains("DATABASE_URL and DATABASE_URL_FILE are both set"), "{told}");
    let missing = [("DATABASE_URL_FILE", "/nowhere/url")];
    let told = complaint("event-service", &missing, 2);
    assert!(told.contains("DATABASE_URL_FILE: /nowhere/url cannot be read"), "{told}");
    let known = file("known", "postgres://karcis_event:karcis_event@127.0.0.1:1/karcis");
    let told = complaint("event-service", &[("DATABASE_URL_FILE", known.as_str())], 2);
    assert!(told.contains("DATABASE_URL has a password that everybody knows"), "{told}");
}

#[test]
fn a_missing_setting_is_named_with_its_variable() {
    for service in SERVICES.map(Service::full_name) {
        let told = complaint(service, &[], 2);
        assert!(told.contains("environment sets it with DATABASE_URL"), "{service}: {told}");
    }
    let told = complaint("payment-service", &[("DATABASE_URL", NOWHERE)], 2);
    assert!(told.contains("environment sets it with KARCIS_GATEWAY"), "{told}");
    let simulated = [("DATABASE_URL", NOWHERE), ("KARCIS_GATEWAY", "simulated")];
    let told = complaint("payment-service", &simulated, 2);
    assert!(told.contains("environment sets it with KARCIS_GATEWAY_DATABASE_URL"), "{told}");
    let stripe = [("DATABASE_URL", NOWHERE), ("KARCIS_GATEWAY", "stripe")];
    let told = complaint("payment-service", &stripe, 2);
    let both = "environment sets it with KARCIS_STRIPE_KEY, KARCIS_STRIPE_RETURN_URL";
    assert!(told.contains(both), "{told}");
    let key = ("KARCIS_STRIPE_KEY", "sk_test_swordfish");
    let url = ("KARCIS_STRIPE_RETURN_URL", "https://shop.example");
    let told = complaint("payment-service", &[&stripe[..], &[key, url]].concat(), 1);
    assert!(told.contains("KARCIS_WEBHOOK_SECRETS: give the signing secret"), "{told}");
}

#[test]
fn a_taken_address_is_named_with_how_to_choose_another() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = taken.local_addr().expect("it has an address").to_string();
    for service in SERVICES.map(Service::full_name) {
        let urls = ["DATABASE_URL", "KARCIS_GATEWAY_DATABASE_URL"].map(|name| (name, NOWHERE));
        let own = [("KARCIS_GATEWAY", "simulated"), ("KARCIS_LISTEN", &taken)];
        let told = complaint(service, &[&urls[..], &own].concat(), 1);
        let said = [taken.as_str(), "another address with --listen (KARCIS_LISTEN)"];
        assert!(said.iter().all(|text| told.contains(text)), "{service}: {told}");
    }
}
