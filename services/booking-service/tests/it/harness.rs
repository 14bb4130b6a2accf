//! The service under test, with the other services played by the test.

use std::ops::Deref;

use karcis_booking_service::run;
use karcis_contracts::{
    BookingFact, EventCommand, EventSnapshot, Message, PaymentCancelled, PaymentCommand,
    PaymentFact, PaymentRefunded, PaymentRequested, PaymentSucceeded, ReservedItem, Ticket,
    TicketCodes, TicketFact, TicketMail, TicketsConfirmed, TicketsIssued, TicketsReleased,
    TicketsReserved,
};
use karcis_kernel::{
    BookingId, Currency, EventId, Money, PaymentId, Role, TicketCode, TicketTypeId, Timestamp,
    UserId,
};
use karcis_process::now;
use karcis_schemas::{BOOKING, BOOKINGS, EVENT, EVENTS};
use karcis_testkit::{
    Answer, Peer, Person, RunningService, TestEnvironment, TokenMint, eventually, token,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A running booking-service. The test publishes and receives messages as all other services.
pub(crate) struct TestApp {
    pub(crate) environment: TestEnvironment,
    pub(crate) visitor: Person,
    service: RunningService,
    others: Peer,
}

/// A booking, as the test created it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booked {
    pub(crate) id: BookingId,
    pub(crate) event_id: EventId,
    pub(crate) ticket_type_id: TicketTypeId,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&["--resend-after", "10m"]).await
    }

    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        Self::start_on(TestEnvironment::start().await, flags).await
    }

    pub(crate) async fn start_on(environment: TestEnvironment, flags: &[&str]) -> Self {
        let mint = TokenMint::start().await;
        let service =
            RunningService::start(&BOOKING, &environment, mint.jwks_url(), flags, run).await;
        let topics =
            &[EventCommand::TOPIC, PaymentCommand::TOPIC, BookingFact::TOPIC, TicketMail::TOPIC];
        let others = Peer::start(&environment, &EVENT, topics).await;
        let visitor = Person::visitor(&service.url);
        Self { environment, visitor, service, others }
    }

    /// Starts another instance, which the caller stops.
    pub(crate) async fn another_instance(&self) -> RunningService {
        let mint = TokenMint::start().await;
        let flags = ["--instance", "1", "--resend-after", "10m"];
        RunningService::start(&BOOKING, &self.environment, mint.jwks_url(), &flags, run).await
    }

    /// Stops it all; no message may be left unsent or dead-lettered.
    pub(crate) async fn stop(self) {
        self.environment.all_sent(BOOKINGS).await;
        self.environment.all_sent(EVENTS).await;
        self.service.stop().await;
        self.others.stop().await;
    }

    /// Stops the service alone.
    pub(crate) async fn without_service(self) -> (TestEnvironment, Peer) {
        self.service.stop().await;
        (self.environment, self.others)
    }

    pub(crate) fn person(&self, user_id: UserId, role: Role) -> Person {
        let mut person = self.visitor.clone();
        (person.user_id, person.token) = (user_id, Some(token(user_id, role)));
        person
    }

    pub(crate) fn operator(&self) -> Person {
        self.person(UserId(Uuid::now_v7()), Role::Operator)
    }

    pub(crate) fn buyer(&self) -> Buyer {
        Buyer(self.person(UserId(Uuid::now_v7()), Role::Buyer))
    }

    /// Publishes facts as another service, in this order.
    pub(crate) async fn publishes<M: Message>(&self, facts: impl IntoIterator<Item = M>) {
        self.others.say(facts).await;
    }

    /// How often this booking sent a message of this type, such as `ReserveTickets`. A message that
    /// is delivered twice counts once.
    pub(crate) fn count(&self, booking: Booked, kind: &str) -> usize {
        let kind = format!("karcis.{kind}.v1");
        self.others.kinds_of(booking.id.0).into_iter().filter(|sent| *sent == kind).count()
    }

    /// What this booking told everybody, in its order.
    pub(crate) fn facts(&self, booking: Booked) -> Vec<BookingFact> {
        self.others.heard_about(booking.id.0)
    }

    /// The tickets that this booking has had mailed.
    pub(crate) fn ticket_mails(&self, booking: Booked) -> Vec<TicketMail> {
        self.others.heard_about(booking.id.0)
    }

    /// What this booking asked of event-service, in its order.
    pub(crate) fn commands(&self, booking: Booked) -> Vec<EventCommand> {
        self.others.heard_about(booking.id.0)
    }

    /// What all bookings told everybody.
    pub(crate) fn all_facts(&self) -> Vec<BookingFact> {
        self.others.heard()
    }

    /// Ends the service as kill -9 would, and starts it again.
    pub(crate) async fn crashes(self) -> Self {
        self.service.kill();
        let mint = TokenMint::start().await;
        let flags = &["--resend-after", "10m"];
        let service =
            RunningService::start(&BOOKING, &self.environment, mint.jwks_url(), flags, run).await;
        let visitor = Person::visitor(&service.url);
        Self { visitor, service, ..self }
    }

    /// Waits until the booking has sent this.
    pub(crate) async fn receives(&self, booking: Booked, kind: &str) {
        eventually(async || if self.count(booking, kind) > 0 { Ok(()) } else { Err(kind) }).await;
    }

    /// event-service holds the seats, at this price per ticket, refundable for an hour.
    pub(crate) async fn reserves(&self, booking: Booked, price: i64) {
        self.publishes([reserved(booking, price, 60)]).await;
    }

    /// Takes a new booking to where it can be paid.
    pub(crate) async fn makes_payable(&self, booking: Booked) {
        self.receives(booking, "ReserveTickets").await;
        self.reserves(booking, 500).await;
        self.receives(booking, "RequestPayment").await;
        self.publishes([requested(booking)]).await;
    }

    /// Ends the time to pay these bookings now.
    pub(crate) async fn ends_deadlines(&self, bookings: &[Booked]) {
        sqlx::query(
            "UPDATE bookings.booking SET pay_by = now(), due_at = now() WHERE id = ANY($1)",
        )
        .bind(bookings.iter().map(|booking| booking.id.0).collect::<Vec<_>>())
        .execute(self.environment.superuser())
        .await
        .expect("deadlines can be moved");
    }

    /// Takes a payable booking to its tickets.
    pub(crate) async fn sells(&self, booking: Booked) {
        self.publishes([paid(booking)]).await;
        self.receives(booking, "ConfirmTickets").await;
        self.publishes([confirmed(booking)]).await;
        self.publishes([issued(booking)]).await;
    }
}

pub(crate) fn reserved(booking: Booked, price: i64, refundable_minutes: i64) -> TicketFact {
    let refundable_until = now() + chrono::TimeDelta::minutes(refundable_minutes);
    TicketsReserved { refundable_until, ..held(booking, price) }.into()
}

/// What event-service holds, at this price per ticket: of an event in its first version, refundable and on
/// sale until it starts.
pub(crate) fn held(booking: Booked, price: i64) -> TicketsReserved {
    let unit_price = Money::new(price, Currency::Idr);
    TicketsReserved {
        booking_id: booking.id,
        event_id: booking.event_id,
        event: concert(1),
        items: vec![ReservedItem {
            ticket_type_id: booking.ticket_type_id,
            name: "VIP".into(),
            quantity: 2,
            unit_price,
        }],
        total: Money::new(2 * price, Currency::Idr),
        refundable_until: starts_at(),
        sales_end: Some(starts_at()),
    }
}

/// The event in this version, as it was published.
pub(crate) fn concert(version: i64) -> EventSnapshot {
    EventSnapshot {
        title: "Concert".into(),
        venue: "Hall".into(),
        starts_at: starts_at(),
        time_zone: "Asia/Jakarta".into(),
        version: Some(version),
    }
}

/// The same in every call.
pub(crate) fn starts_at() -> Timestamp {
    "2099-06-20T12:30:00Z".parse().expect("a time")
}

pub(crate) fn requested(booking: Booked) -> PaymentFact {
    let (payment_id, amount) = payment(booking);
    PaymentRequested { booking_id: booking.id, payment_id, amount }.into()
}

pub(crate) fn paid(booking: Booked) -> PaymentFact {
    let (payment_id, captured) = payment(booking);
    PaymentSucceeded { booking_id: booking.id, payment_id, captured }.into()
}

/// The booking's payment and what it is about.
pub(crate) fn payment(booking: Booked) -> (PaymentId, Money) {
    (PaymentId(booking.id.0), Money::new(1_000, Currency::Idr))
}

/// The codes of the booking's two tickets.
pub(crate) fn codes(booking: Booked) -> [TicketCode; 2] {
    [0, 1].map(|seat| TicketCode::from_bits(booking.id.0.as_u128() ^ seat))
}

pub(crate) fn issued(booking: Booked) -> TicketCodes {
    let (booking_id, event_id) = (booking.id, booking.event_id);
    TicketsIssued { booking_id, event_id, tickets: tickets(booking) }.into()
}

/// What everybody reads of that.
pub(crate) fn confirmed(booking: Booked) -> TicketFact {
    let (booking_id, event_id) = (booking.id, booking.event_id);
    TicketsConfirmed { booking_id, event_id, tickets: None }.into()
}

pub(crate) fn tickets(booking: Booked) -> Vec<Ticket> {
    let tickets = codes(booking).map(|code| Ticket {
        code,
        ticket_type_id: booking.ticket_type_id,
        name: "VIP".into(),
    });
    tickets.into()
}

pub(crate) fn released(booking: Booked) -> TicketFact {
    TicketsReleased { booking_id: booking.id, event_id: booking.event_id }.into()
}

pub(crate) fn payment_cancelled(booking: Booked) -> PaymentFact {
    let (payment_id, _) = payment(booking);
    PaymentCancelled { booking_id: booking.id, payment_id }.into()
}

pub(crate) fn refunded(booking: Booked) -> PaymentFact {
    let (payment_id, refunded) = payment(booking);
    PaymentRefunded { booking_id: booking.id, payment_id, refunded }.into()
}

/// A person who books.
pub(crate) struct Buyer(Person);

impl Deref for Buyer {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.0
    }
}

impl Buyer {
    /// Orders two tickets of a new event.
    pub(crate) async fn books(&self) -> Booked {
        self.books_for(EventId(Uuid::now_v7())).await
    }

    /// Orders two tickets of this event.
    pub(crate) async fn books_for(&self, event_id: EventId) -> Booked {
        let ticket_type_id = TicketTypeId(Uuid::now_v7());
        let order = order(event_id, ticket_type_id);
        let answer = self.post("/booking/create", &order).await.is(202);
        Booked { id: id_of(&answer.body), event_id, ticket_type_id }
    }

    pub(crate) async fn sees(&self, booking: Booked) -> Value {
        self.get(&format!("/bookings/{}", booking.id)).await.body
    }

    pub(crate) async fn status(&self, booking: Booked) -> String {
        self.sees(booking).await["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the booking has this status.
    pub(crate) async fn waits_for(&self, booking: Booked, status: &str) {
        eventually(|| self.status(booking)).is(status.to_owned()).await;
    }

    pub(crate) async fn cancels(&self, booking: Booked) -> Answer {
        self.post("/booking/cancel", &json!({"booking_id": booking.id})).await
    }

    /// The stages the booking went through, with what it sent on each step.
    pub(crate) async fn timeline(&self, booking: Booked) -> Vec<String> {
        let timeline = self.get(&format!("/bookings/{}/timeline", booking.id)).await;
        let items = timeline.body["items"].as_array().expect("items").iter();
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

pub(crate) fn order(event_id: EventId, ticket_type_id: TicketTypeId) -> Value {
    json!({
        "event_id": event_id,
        "items": [{"ticket_type_id": ticket_type_id, "quantity": 2}],
    })
}

pub(crate) fn id_of(booking: &Value) -> BookingId {
    serde_json::from_value(booking["booking_id"].clone()).expect("a booking's id")
}
