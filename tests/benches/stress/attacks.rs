//! The attacks, each at a rate that one machine can offer.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use reqwest::{Client, RequestBuilder};
use serde_json::json;
use sqlx::PgPool;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::{TcpSocket, TcpStream},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};

use crate::stack::{Event, Stack};

/// No answer may be longer, whatever the body.
const MAX_ANSWER: usize = 64 * 1024;
const EVENTS: i32 = 100_000;
const ADDRESSES: u8 = 16;

/// What became of an attack.
pub(crate) struct Attack {
    name: &'static str,
    /// How many requests were answered with each status; 0 for none, or of each connection that ended.
    statuses: BTreeMap<u16, usize>,
    longest_answer: usize,
    /// Lists may be as long as they are.
    reads: bool,
}

impl Attack {
    /// Whether no answer was longer than it may be.
    pub(crate) fn is_bounded(&self) -> bool {
        self.reads || self.longest_answer <= MAX_ANSWER
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}, longest answer {}", self.name, self.statuses, self.longest_answer)
    }
}

/// Many published events, for searches to look through.
pub(crate) async fn fill_catalogue(database: &PgPool) {
    let events = "
        INSERT INTO events.event (event_id, version, organiser_id, stage, title, description, venue,
            starts_at, time_zone, currency)
        SELECT gen_random_uuid(), 1, gen_random_uuid(), 'published', 'Concert ' || md5(n::text),
            repeat(md5(n::text) || ' ', 20), 'Hall ' || n, now() + n * interval '1 minute', 'UTC',
            'IDR'
        FROM generate_series(1, $1) AS n";
    sqlx::query(events).bind(EVENTS).execute(database).await.expect("events can be inserted");
    let types = "
        INSERT INTO events.ticket_type (ticket_type_id, event_id, place, name, price, capacity,
            max_per_booking)
        SELECT gen_random_uuid(), event_id, 0, 'Seat', 100000, 100, 10 FROM events.event";
    sqlx::query(types).execute(database).await.expect("ticket types can be inserted");
    sqlx::query("ANALYZE").execute(database).await.expect("tables can be analysed");
}

/// All attacks at once until then.
pub(crate) async fn run(stack: &Stack, event: &Event, victim: &str, until: Instant) -> Vec<Attack> {
    let hoarder = stack.token();
    let (repeated, cut) = (repeated_fields(), repeated_fields()[..60_000].to_owned());
    let user = |path: &str| stack.url("user", path);
    let list = stack.url("event", "/events");
    let create = stack.url("booking", "/booking/create");
    let json_text = |request: RequestBuilder, text: &str| {
        request.header("content-type", "application/json").body(text.to_owned())
    };
    let attacks: Vec<Pin<Box<dyn Future<Output = Attack> + '_>>> = vec![
        Box::pin(flood("repeated fields", 20, 8, until, |http, _| {
            json_text(http.post(user("/login")), &repeated)
        })),
        Box::pin(flood("a body cut off", 20, 8, until, |http, _| {
            json_text(http.post(user("/register")), &cut)
        })),
        Box::pin(reads(flood("another microsecond", 200, 16, until, |http, number| {
            http.get(format!("{list}?limit=100&from=2026-12-01T00:00:00.{number:06}Z"))
        }))),
        Box::pin(reads(flood("searches", 500, 128, until, |http, number| {
            http.get(format!("{list}?q={:x}", number % 4_096))
        }))),
        Box::pin(flood("one buyer's creates", 1_000, 64, until, |http, _| {
            http.post(&create).bearer_auth(&hoarder).json(&event.order())
        })),
        Box::pin(flood("registrations", 40, 200, until, |http, number| {
            let email = format!("mass.{number}@example.com");
            let person = json!({"email": email, "password": "one of a crowd", "name": "Mass"});
            http.post(user("/register")).json(&person)
        })),
        Box::pin(flood("guesses", 100, 64, until, |http, number| {
            let guess = json!({"email": victim, "password": format!("a guess {number}")});
            http.post(user("/login")).json(&guess)
        })),
        Box::pin(held("unfinished headers", 300, until, stack, unfinished_headers)),
        Box::pin(held("idle connections", 300, until, stack, idle)),
        Box::pin(held("readers that never read", 3, until, stack, never_reads)),
    ];
    join_all(attacks).await
}

/// One body of 64 KiB with a long key that holds the same field thousands of times.
fn repeated_fields() -> String {
    let key = "k".repeat(32_000);
    let fields = vec!["\"a\":1"; 5_500].join(",");
    format!("{{\"{key}\":{{{fields}}}}}")
}

async fn reads(attack: impl Future<Output = Attack>) -> Attack {
    Attack { reads: true, ..attack.await }
}

/// So many requests a second from several addresses, of which so many may be under way.
async fn flood(
    name: &'static str,
    per_second: u64,
    at_once: usize,
    until: Instant,
    request: impl Fn(&Client, u64) -> RequestBuilder,
) -> Attack {
    let clients = (1..=ADDRESSES).map(|host| {
        let address = IpAddr::V4(Ipv4Addr::new(127, 2, 0, host));
        let client = Client::builder().local_address(address).timeout(Duration::from_secs(30));
        client.build().expect("a client can be made")
    });
    let clients: Vec<Client> = clients.collect();
    let mut pace = interval(Duration::from_secs(1) / u32::try_from(per_second).expect("a rate"));
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let numbers = stream::unfold((pace, 0_u64), async |(mut pace, number)| {
        timeout_at(until, pace.tick()).await.ok()?;
        Some((number, (pace, number + 1)))
    });
    let answers = numbers.map(|number| {
        let sent = request(&clients[number as usize % clients.len()], number).send();
        async {
            let Ok(answer) = sent.await else { return (0, 0) };
            let status = answer.status().as_u16();
            (status, answer.bytes().await.map_or(0, |body| body.len()))
        }
    });
    let mut attack = Attack { name, statuses: BTreeMap::new(), longest_answer: 0, reads: false };
    let mut answers = std::pin::pin!(answers.buffer_unordered(at_once));
    while let Some((status, bytes)) = answers.next().await {
        *attack.statuses.entry(status).or_default() += 1;
        attack.longest_answer = attack.longest_answer.max(bytes);
    }
    attack
}

/// So many connections from one address, each opened again when the service ends it.
async fn held<F: Future<Output = std::io::Result<()>>>(
    name: &'static str,
    connections: usize,
    until: Instant,
    stack: &Stack,
    hold: impl Fn(TcpStream) -> F,
) -> Attack {
    let url = stack.url("event", "");
    let service: SocketAddr = url.trim_start_matches("http://").parse().expect("an address");
    let ended = join_all((0..connections).map(async |_| {
        let mut ended = 0;
        let open_again = async {
            loop {
                if let Ok(connection) = connect(service).await {
                    let _ = hold(connection).await;
                }
                ended += 1;
                sleep(Duration::from_millis(200)).await;
            }
        };
        let _: Result<(), _> = timeout_at(until, open_again).await;
        ended
    }));
    let statuses = BTreeMap::from([(0, ended.await.into_iter().sum())]);
    Attack { name, statuses, longest_answer: 0, reads: true }
}

async fn connect(service: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 3, 0, 1], 0)))?;
    socket.connect(service).await
}

/// Sends headers for ever, as many bytes as it is let.
async fn unfinished_headers(mut connection: TcpStream) -> std::io::Result<()> {
    connection.write_all(b"GET / HTTP/1.1\r\nhost: karcis\r\n").await?;
    for number in 0.. {
        let header = format!("x-{number}: {}\r\n", "y".repeat(1_000));
        connection.write_all(header.as_bytes()).await?;
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn idle(connection: TcpStream) -> std::io::Result<()> {
    connection.readable().await?;
    Ok(())
}

/// Asks for more and more, and reads nothing, until the service ends the connection.
async fn never_reads(mut connection: TcpStream) -> std::io::Result<()> {
    let request = "GET /events?limit=100 HTTP/1.1\r\nhost: karcis\r\n\r\n".repeat(1_000);
    connection.write_all(request.as_bytes()).await?;
    connection.ready(Interest::ERROR).await?;
    Ok(())
}
