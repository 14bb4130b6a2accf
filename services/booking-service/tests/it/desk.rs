//! The service under test, with the other services played by the test.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use clap::Parser;
use karcis_booking_service::{Config, run};
use karcis_contracts::{
    BookingFact, EventCommand, EventSnapshot, Message, PaymentCommand, PaymentFact,
    PaymentRequested, PaymentSucceeded, ReservedItem, Ticket, TicketFact, TicketsConfirmed,
    TicketsReleased, TicketsReserved,
};
use karcis_database::{DatabaseConfig, connect};
use karcis_kernel::{
    BookingId, Currency, EventId, Money, PaymentId, Role, TicketCode, TicketTypeId, UserId,
};
use karcis_messaging::{Consumer, HandleError, Outbox, Outgoing, Received};
use karcis_process::{CancellationToken, Process, now};
use karcis_schemas as schemas;
use karcis_testkit::{TestEnvironment, TokenMint, eventually};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A running booking-service and what the test says and hears as everybody else.
pub struct Desk {
    pub bed: TestEnvironment,
    pub url: String,
    pub http: reqwest::Client,
    mint: TokenMint,
    heard: Heard,
    /// The outbox the test speaks through: event-service's, which does not run.
    outbox: Outbox,
    pool: PgPool,
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// What bookings sent.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<HashSet<Sent>>>);

/// The booking, the type, and the message's own id, as one that is delivered twice was sent once.
type Sent = (Uuid, &'static str, String);

#[async_trait]
impl Consumer for Heard {
    type Message = (Uuid, &'static str);

    fn topics(&self) -> &'static [&'static str] {
        &[EventCommand::TOPIC, PaymentCommand::TOPIC, BookingFact::TOPIC]
    }

    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Self::Message>> {
        fn told<M: Message>(kind: &str, body: &[u8]) -> serde_json::Result<(Uuid, &'static str)> {
            let message = M::decode(kind, body)?.expect("a type of the contracts");
            Ok((message.correlation().expect("a booking"), message.kind()))
        }
        match topic {
            EventCommand::TOPIC => told::<EventCommand>(kind, body),
            PaymentCommand::TOPIC => told::<PaymentCommand>(kind, body),
            _ => told::<BookingFact>(kind, body),
        }
        .map(Some)
    }

    async fn handle(&self, batch: &[Received<Self::Message>]) -> Result<(), HandleError> {
        let mut heard = self.0.lock().expect("no test panics here");
        for received in batch {
            let (booking, kind) = received.message;
            heard.insert((booking, kind, received.id.clone()));
        }
        Ok(())
    }
}

/// A booking as the test knows it.
#[derive(Clone, Copy, Debug)]
pub struct Booked {
    pub id: BookingId,
    pub event_id: EventId,
    pub ticket_type_id: TicketTypeId,
}

impl Desk {
    pub async fn open() -> Self {
        Self::open_with(&["--resend-after", "10m"]).await
    }

    pub async fn open_with(flags: &[&str]) -> Self {
        Self::open_on(TestEnvironment::start().await, flags).await
    }

    pub async fn open_on(bed: TestEnvironment, flags: &[&str]) -> Self {
        let mint = TokenMint::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let config = Config::parse_from(
            ["booking-service", "--jwks-url", mint.jwks_url()]
                .into_iter()
                .chain(flags.iter().copied())
                .map(str::to_owned)
                .chain(bed.flags(schemas::BOOKINGS)),
        );
        let stopping = CancellationToken::new();
        let service = run(config, listener, Process::embedded(stopping.clone()));
        let service = tokio::spawn(async { service.await.expect("it stops in order") });
        let database_url = bed.role_url(schemas::EVENTS);
        let pool = connect(&DatabaseConfig { database_url, database_connections: 4 })
            .await
            .expect("the database answers");
        let outbox = Outbox::new(pool.clone(), "tests");
        let speaking = outbox.clone().relay(bed.kafka().clone(), stopping.clone());
        let speaking = tokio::spawn(async { speaking.await.expect("never") });
        let heard = Heard::default();
        let hearing =
            bed.kafka().clone().consume("tests", pool.clone(), heard.clone(), stopping.clone());
        let hearing = tokio::spawn(async { hearing.await.expect("it can be read") });
        let tasks = vec![service, speaking, hearing];
        let (url, http) = (format!("http://{address}"), reqwest::Client::new());
        let desk = Self { bed, url, http, mint, heard, outbox, pool, stopping, tasks };
        eventually(|| desk.readiness()).is(StatusCode::OK).await;
        desk
    }

    async fn readiness(&self) -> StatusCode {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.map_or(StatusCode::SERVICE_UNAVAILABLE, |answer| answer.status())
    }

    /// Stops it all; nothing may be left unsent or put aside.
    pub async fn close(self) {
        self.bed.all_sent(schemas::BOOKINGS).await;
        self.bed.all_sent(schemas::EVENTS).await;
        self.stopping.cancel();
        for task in self.tasks {
            task.await.expect("it stops in order");
        }
    }

    pub fn person(&self, role: Role) -> Person<'_> {
        let user_id = UserId(Uuid::now_v7());
        Person { desk: self, user_id, token: self.mint.token(user_id, role) }
    }

    pub fn buyer(&self) -> Person<'_> {
        self.person(Role::Buyer)
    }

    /// Publishes facts as another service, in this order.
    pub async fn say<M: Message>(&self, facts: impl IntoIterator<Item = M>) {
        let messages: Vec<Outgoing> = facts.into_iter().map(|fact| Outgoing::new(&fact)).collect();
        let mut connection = eventually(|| self.pool.acquire()).await;
        self.outbox.insert(&mut connection, &messages).await.expect("messages can be stored");
        self.outbox.notify();
    }

    /// How often this booking sent a message of this type, such as `ReserveTickets`.
    pub fn count(&self, booking: Booked, kind: &str) -> usize {
        let heard = self.heard.0.lock().expect("no test panics here");
        let kind = format!("karcis.{kind}.v1");
        heard.iter().filter(|(id, sent, _)| *id == booking.id.0 && *sent == kind).count()
    }

    /// Waits until the booking has sent this.
    pub async fn hears(&self, booking: Booked, kind: &str) {
        eventually(async || if self.count(booking, kind) > 0 { Ok(()) } else { Err(kind) }).await;
    }

    /// The seats are held, at this price a ticket, refundable for an hour.
    pub async fn reserves(&self, booking: Booked, price: i64) {
        self.say([reserved(booking, price, 60)]).await;
    }

    /// Takes the booking from the order to where it can be paid.
    pub async fn makes_payable(&self, booking: Booked) {
        self.hears(booking, "ReserveTickets").await;
        self.reserves(booking, 500).await;
        self.hears(booking, "RequestPayment").await;
        self.say([requested(booking)]).await;
    }

    /// Takes a payable booking to its tickets.
    pub async fn sells(&self, booking: Booked) {
        self.say([paid(booking)]).await;
        self.hears(booking, "ConfirmTickets").await;
        self.say([confirmed(booking)]).await;
    }
}

pub fn reserved(booking: Booked, price: i64, refundable_minutes: i64) -> TicketFact {
    let unit_price = Money::new(price, Currency::Idr);
    TicketsReserved {
        booking_id: booking.id,
        event_id: booking.event_id,
        event: EventSnapshot {
            title: "Concert".into(),
            venue: "Hall".into(),
            starts_at: now() + chrono::TimeDelta::days(30),
            time_zone: "Asia/Jakarta".into(),
        },
        items: vec![ReservedItem {
            ticket_type_id: booking.ticket_type_id,
            name: "VIP".into(),
            quantity: 2,
            unit_price,
        }],
        total: Money::new(2 * price, Currency::Idr),
        refundable_until: now() + chrono::TimeDelta::minutes(refundable_minutes),
    }
    .into()
}

pub fn requested(booking: Booked) -> PaymentFact {
    let (payment_id, amount) = payment(booking);
    PaymentRequested { booking_id: booking.id, payment_id, amount }.into()
}

pub fn paid(booking: Booked) -> PaymentFact {
    let (payment_id, captured) = payment(booking);
    PaymentSucceeded { booking_id: booking.id, payment_id, captured }.into()
}

/// The booking's payment and what it is about.
pub fn payment(booking: Booked) -> (PaymentId, Money) {
    (PaymentId(booking.id.0), Money::new(1_000, Currency::Idr))
}

/// The codes of the booking's two tickets.
pub fn codes(booking: Booked) -> [TicketCode; 2] {
    [0, 1].map(|seat| TicketCode::from_bits(booking.id.0.as_u128() ^ seat))
}

pub fn confirmed(booking: Booked) -> TicketFact {
    let tickets = codes(booking).map(|code| Ticket {
        code,
        ticket_type_id: booking.ticket_type_id,
        name: "VIP".into(),
    });
    let (booking_id, event_id) = (booking.id, booking.event_id);
    TicketsConfirmed { booking_id, event_id, tickets: tickets.into() }.into()
}

pub fn released(booking: Booked) -> TicketFact {
    TicketsReleased { booking_id: booking.id, event_id: booking.event_id }.into()
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Person<'a> {
    desk: &'a Desk,
    pub user_id: UserId,
    pub token: String,
}

impl Person<'_> {
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.desk.http.request(method, format!("{}{path}", self.desk.url));
        request.bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::GET, path).send().await).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.request(Method::POST, path).json(&body).send().await).await
    }

    /// Orders two tickets of a new event.
    pub async fn books(&self) -> Booked {
        self.books_for(EventId(Uuid::now_v7())).await
    }

    /// Orders two tickets of this event.
    pub async fn books_for(&self, event_id: EventId) -> Booked {
        let ticket_type_id = TicketTypeId(Uuid::now_v7());
        let order = order(event_id, ticket_type_id);
        let (status, body) = self.post("/booking/create", order).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        Booked { id: id_of(&body), event_id, ticket_type_id }
    }

    pub async fn sees(&self, booking: Booked) -> Value {
        self.get(&format!("/bookings/{}", booking.id)).await.1
    }

    pub async fn status(&self, booking: Booked) -> String {
        self.sees(booking).await["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the booking has this status.
    pub async fn waits_for(&self, booking: Booked, status: &str) {
        eventually(|| self.status(booking)).is(status.to_owned()).await;
    }

    pub async fn cancels(&self, booking: Booked) -> (StatusCode, Value) {
        self.post("/booking/cancel", json!({"booking_id": booking.id})).await
    }

    /// The stages the booking went through, with what it sent on each step.
    pub async fn timeline(&self, booking: Booked) -> Vec<String> {
        let (_, timeline) = self.get(&format!("/bookings/{}/timeline", booking.id)).await;
        let items = timeline["items"].as_array().expect("items").iter();
        items
            .map(|item| {
                let sent: Vec<&str> = item["sent"]
                    .as_array()
                    .expect("sent")
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                let [input, to] = ["input", "to"].map(|name| item[name].as_str().expect("a text"));
                format!("{input}: {to} {}", sent.join(" ")).trim_end().to_owned()
            })
            .collect()
    }
}

pub fn order(event_id: EventId, ticket_type_id: TicketTypeId) -> Value {
    json!({
        "event_id": event_id,
        "items": [{"ticket_type_id": ticket_type_id, "quantity": 2}],
    })
}

pub fn id_of(booking: &Value) -> BookingId {
    serde_json::from_value(booking["booking_id"].clone()).expect("a booking's id")
}

pub async fn read(answer: reqwest::Result<Response>) -> (StatusCode, Value) {
    let answer = answer.expect("the service answers");
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}
