//! Somebody at a terminal with `karcis ops`, and programs that answer in place of a service.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use karcis_dev_servers::TempDir;
use karcis_fleet::{Booking, Fleet, Person};
use karcis_kernel::Role;
use karcis_schemas::{SERVICES, Service};
use serde_json::{Value, json};

/// payment-service says something about the booking that nobody can read.
pub(crate) async fn say_nonsense(fleet: &Fleet, booking: &Booking) {
    let insert = "INSERT INTO payments.outbox (topic, key, kind, correlation, body)
        VALUES ('karcis.payments.v1', $1, 'karcis.PaymentSucceeded.v1', $1, 'no json')";
    let said = sqlx::query(insert).bind(booking.id.0).execute(fleet.environment().superuser());
    said.await.expect("rows can be made");
}

/// Somebody at a terminal.
pub(crate) struct Operator {
    pub(crate) folder: TempDir,
    pub(crate) login: Vec<(&'static str, String)>,
}

impl Operator {
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let person: Person = fleet.person("operator", Role::Operator);
        let folder = TempDir::new().expect("a folder");
        let operator = Self { folder, login: vec![("KARCIS_TOKEN", person.token)] };
        operator.writes_state(fleet, None);
        operator
    }

    /// What a running `karcis` would write.
    pub(crate) fn writes_state(&self, fleet: &Fleet, admin: Option<(&str, &str)>) {
        self.writes(&SERVICES.map(|service| (service, fleet.url(service))), admin);
    }

    /// The same, with these addresses.
    pub(crate) fn writes(&self, urls: &[(&Service, &str)], admin: Option<(&str, &str)>) {
        let urls = urls.iter().map(|(service, url)| (service.name.to_owned(), json!(url)));
        let mut state = json!({"services": serde_json::Map::from_iter(urls)});
        if let Some((email, password)) = admin {
            state["admin"] = json!({"email": email, "password": password});
        }
        std::fs::write(self.state_file(), state.to_string()).expect("a file can be written");
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.folder.path().join("stack.json")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let state_file = self.state_file().display().to_string();
        self.runs_in(Path::new("."), &[&["--state-file", &state_file], arguments].concat())
    }

    /// Runs it in this folder, without being told where the services are.
    pub(crate) fn runs_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
        command.arg("ops").args(arguments).current_dir(folder).env_clear();
        command.envs(self.login.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).output().expect("it runs")
    }

    /// What it prints.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("it says text")
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.says(&arguments)).expect("it says JSON")
    }

    /// Why it fails.
    pub(crate) fn complains(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).expect("it says text")
    }
}

/// A program that is none of the services, at an address where one should be.
pub(crate) struct Stranger {
    pub(crate) url: String,
}

impl Stranger {
    /// Answers each request, of which it is given head and body, with a status and a body.
    pub(crate) fn answers(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let request = read(&mut BufReader::new(&connection));
                let (status, body) = answer(&request);
                let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {}", body.len());
                let _ = write!(&connection, "{head}\r\nconnection: close\r\n\r\n{body}");
            }
        });
        Self { url }
    }
}

fn read(from: &mut impl BufRead) -> String {
    let mut request = String::new();
    while from.read_line(&mut request).is_ok_and(|bytes| bytes > 2) {}
    let length = request.to_lowercase();
    let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or_default()];
    let _ = from.read_exact(&mut body);
    request + &String::from_utf8_lossy(&body)
}
