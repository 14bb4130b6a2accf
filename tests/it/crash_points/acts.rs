//! What people do while a process dies, and what must have come of it.

use karcis_contracts::CHANNELS;
use karcis_fleet::{Booking, Concert, Fleet, FleetAnswer, Ledger, Person, Stock};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service, USER};
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// A person registers.
    Register,
    /// A buyer orders a ticket, and pays.
    Order,
    /// A buyer pays what is ordered.
    Pay,
    /// A buyer pays, the provider gives no answer, and the buyer cancels.
    PayInVain,
    /// A buyer cancels what is paid.
    Refund,
    /// A buyer does not pay in time.
    LetExpire,
    /// The organiser cancels an event of which a ticket is paid.
    CallOff,
    /// A message comes that the service cannot read.
    Poison,
}

/// The people of one act.
pub(crate) struct Scene<'a> {
    fleet: &'a Fleet,
    act: Act,
    service: &'static Service,
    concert: Concert,
    buyer: Person,
    booking: Option<Booking>,
}

impl<'a> Scene<'a> {
    /// All that comes before the act.
    pub(crate) async fn prepare(fleet: &'a Fleet, act: Act, service: &'static Service) -> Self {
        let concert = fleet.concert().tickets("VIP", 10).published().await;
        let buyer = fleet.registers(&Uuid::now_v7().to_string()).await;
        let mut booking = None;
        if !matches!(act, Act::Register | Act::Order | Act::Poison) {
            booking = Some(buyer.books(&concert, "VIP", 1).await);
        }
        let scene = Self { fleet, act, service, concert, buyer, booking };
        if matches!(act, Act::Refund | Act::CallOff) {
            scene.pays("tok_approved").await;
            scene.sees("confirmed").await;
        }
        scene
    }

    /// The act, and all that follows from it.
    pub(crate) async fn play(&mut self) {
        match self.act {
            Act::Register => self.registers().await,
            Act::Order => {
                let order = self.concert.order(&[("VIP", 1)]);
                let ordered = self.posts(&BOOKING, "/booking/create", &order, &[202]).await;
                self.booking = Some(ordered.booking());
                self.sees("awaiting_payment").await;
                self.pays("tok_approved").await;
                self.sees("confirmed").await;
            }
            Act::Pay => {
                self.pays("tok_approved").await;
                self.sees("confirmed").await;
            }
            Act::PayInVain => {
                self.pays("tok_never_arrives").await;
                self.cancels().await;
            }
            Act::Refund => self.cancels().await,
            Act::LetExpire => {
                let id = self.booking.unwrap().id;
                let expire = "UPDATE bookings.booking SET due_at = now() WHERE id =";
                self.execute(&format!("{expire} '{id}'")).await;
                self.sees("cancelled").await;
            }
            Act::CallOff => {
                let body = json!({"event_id": self.concert.id, "reason": "the singer is ill"});
                let organiser = &self.concert.organiser;
                asks(organiser, Method::POST, &EVENT, "/event/cancel", Some(&body), is(&[202]))
                    .await;
                self.sees("cancelled").await;
            }
            Act::Poison => self.comes_poison().await,
        }
    }

    /// What must have come of it, once all is at rest.
    pub(crate) async fn ends_well(&self) {
        let (kind, ledger, sold) = match self.act {
            Act::Order | Act::Pay => ("confirmed", Ledger::captured_once(750_000), 1),
            Act::Refund | Act::CallOff => ("cancelled", Ledger::refunded_once(750_000), 0),
            _ => ("cancelled", Ledger::default(), 0),
        };
        if let Some(booking) = self.booking {
            let stock = Stock { capacity: 10, free: 10 - sold, held: 0, sold };
            eventually(|| self.fleet.stock(&self.concert, "VIP")).is(stock).await;
            eventually(|| self.fleet.ledger(&booking)).is(ledger).await;
        }
        self.are_mailed(self.booking.map(|_| kind)).await;
        self.fleet.adds_up().await;
    }

    async fn pays(&self, method: &str) {
        let payment = json!({"booking_id": self.booking.unwrap().id, "method": method});
        self.posts(&PAYMENT, "/payment/process", &payment, &[200, 202]).await;
    }

    async fn cancels(&self) {
        let cancel = json!({"booking_id": self.booking.unwrap().id});
        self.posts(&BOOKING, "/booking/cancel", &cancel, &[202]).await;
        self.sees("cancelled").await;
    }

    async fn registers(&self) {
        let (name, password) = (Uuid::now_v7().to_string(), self.buyer.password());
        let mut account = json!({"email": format!("{name}@example.com"), "password": password});
        let log_in = account.clone();
        account["name"] = json!(name);
        // The second time it may have been taken by the first.
        self.posts(&USER, "/register", &account, &[201, 409]).await;
        self.posts(&USER, "/login", &log_in, &[200]).await;
    }

    async fn comes_poison(&self) {
        let channel = CHANNELS.iter().find(|channel| channel.reader == self.service.full_name());
        let channel = channel.unwrap();
        self.fleet.poisons(channel, channel.kinds[0]).await;
        let schema = *self.service.schema;
        let dead = async || self.fleet.environment().dead_letters(schema).await.len();
        eventually(dead).is(1).await;
        self.fleet.environment().all_handled(self.service).await;
        assert_eq!(dead().await, 1);
        self.execute(&format!("DELETE FROM {}.dead_letter", schema.name)).await;
    }

    /// Waits until what the buyer is notified of has been sent, and all that accounts are. An instance that
    /// has died has claimed e-mails for a minute, which is over at once here.
    async fn are_mailed(&self, kind: Option<&str>) {
        self.execute("UPDATE users.account_mail SET try_at = now()").await;
        self.execute("UPDATE users.notice SET try_at = now() WHERE told_at IS NULL").await;
        let sent = "SELECT NOT EXISTS (SELECT FROM users.account_mail)
            AND ($2 IS NULL OR EXISTS (SELECT FROM users.notice
                WHERE booking_id = $1 AND kind = $2 AND told_at IS NOT NULL))";
        let booking = self.booking.map(|booking| booking.id.0);
        let sent = async || {
            let sent = sqlx::query_scalar(sent).bind(booking).bind(kind);
            let sent: bool = sent.fetch_one(self.fleet.environment().superuser()).await.unwrap();
            sent
        };
        eventually(sent).is(true).await;
    }

    async fn execute(&self, statement: &str) {
        let superuser = self.fleet.environment().superuser();
        sqlx::query(AssertSqlSafe(statement)).execute(superuser).await.unwrap();
    }

    async fn posts(
        &self,
        service: &'static Service,
        path: &str,
        body: &Value,
        taken: &[u16],
    ) -> Answer {
        asks(&self.buyer, Method::POST, service, path, Some(body), is(taken)).await
    }

    async fn sees(&self, status: &str) {
        let path = format!("/bookings/{}", self.booking.unwrap().id);
        let is_there = |answer: &Answer| answer.body["status"] == status;
        asks(&self.buyer, Method::GET, &BOOKING, &path, None, is_there).await;
    }
}

/// Whether the answer has one of these statuses.
fn is(statuses: &[u16]) -> impl Fn(&Answer) -> bool {
    move |answer: &Answer| statuses.contains(&answer.status.as_u16())
}

/// Asks with one idempotency key until the answer is as wanted, as a person does when a page does not load.
async fn asks(
    person: &Person,
    method: Method,
    service: &'static Service,
    path: &str,
    body: Option<&Value>,
    is_wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let key = Uuid::now_v7().to_string();
    eventually(async || {
        let request = person.request(method.clone(), service, path);
        let mut request = request.header("idempotency-key", &key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = Answer::try_to(request).await.map_err(|error| format!("{error:?}"))?;
        if is_wanted(&answer) { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
}
