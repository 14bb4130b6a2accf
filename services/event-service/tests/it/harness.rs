//! event-service by itself, with booking-service's end of the wire in the test's hands.

use karcis_contracts::{
    ConfirmTickets, EventCommand, EventFact, Item, Message, ReleaseTickets, ReserveTickets, Ticket,
    TicketCodes, TicketFact,
};
use karcis_event_service::run;
use karcis_kernel::{BookingId, EventId, Role, TicketCode, TicketTypeId, UserId};
use karcis_schemas::{BOOKING, EVENT, EVENTS};
use karcis_testkit::{
    LostCommits, Peer, Person, RunningService, TestEnvironment, TokenMint, eventually,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A running event-service, with its topics and database.
pub(crate) struct TestApp {
    pub environment: TestEnvironment,
    service: RunningService,
    booking_service: Peer,
}

/// An event of one ticket type, or more, as POST /event/create answered it.
pub(crate) struct Concert {
    pub id: EventId,
    pub types: Vec<TicketTypeId>,
    pub body: Value,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_on(TestEnvironment::start().await).await
    }

    /// With a proxy that can lose the service's COMMITs.
    pub(crate) async fn losing_commits() -> (Self, LostCommits) {
        let mut environment = TestEnvironment::start().await;
        let proxy = environment.losing_commits().await;
        (Self::start_on(environment).await, proxy)
    }

    /// Starts another instance, which the caller stops.
    pub(crate) async fn another_instance(&self) -> RunningService {
        let mint = TokenMint::start().await;
        let flags = ["--instance", "1"];
        RunningService::start(&EVENT, &self.environment, mint.jwks_url(), &flags, run).await
    }

    pub(crate) async fn start_on(environment: TestEnvironment) -> Self {
        Self::start_with(environment, &[]).await
    }

    /// With these flags besides those of the environment.
    pub(crate) async fn start_with(environment: TestEnvironment, flags: &[&str]) -> Self {
        let mint = TokenMint::start().await;
        let service = RunningService::start(&EVENT, &environment, mint.jwks_url(), flags, run);
        let service = service.await;
        let topics = &[TicketFact::TOPIC, TicketCodes::TOPIC, EventFact::TOPIC];
        let booking_service = Peer::start(&environment, &BOOKING, topics).await;
        Self { environment, service, booking_service }
    }

    /// Checks that everything is sent and that there is no dead letter, and stops in order.
    pub(crate) async fn stop(self) {
        self.environment.all_sent(EVENTS).await;
        self.service.stop().await;
        self.booking_service.stop().await;
    }

    pub(crate) fn person(&self, role: Role) -> Person {
        Person::new(&self.service.url, role)
    }

    pub(crate) fn organiser(&self) -> Person {
        self.person(Role::Organiser)
    }

    /// Somebody who is not logged in.
    pub(crate) fn visitor(&self) -> Person {
        Person::visitor(&self.service.url)
    }

    /// The plan, made by this organiser.
    pub(crate) async fn made(&self, by: &Person, plan: &Value) -> Concert {
        let body = by.post("/event/create", plan).await.is(201).body;
        let id = |value: &Value| value.as_str().and_then(|id| Uuid::parse_str(id).ok());
        let types = body["ticket_types"].as_array().expect("an event has ticket types");
        let types = types.iter().map(|t| id(&t["ticket_type_id"]).expect("a type has an id"));
        Concert {
            id: EventId(id(&body["event_id"]).expect("an event has an id")),
            types: types.map(TicketTypeId).collect(),
            body,
        }
    }

    /// Sends commands as booking-service does.
    pub(crate) async fn send(&self, commands: &[EventCommand]) {
        self.booking_service.say(commands.iter().cloned()).await;
    }

    /// What booking-service was told about the booking, once it has heard that much.
    pub(crate) async fn replies(&self, booking: BookingId, at_least: usize) -> Vec<TicketFact> {
        eventually(async || {
            let replies = self.booking_service.heard_about(booking.0);
            if replies.len() >= at_least { Ok(replies) } else { Err(replies) }
        })
        .await
    }

    /// Sends one command and waits for its reply: the next about its booking.
    pub(crate) async fn ask(&self, command: impl Into<EventCommand>) -> TicketFact {
        let command = command.into();
        let booking = BookingId(command.correlation().expect("a command is of a booking"));
        let before = self.booking_service.heard_about::<TicketFact>(booking.0).len();
        self.send(&[command]).await;
        self.replies(booking, before + 1).await.swap_remove(before)
    }

    /// The tickets that booking-service was told of for this booking, once it was told so often.
    pub(crate) async fn issued(&self, booking: BookingId, at_least: usize) -> Vec<Vec<Ticket>> {
        let told = eventually(async || {
            let told = self.booking_service.heard_about::<TicketCodes>(booking.0);
            if told.len() >= at_least { Ok(told) } else { Err(told) }
        });
        let tickets = |TicketCodes::TicketsIssued(issued)| issued.tickets;
        told.await.into_iter().map(tickets).collect()
    }

    /// Confirms the booking. Returns its tickets.
    pub(crate) async fn confirmed(&self, event: &Concert, booking: BookingId) -> Vec<Ticket> {
        let reply = self.ask(event.confirm(booking)).await;
        assert!(matches!(reply, TicketFact::TicketsConfirmed(_)), "{reply:?}");
        self.issued(booking, 1).await.swap_remove(0)
    }

    /// Sells so many seats of the first type: the booking, and the codes.
    pub(crate) async fn sold(&self, event: &Concert, seats: u32) -> (BookingId, Vec<TicketCode>) {
        let command = event.reserve(seats);
        let booking = command.booking_id;
        self.ask(command).await;
        let tickets = self.confirmed(event, booking).await;
        (booking, tickets.into_iter().map(|ticket| ticket.code).collect())
    }

    /// What was published about the event so far.
    pub(crate) fn facts(&self, event: EventId) -> Vec<EventFact> {
        let facts: Vec<EventFact> = self.booking_service.heard();
        facts.into_iter().filter(|fact| fact.key() == event.0).collect()
    }

    /// As if so many days went by for this event.
    pub(crate) async fn let_pass(&self, event: &Concert, days: i32) {
        let move_it = "
            UPDATE events.event SET starts_at = starts_at - $2 * interval '1 day',
                ends_at = ends_at - $2 * interval '1 day' WHERE event_id = $1";
        let moving = sqlx::query(move_it).bind(event.id.0).bind(days);
        moving.execute(self.environment.superuser()).await.expect("the event is stored");
    }

    /// (capacity, held, sold) of a ticket type, as stored.
    pub(crate) async fn stock(&self, of: TicketTypeId) -> (i32, i32, i32) {
        let select =
            "SELECT capacity, held, sold FROM events.ticket_type WHERE ticket_type_id = $1";
        let stock = sqlx::query_as(select).bind(of.0).fetch_one(self.environment.superuser()).await;
        stock.expect("the ticket type is stored")
    }
}

impl Concert {
    /// The event's id as requests name it.
    pub(crate) fn named(&self) -> Value {
        json!({"event_id": self.id})
    }

    /// A new booking's command for so many tickets of the first type, by a new buyer.
    pub(crate) fn reserve(&self, quantity: u32) -> ReserveTickets {
        ReserveTickets {
            booking_id: BookingId(Uuid::now_v7()),
            event_id: self.id,
            user_id: UserId(Uuid::now_v7()),
            items: vec![Item { ticket_type_id: self.types[0], quantity }],
            expected_total: None,
        }
    }

    pub(crate) fn confirm(&self, booking_id: BookingId) -> ConfirmTickets {
        ConfirmTickets { booking_id, event_id: self.id }
    }

    pub(crate) fn release(&self, booking_id: BookingId) -> ReleaseTickets {
        ReleaseTickets { booking_id, event_id: self.id }
    }
}

/// A published event next year, with so many VIP tickets.
pub(crate) fn plan(seats: u32) -> Value {
    json!({
        "title": "Dewa 19", "venue": "Istora Senayan", "time_zone": "Asia/Jakarta",
        "starts_at": in_days(365),
        "ticket_types": [{
            "name": "VIP", "price": {"amount": 750_000, "currency": "IDR"}, "capacity": seats,
        }],
    })
}

/// The same with these fields changed.
pub(crate) fn with(mut plan: Value, changes: Value) -> Value {
    let changes = changes.as_object().expect("changes are an object").clone();
    plan.as_object_mut().expect("a plan is an object").extend(changes);
    plan
}

/// So many days from now, to the second.
pub(crate) fn in_days(days: i64) -> String {
    let at = karcis_process::now() + chrono::Duration::days(days);
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
