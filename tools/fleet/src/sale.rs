//! People who buy all along while a test breaks or restarts services, and what became of each.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service, USER};
use karcis_testkit::{Answer, eventually, together};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Booking, Concert, Fleet, FleetAnswer, Ledger, Person, Urls};

/// How many buy at a time.
const BUYERS: usize = 16;
/// How long anything may take, while services come and go on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// What buyers put up with.
#[derive(Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// Any failure: they try again, as a person would when a page does not load.
    Failures,
    /// Refused and reset connections, after which they go to another instance; no other failure.
    Resets,
}

/// A sale that goes on until [`Sale::close`]. Its buyers are spread over the fleet's instances.
pub struct Sale<'a> {
    fleet: &'a Fleet,
    concert: Concert,
    tolerance: Tolerance,
    doors: Vec<&'a Urls>,
    turn: AtomicUsize,
    answered: Mutex<HashMap<&'static str, usize>>,
    over: AtomicBool,
}

/// A booking that came to the end its buyer wanted.
#[derive(Debug)]
pub struct Bought {
    booking: Booking,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Kept,
    GivenBack,
    Declined,
}

impl<'a> Sale<'a> {
    /// Of more tickets than anybody will buy.
    pub async fn open(fleet: &'a Fleet, tolerance: Tolerance) -> Self {
        Self {
            fleet,
            concert: fleet.concert().tickets("VIP", 100_000).published().await,
            tolerance,
            doors: fleet.instances().iter().map(|instance| instance.urls()).collect(),
            turn: AtomicUsize::new(0),
            answered: Mutex::default(),
            over: AtomicBool::new(false),
        }
    }

    /// Everybody leaves once their booking has ended.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How many requests this service has answered as it should.
    pub fn answered(&self, service: &Service) -> usize {
        self.answered.lock().unwrap().get(service.name).copied().unwrap_or_default()
    }

    /// Waits until bookings have ended since it was last asked, with `ended`, and some are under
    /// way. Returns how many have ended.
    pub async fn goes_on(&self, ended: i64) -> i64 {
        let wanted = ended + 8;
        let progress = eventually(async || match self.progress().await {
            (under_way @ 4.., ended) if ended >= wanted => Ok((under_way, ended)),
            other => Err(other),
        });
        progress.within(TIMEOUT).await.1
    }

    /// How many bookings have not ended, and how many have.
    async fn progress(&self) -> (i64, i64) {
        let stages = self.fleet.stages().await;
        let ended = ["confirmed", "cancelled", "rejected"];
        let ended = ended.map(|stage| stages.get(stage).unwrap_or(&0)).into_iter().sum();
        (stages.values().sum::<i64>() - ended, ended)
    }

    /// Sells until it is closed. All have registered before the first buys: no test breaks anything
    /// before somebody has bought, and nobody can register twice.
    pub async fn run(&self) -> Vec<Bought> {
        let names: Vec<_> = (0..BUYERS).map(|number| format!("Sari {number}")).collect();
        let buyers = together(BUYERS, names.iter().map(|name| self.fleet.registers(name))).await;
        let buying = buyers.iter().enumerate();
        let buying = buying.map(|(number, buyer)| self.buy_all_along(number, buyer));
        let (bought, ()) = tokio::join!(together(BUYERS, buying), self.look_all_along(&buyers[0]));
        bought.into_iter().flatten().collect()
    }

    /// Looks around also while all who buy wait for a service that is away.
    async fn look_all_along(&self, visitor: &Person) {
        while !self.over.load(Ordering::Relaxed) {
            self.looks_around(visitor).await;
            self.looks(visitor, &BOOKING, "/bookings").await;
        }
    }

    /// Books and pays, again and again; gives every third booking back, and pays every third with a
    /// stolen card.
    async fn buy_all_along(&self, number: usize, buyer: &Person) -> Vec<Bought> {
        let mut bought = Vec::new();
        let ends = [End::Kept, End::GivenBack, End::Declined].into_iter().cycle().skip(number);
        for end in ends.take_while(|_| !self.over.load(Ordering::Relaxed)) {
            self.looks_around(buyer).await;
            let order = self.concert.order(&[("VIP", 1)]);
            let booking = self.posts(buyer, &BOOKING, "/booking/create", &order).await;
            let booking = booking.booking();
            self.sees(buyer, &booking, "awaiting_payment").await;
            self.looks_around(buyer).await;
            let method = if end == End::Declined { "tok_stolen_card" } else { "tok_approved" };
            let payment = json!({"booking_id": booking.id, "method": method});
            self.posts(buyer, &PAYMENT, "/payment/process", &payment).await;
            if end != End::Declined {
                self.sees(buyer, &booking, "confirmed").await;
            }
            if end == End::GivenBack {
                let cancel = json!({"booking_id": booking.id});
                self.posts(buyer, &BOOKING, "/booking/cancel", &cancel).await;
            }
            if end != End::Kept {
                self.sees(buyer, &booking, "cancelled").await;
            }
            bought.push(Bought { booking, end });
        }
        bought
    }

    /// At the own profile, the event, and how it can be paid.
    async fn looks_around(&self, buyer: &Person) {
        self.looks(buyer, &USER, "/profile").await;
        self.looks(buyer, &EVENT, &format!("/events/{}", self.concert.id)).await;
        self.looks(buyer, &PAYMENT, "/payment/methods").await;
    }

    async fn looks(&self, buyer: &Person, service: &'static Service, path: &str) {
        self.asks(buyer, Method::GET, service, path, None, |_| true).await;
    }

    async fn sees(&self, buyer: &Person, booking: &Booking, status: &str) {
        let path = format!("/bookings/{}", booking.id);
        let there = |answer: &Answer| answer.body["status"] == status;
        self.asks(buyer, Method::GET, &BOOKING, &path, None, there).await;
    }

    async fn posts(
        &self,
        buyer: &Person,
        service: &'static Service,
        path: &str,
        body: &Value,
    ) -> Answer {
        self.asks(buyer, Method::POST, service, path, Some(body), |_| true).await
    }

    /// Asks with one idempotency key until the answer is as it should be, and as wanted.
    async fn asks(
        &self,
        buyer: &Person,
        method: Method,
        service: &'static Service,
        path: &str,
        body: Option<&Value>,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Answer {
        let key = uuid::Uuid::now_v7().to_string();
        eventually(async || {
            let door = self.doors[self.turn.fetch_add(1, Ordering::Relaxed) % self.doors.len()];
            let mut request = buyer.through(door).request(method.clone(), service, path);
            request = request.header("idempotency-key", &key).header("prefer", "wait=10");
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = match Answer::try_to(request).await {
                Ok(answer) => answer,
                Err(error) if error.is_reset() || self.tolerance == Tolerance::Failures => {
                    return Err(format!("{error:?}"));
                }
                Err(error) => panic!("{} {path}: {error:?}", service.name),
            };
            // A stolen card is declined.
            if !answer.status.is_success() && answer.status != 402 {
                assert!(
                    self.tolerance == Tolerance::Failures,
                    "{} {path}: {answer:?}",
                    service.name
                );
                return Err(format!("{answer:?}"));
            }
            *self.answered.lock().unwrap().entry(service.name).or_default() += 1;
            if wanted(&answer) { Ok(answer) } else { Err(format!("{answer:?}")) }
        })
        .within(TIMEOUT)
        .await
    }

    /// Each booking was charged as its end says, and the seats are those of the tickets kept.
    pub async fn adds_up(&self, bought: &[Bought]) {
        let count = |end| bought.iter().filter(|bought| bought.end == end).count();
        let counts = [End::Kept, End::GivenBack, End::Declined].map(count);
        assert!(counts.iter().all(|count| *count > 5), "too few bookings to tell: {counts:?}");
        let ids: Vec<_> = bought.iter().map(|bought| bought.booking.id).collect();
        for (bought, ledger) in bought.iter().zip(self.fleet.ledgers(&ids).await) {
            let expected = match bought.end {
                End::Kept => Ledger::captured_once(750_000),
                End::GivenBack => Ledger::refunded_once(750_000),
                End::Declined => Ledger::default(),
            };
            assert_eq!(ledger, expected, "{bought:?}");
        }
        // A booking is shown as cancelled once nothing can keep it, which is before its seats are back.
        eventually(|| self.progress()).within(TIMEOUT).is((0, bought.len() as i64)).await;
        let stock = self.fleet.stock(&self.concert, "VIP").await;
        assert_eq!((stock.held, stock.sold), (0, counts[0] as i64));
    }
}
