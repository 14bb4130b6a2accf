//! Everything that `cargo run` starts, for a benchmark to drive from outside.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use karcis_fleet::program;
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::{Role, UserId};
use karcis_testkit::eventually;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

/// A running stack, thrown away at its end.
pub(crate) struct Stack {
    karcis: Child,
    pub(crate) http: reqwest::Client,
    services: Value,
    admin: Value,
    /// Of `karcis`, the servers and each service, by name.
    pub(crate) pids: Value,
    /// As the superuser.
    pub(crate) database: PgPool,
    key: (String, EncodingKey),
    _folder: tempfile::TempDir,
}

/// An event that is large enough for every benchmark.
pub(crate) struct Event {
    event_id: Value,
    ticket_type_id: Value,
}

impl Event {
    /// The body that orders one of its tickets.
    pub(crate) fn order(&self) -> Value {
        let items = [json!({"ticket_type_id": self.ticket_type_id, "quantity": 1})];
        json!({"event_id": self.event_id, "items": items})
    }
}

impl Stack {
    /// Starts everything with this in its environment, and waits until it is ready.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let state = folder.path().join("stack.json");
        let karcis = Command::new(program("karcis"))
            .args(["--ephemeral", "--state-file"])
            .arg(&state)
            .env_remove("DATABASE_URL")
            .env_remove("KAFKA_BOOTSTRAP_SERVERS")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("karcis starts");
        let state: Value = eventually(async || {
            let text = std::fs::read_to_string(&state).map_err(|error| error.to_string())?;
            serde_json::from_str(&text).map_err(|error| error.to_string())
        })
        .within(Duration::from_secs(120))
        .await;
        let url = state["database_url"].as_str().expect("the state names the database");
        let database = PgPool::connect(url).await.expect("the database answers");
        let (kid, private): (String, Vec<u8>) =
            sqlx::query_as("SELECT kid, private_key FROM users.signing_key")
                .fetch_one(&database)
                .await
                .expect("there is a signing key");
        Self {
            karcis,
            http: reqwest::Client::new(),
            services: state["services"].clone(),
            admin: state["admin"].clone(),
            pids: state["pids"].clone(),
            database,
            key: (kid, EncodingKey::from_ed_der(&private)),
            _folder: folder,
        }
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(self.karcis.id().try_into().expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("karcis runs");
        self.karcis.wait().expect("karcis is our child");
    }

    /// A token of a buyer whom user-service does not know.
    pub(crate) fn token(&self) -> String {
        let iat = karcis_process::now().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: UserId(Uuid::now_v7()),
            role: Role::Buyer,
            iat,
            exp: iat + 900,
            sid: None,
            email_verified: false,
            name: None,
        };
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(self.key.0.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, &claims, &self.key.1).expect("the key can sign")
    }

    /// Where a service serves this path.
    pub(crate) fn url(&self, service: &str, path: &str) -> String {
        format!("{}{path}", self.services[service].as_str().expect("a service has a url"))
    }

    /// The body of the answer to a POST that succeeds, once a booking is payable.
    pub(crate) async fn post(&self, token: &str, service: &str, path: &str, body: &Value) -> Value {
        let request = self.http.post(self.url(service, path)).bearer_auth(token).json(body);
        let answer = request.header("prefer", "wait=10").send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("a JSON answer");
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// A published event of 1,000,000 seats.
    pub(crate) async fn event(&self) -> Event {
        let session = self.post("", "user", "/login", &self.admin).await;
        let admin = session["access_token"].as_str().expect("a session has a token");
        let event = json!({
            "title": "Stadium", "venue": "Gelora Bung Karno", "time_zone": "Asia/Jakarta",
            "starts_at": "2036-08-17T12:00:00Z",
            "ticket_types": [{
                "name": "Tribune", "capacity": 1_000_000,
                "price": {"amount": 250_000, "currency": "IDR"},
            }],
        });
        let event = self.post(admin, "event", "/event/create", &event).await;
        let ticket_type_id = event["ticket_types"][0]["ticket_type_id"].clone();
        Event { event_id: event["event_id"].clone(), ticket_type_id }
    }
}

/// Prints the percentiles of these times.
pub(crate) fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!("{what}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(50), at(95), at(99));
}

/// The number that this environment variable holds.
pub(crate) fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
