//! A person who uses Karcis over HTTP.

use karcis_kernel::{BookingId, UserId};
use karcis_schemas::{BOOKING, PAYMENT, Service, USER};
use karcis_testkit::{Answer, eventually};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Concert, Urls};

/// What a booking asks of others.
const COMMANDS: [&str; 6] = [
    "ReserveTickets",
    "ConfirmTickets",
    "ReleaseTickets",
    "RequestPayment",
    "CancelPayment",
    "RefundPayment",
];

/// A person with a token.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    pub user_id: UserId,
    pub token: String,
    http: reqwest::Client,
    urls: Urls,
}

/// One order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Booking {
    pub id: BookingId,
}

impl Person {
    pub(crate) fn new(
        name: &str,
        user_id: UserId,
        token: String,
        http: reqwest::Client,
        urls: Urls,
    ) -> Self {
        Self { name: name.to_owned(), user_id, token, http, urls }
    }

    pub(crate) async fn register(name: &str, http: reqwest::Client, urls: Urls) -> Self {
        let nobody = Self::new(name, UserId(Uuid::nil()), String::new(), http, urls);
        let body = json!({
            "email": nobody.email(), "password": nobody.password(), "name": name,
        });
        let session = nobody.post(&USER, "/register", &body).await.is(201).body;
        let user_id = serde_json::from_value(session["user"]["user_id"].clone());
        Self {
            user_id: user_id.expect("a session names its user"),
            token: session["access_token"].as_str().expect("a session has a token").to_owned(),
            ..nobody
        }
    }

    /// The same person, who goes to these services.
    pub fn through(&self, urls: &Urls) -> Self {
        Self { urls: urls.clone(), ..self.clone() }
    }

    /// The address they register with.
    pub fn email(&self) -> String {
        format!("{}@example.com", self.name.to_lowercase().replace(' ', "."))
    }

    /// The password they register with: it may not contain the name in their address.
    pub fn password(&self) -> String {
        "seven loud concerts a year".to_owned()
    }

    /// GET with their token.
    pub async fn get(&self, service: &Service, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, service, path)).await
    }

    /// POST of a JSON body with their token.
    pub async fn post(&self, service: &Service, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, service, path).json(body)).await
    }

    /// A request with their token, to be sent with [`Answer::to`].
    pub fn request(&self, method: Method, service: &Service, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.urls[service.name]));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// Orders tickets and does not wait: the booking may still be rejected.
    pub async fn orders(&self, concert: &Concert, ticket: &str, quantity: u32) -> Booking {
        let order = concert.order(&[(ticket, quantity)]);
        self.post(&BOOKING, "/booking/create", &order).await.is(202).booking()
    }

    /// Orders tickets and waits until they are to be paid, confirmed or refused.
    pub async fn books(&self, concert: &Concert, ticket: &str, quantity: u32) -> Booking {
        self.books_all(concert, &[(ticket, quantity)]).await
    }

    /// Orders tickets of several types and waits until they are to be paid, confirmed or refused.
    pub async fn books_all(&self, concert: &Concert, tickets: &[(&str, u32)]) -> Booking {
        let request = self.request(Method::POST, &BOOKING, "/booking/create");
        let order = request.header("prefer", "wait=10").json(&concert.order(tickets));
        let answer = Answer::to(order).await.is(202);
        let booking = answer.booking();
        if answer.body["status"] == "pending" {
            // A service answers before a busy machine may have decided.
            eventually(async || self.sees(&booking).await != "pending").is(true).await;
        }
        booking
    }

    /// Pays with this method or token of the simulated gateway.
    pub async fn pays(&self, booking: &Booking, method: &str) -> Answer {
        let body = json!({"booking_id": booking.id, "method": method});
        self.post(&PAYMENT, "/payment/process", &body).await
    }

    /// Pays with a card that works, and waits until it is paid: where the answer after 2 s is that it
    /// is processing, asking again charges nothing.
    pub async fn pays_up(&self, booking: &Booking) -> Answer {
        eventually(async || {
            let answer = self.pays(booking, "tok_approved").await;
            let unresolved = answer.body["type"] == "/problems/attempt-unresolved";
            if answer.status == 202 || unresolved { Err(answer) } else { Ok(answer.is(200)) }
        })
        .await
    }

    /// Cancels the booking.
    pub async fn cancels(&self, booking: &Booking) -> Answer {
        let body = json!({"booking_id": booking.id});
        self.post(&BOOKING, "/booking/cancel", &body).await
    }

    /// The booking's status.
    pub async fn sees(&self, booking: &Booking) -> String {
        text(&self.booking(booking).await["status"])
    }

    /// The booking's status and the reason of it, such as `cancelled` and `payment_failed`.
    pub async fn sees_why(&self, booking: &Booking) -> (String, String) {
        let booking = self.booking(booking).await;
        (text(&booking["status"]), text(&booking["reason"]))
    }

    /// The booking as they see it.
    pub async fn booking(&self, booking: &Booking) -> Value {
        self.get(&BOOKING, &format!("/bookings/{}", booking.id)).await.is(200).body
    }

    /// What happened to the booking, oldest first.
    pub async fn timeline(&self, booking: &Booking) -> Vec<Value> {
        let path = format!("/bookings/{}/timeline", booking.id);
        let timeline = self.get(&BOOKING, &path).await.is(200).body;
        timeline["items"].as_array().expect("a timeline has items").clone()
    }

    /// The commands the booking has sent, oldest first, each once.
    pub async fn commands(&self, booking: &Booking) -> Vec<String> {
        let timeline = self.timeline(booking).await;
        let sent = timeline.iter().flat_map(|entry| entry["sent"].as_array().into_iter().flatten());
        let commands = sent.map(text).filter(|kind| COMMANDS.contains(&kind.as_str()));
        let mut once = Vec::new();
        commands.for_each(|kind| {
            if !once.contains(&kind) {
                once.push(kind);
            }
        });
        once
    }

    /// The booking's payment.
    pub async fn payment(&self, booking: &Booking) -> Value {
        let path = format!("/payment/status?booking_id={}", booking.id);
        self.get(&PAYMENT, &path).await.is(200).body
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What only some answers of the fleet show.
pub trait FleetAnswer {
    /// Asserts that the payment was declined.
    #[expect(clippy::wrong_self_convention, reason = "a test reads as a sentence")]
    fn is_declined(self) -> Self;

    /// The booking it shows.
    fn booking(&self) -> Booking;
}

impl FleetAnswer for Answer {
    #[track_caller]
    fn is_declined(self) -> Self {
        self.is_problem(402, "payment-declined")
    }

    #[track_caller]
    fn booking(&self) -> Booking {
        let id = serde_json::from_value(self.body["booking_id"].clone());
        Booking { id: id.expect("the answer shows a booking") }
    }
}
