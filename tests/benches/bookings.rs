//! How fast bookings travel: an idle stack's latency, and one hot event's throughput.
//!
//! `cargo bench -p karcis-tests` starts everything as `cargo run` does, commits reaching the disk,
//! and drives it from outside on the same machine. `BENCH_BOOKINGS` sets how many bookings the hot
//! event gets (default 10,000), `BENCH_BUYERS` how many buyers book at once (default 256).

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use karcis_fleet::program;
use karcis_http::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use karcis_kernel::{Role, UserId};
use karcis_testkit::eventually;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

const IDLE_BOOKINGS: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let mut stack = Stack::start().await;
        let event = stack.event().await;
        for _ in 0..50 {
            stack.book_and_pay(&event).await;
        }
        let one_at_a_time = stack.idle(&event).await;
        let at_once = stack.hot(&event).await;
        println!("many at once / one at a time: {:.0}x", at_once / one_at_a_time);
        stack.stop();
    });
}

struct Stack {
    karcis: Child,
    http: reqwest::Client,
    services: Value,
    admin: Value,
    pids: Value,
    database: PgPool,
    key: (String, EncodingKey),
    _folder: tempfile::TempDir,
}

struct Event {
    event_id: Value,
    ticket_type_id: Value,
}

/// One booking as its buyer sees it.
struct Timed {
    payable: Duration,
    confirmed: Duration,
}

impl Stack {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let state = folder.path().join("stack.json");
        let karcis = Command::new(program("karcis"))
            .args(["--ephemeral", "--state-file"])
            .arg(&state)
            .env_remove("DATABASE_URL")
            .env_remove("KAFKA_BOOTSTRAP_SERVERS")
            .env("KARCIS_MAX_HOLDS", "1000000")
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

    fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(self.karcis.id().try_into().expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("karcis runs");
        self.karcis.wait().expect("karcis is our child");
    }

    fn token(&self) -> String {
        let iat = karcis_process::now().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: UserId(Uuid::now_v7()),
            role: Role::Buyer,
            iat,
            exp: iat + 900,
            sid: None,
        };
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(self.key.0.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, &claims, &self.key.1).expect("the key can sign")
    }

    fn url(&self, service: &str, path: &str) -> String {
        format!("{}{path}", self.services[service].as_str().expect("a service has a url"))
    }

    async fn post(&self, token: &str, service: &str, path: &str, body: &Value) -> Value {
        let request = self.http.post(self.url(service, path)).bearer_auth(token).json(body);
        let answer = request.header("prefer", "wait=10").send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("a JSON answer");
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn event(&self) -> Event {
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

    /// Books until payable, and pays; when it is confirmed is left to the caller.
    async fn book_and_pay(&self, event: &Event) -> (String, String, Duration, Instant) {
        let token = self.token();
        let items = [json!({"ticket_type_id": event.ticket_type_id, "quantity": 1})];
        let order = json!({"event_id": event.event_id, "items": items});
        let start = Instant::now();
        let booking = self.post(&token, "booking", "/booking/create", &order).await;
        let payable = start.elapsed();
        assert_eq!(booking["status"], "awaiting_payment", "{booking}");
        let id = booking["booking_id"].as_str().expect("a booking has an id").to_owned();
        let start = Instant::now();
        let payment = json!({"booking_id": id, "method": "tok_approved"});
        self.post(&token, "payment", "/payment/process", &payment).await;
        (token, id, payable, start)
    }

    async fn idle_booking(&self, event: &Event) -> Timed {
        let (token, id, payable, start) = self.book_and_pay(event).await;
        let url = self.url("booking", &format!("/bookings/{id}"));
        loop {
            let request = self.http.get(&url).bearer_auth(&token);
            let booking: Value =
                request.send().await.expect("an answer").json().await.expect("JSON");
            if booking["status"] == "confirmed" {
                return Timed { payable, confirmed: start.elapsed() };
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    /// One buyer after the other. Returns the bookings confirmed in a second.
    async fn idle(&self, event: &Event) -> f64 {
        let (mut payable, mut confirmed) = (Vec::new(), Vec::new());
        for _ in 0..IDLE_BOOKINGS {
            let timed = self.idle_booking(event).await;
            payable.push(timed.payable);
            confirmed.push(timed.confirmed);
        }
        let total: Duration = payable.iter().chain(&confirmed).sum();
        show("create -> awaiting_payment", payable);
        show("pay -> confirmed", confirmed);
        IDLE_BOOKINGS as f64 / total.as_secs_f64()
    }

    /// Many buyers at once. Returns the bookings confirmed in a second.
    async fn hot(&mut self, event: &Event) -> f64 {
        let (bookings, buyers) = (setting("BENCH_BOOKINGS", 10_000), setting("BENCH_BUYERS", 256));
        let before = self.confirmed().await;
        let (cpu_before, start) = (self.cpu(), Instant::now());
        let taken = Arc::new(AtomicUsize::new(0));
        let buyer = || async {
            while taken.fetch_add(1, Ordering::Relaxed) < bookings {
                self.book_and_pay(event).await;
            }
        };
        futures_util::future::join_all((0..buyers).map(|_| buyer())).await;
        eventually(async || match self.confirmed().await - before {
            all if all == bookings as i64 => Ok(()),
            some => Err(format!("{some} of {bookings} confirmed")),
        })
        .within(Duration::from_secs(60))
        .await;
        let (took, cpu) = (start.elapsed(), self.cpu());
        let rate = bookings as f64 / took.as_secs_f64();
        let each =
            |name: &str| (cpu[name] - cpu_before[name]).as_secs_f64() * 1_000.0 / bookings as f64;
        println!(
            "one hot event, {buyers} buyers at once: {rate:.0} confirmed/s, {:.2} ms of CPU each",
            each("karcis")
        );
        for name in cpu.keys().filter(|name| *name != "karcis") {
            println!("  {name}: {:.2} ms", each(name));
        }
        rate
    }

    async fn confirmed(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM bookings.booking WHERE stage = 'confirmed'")
            .fetch_one(&self.database)
            .await
            .expect("bookings can be counted")
    }

    /// The processor time of each process with its children; of `karcis`, of everything.
    fn cpu(&self) -> BTreeMap<String, Duration> {
        let processes: Vec<(u32, u32, u64)> = std::fs::read_dir("/proc")
            .expect("/proc is there")
            .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?))
            .collect();
        let pids = self.pids.as_object().expect("the state names processes");
        let cpu = pids.iter().map(|(name, pid)| {
            let mut tree = vec![pid.as_u64().and_then(|pid| pid.try_into().ok()).expect("a pid")];
            let mut ticks = 0;
            while let Some(parent) = tree.pop() {
                ticks += processes.iter().find(|(pid, ..)| *pid == parent).map_or(0, |own| own.2);
                tree.extend(processes.iter().filter(|own| own.1 == parent).map(|own| own.0));
            }
            // Linux counts in hundredths of a second, whatever the kernel's own tick.
            (name.clone(), Duration::from_millis(ticks * 10))
        });
        cpu.collect()
    }
}

/// Pid, parent and ticks of processor time, see proc_pid_stat(5).
fn stat(pid: &str) -> Option<(u32, u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let parent = number(1)?.try_into().ok()?;
    Some((pid.parse().ok()?, parent, number(11)? + number(12)?))
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!("{what}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(50), at(95), at(99));
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
