//! The fleet that is measured: one of its own with every commit on the disk, or one that runs already.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use karcis_dev_servers::child::{Child, StopSignals};
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::{Role, TicketTypeId, UserId};
use nix::sys::signal::Signal;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::BenchError;

const STARTED_WITHIN: Duration = Duration::from_secs(180);
/// Of an event that does not sell out.
const SEATS: u32 = 1_000_000;

/// What `stack.json` says.
#[derive(Deserialize)]
struct State {
    services: HashMap<String, String>,
    database_url: String,
    admin: Value,
    pids: BTreeMap<String, u32>,
}

/// What a create answers.
#[derive(Deserialize)]
struct Created {
    event_id: Uuid,
    ticket_types: [Type; 1],
}

#[derive(Deserialize)]
struct Type {
    ticket_type_id: TicketTypeId,
}

/// A fleet and the ways to it.
pub(crate) struct Stack {
    state: State,
    pub(crate) http: reqwest::Client,
    /// As the superuser. Postgres does not count what these sessions read and write.
    pub(crate) database: PgPool,
    key: (String, EncodingKey),
    /// Ends with this, if it is of our own.
    karcis: Option<(Child, tempfile::TempDir)>,
}

/// An event that is on sale.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) ticket_type: TicketTypeId,
    /// The body that orders one of its tickets.
    pub(crate) order: Value,
}

impl Stack {
    /// Starts everything as this `karcis` does, on free ports, and waits until it is ready.
    pub(crate) async fn start(karcis: &Path) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir()?;
        let state = folder.path().join("stack.json");
        let mut command = Command::new(karcis);
        command
            .args(["--ephemeral", "--state-file"])
            .arg(&state)
            .env_remove("DATABASE_URL")
            .env_remove("KAFKA_BOOTSTRAP_SERVERS")
            .env("TMPDIR", folder.path())
            .env("KARCIS_MAX_HOLDS", "1000000")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let signals = StopSignals { orphaned: Some(Signal::SIGTERM), dropped: Signal::SIGINT };
        let child = Child::spawn(command, signals, vec![])?;
        let until = Instant::now() + STARTED_WITHIN;
        while !state.exists() {
            if let Some(status) = child.exit() {
                return Err(BenchError::Start(format!("karcis ended: {status}")));
            }
            if Instant::now() > until {
                return Err(BenchError::Start("karcis is not ready in time".to_owned()));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Self::of(&state, Some((child, folder))).await
    }

    /// The fleet that this file of `karcis` describes.
    pub(crate) async fn attach(state: &Path) -> Result<Self, BenchError> {
        Self::of(state, None).await
    }

    async fn of(
        state: &Path,
        karcis: Option<(Child, tempfile::TempDir)>,
    ) -> Result<Self, BenchError> {
        let state: State = serde_json::from_slice(&std::fs::read(state)?)
            .map_err(|error| BenchError::Start(error.to_string()))?;
        let options: PgConnectOptions = state.database_url.parse()?;
        let database = PgPool::connect_with(options.options([("track_counts", "off")])).await?;
        // A new one signs nothing until all services know it.
        let oldest = "SELECT kid, private_key FROM users.signing_key ORDER BY created_at LIMIT 1";
        let (kid, private): (String, Vec<u8>) = sqlx::query_as(oldest).fetch_one(&database).await?;
        let key = (kid, EncodingKey::from_ed_der(&private));
        Ok(Self { state, http: reqwest::Client::new(), database, key, karcis })
    }

    /// The processes by name; what they started counts with them.
    pub(crate) fn pids(&self) -> &BTreeMap<String, u32> {
        &self.state.pids
    }

    /// The superuser's.
    pub(crate) fn database_url(&self) -> &str {
        &self.state.database_url
    }

    /// Where a service serves this path.
    pub(crate) fn url(&self, service: &str, path: &str) -> String {
        format!("{}{path}", self.state.services.get(service).map_or("", String::as_str))
    }

    /// A token, good for a quarter of an hour, of a buyer whom user-service does not know: to register so many
    /// would measure password hashes.
    pub(crate) fn token(&self) -> Result<String, BenchError> {
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
        let (typ, kid) = (Some(TOKEN_TYPE.to_owned()), Some(self.key.0.clone()));
        let header = Header { typ, kid, ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.key.1).map_err(|error| BenchError::Start(error.to_string()))
    }

    /// So many events of a million seats.
    pub(crate) async fn events(&self, count: usize) -> Result<Vec<Event>, BenchError> {
        let session = self.post("", "user", "/login", &self.state.admin).await?;
        let admin = session["access_token"].as_str().unwrap_or_default();
        let body = json!({
            "title": "Stadium", "venue": "Gelora Bung Karno", "time_zone": "Asia/Jakarta",
            "starts_at": "2036-08-17T12:00:00Z",
            "ticket_types": [{
                "name": "Tribune", "capacity": SEATS,
                "price": {"amount": 250_000, "currency": "IDR"},
            }],
        });
        let mut events = Vec::with_capacity(count);
        for _ in 0..count {
            let created = self.post(admin, "event", "/event/create", &body).await?;
            let Created { event_id: id, ticket_types: [Type { ticket_type_id: ticket_type }] } =
                serde_json::from_value(created).map_err(std::io::Error::from)?;
            let items = json!([{"ticket_type_id": ticket_type, "quantity": 1}]);
            let order = json!({"event_id": id, "items": items});
            events.push(Event { id, ticket_type, order });
        }
        Ok(events)
    }

    /// Whether the fleet ends with this, so that nobody minds what becomes of it.
    pub(crate) fn is_own(&self) -> bool {
        self.karcis.is_some()
    }

    /// What is answered to a GET.
    pub(crate) async fn get(&self, url: &str, token: &str) -> Result<Vec<u8>, BenchError> {
        let answer = self.http.get(url).bearer_auth(token).send().await?;
        Ok(answer.error_for_status()?.bytes().await?.into())
    }

    /// The answer to a POST; a booking's once it is payable.
    pub(crate) async fn post(
        &self,
        token: &str,
        service: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, BenchError> {
        let request = self.http.post(self.url(service, path)).bearer_auth(token).json(body);
        let answer = request.header("prefer", "wait=10").send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(BenchError::Refused(format!("{path}: {status} {body}")))
        }
    }
}
