//! Buyers: they order, pay, are declined, cancel, walk away, press twice, and send a request again, under the
//! same key or a new one, when it was not answered.

use std::{sync::Arc, time::Duration};

use karcis_booking_service::{
    application::{CancelBookingError, CreateBookingError, cancel_booking, create_booking},
    domain::{Item, Items, Order, Stage},
};
use karcis_database::{KeyUse, RequestKey};
use karcis_kernel::{BookingId, Currency, Money, UserId};
use karcis_payment_service::{
    application::{StartAttempt, StartAttemptError, Started, charge_attempt, start_attempt},
    domain::AttemptId,
};
use karcis_process::timer::wait;

use super::requests::request;
use crate::seeded::{
    broker::Group,
    ids,
    plan::BuyerPlan,
    ports::{Ports, act},
    random::hash,
    services::{PAYMENT_WINDOW, resends},
    world::{State, World},
};

/// How many times a request is sent again.
const TRIES: u32 = 8;
/// For how long a buyer looks at a booking at most, in looks.
const LOOKS: u32 = 40;

/// A buyer about one order.
#[derive(Clone)]
struct Buyer {
    world: Arc<World>,
    plan: BuyerPlan,
    user: UserId,
    /// Of what was shown, if the buyer insists on it.
    expected: Option<Money>,
}

/// Does what the plan says, from beginning to end.
pub(crate) async fn buy(world: Arc<World>, plan: BuyerPlan, shown: i64) {
    wait(plan.at).await;
    let user = ids::user(world.lock().seed, plan.user);
    let expected = plan.expects_price.then(|| Money::new(shown, Currency::Idr));
    let buyer = Buyer { world, plan, user, expected };
    if buyer.plan.presses_twice {
        let again = buyer.clone();
        let pressing = Box::pin(async move {
            wait(Duration::from_millis(again.plan.number * 7 % 200)).await;
            again.create(1).await;
        });
        buyer.spawn(1, pressing);
    }
    let Some(booking) = buyer.create(0).await else { return };
    if let Some(after) = buyer.plan.cancels_after {
        let canceller = buyer.clone();
        let cancelling = Box::pin(async move {
            wait(after).await;
            canceller.cancel(booking).await;
        });
        buyer.spawn(2, cancelling);
    }
    wait(buyer.plan.pays_after).await;
    for (number, token) in (0_u64..).zip(buyer.plan.tokens.clone()) {
        if !buyer.can_pay(booking).await {
            return;
        }
        if buyer.plan.pays_twice {
            let again = buyer.clone();
            let paying = Box::pin(async move { again.pay(booking, number, token).await });
            buyer.spawn(10 + number, paying);
        }
        buyer.pay(booking, number, token).await;
    }
}

impl Buyer {
    fn spawn(&self, number: u64, task: crate::seeded::world::Task) {
        self.world.spawn_person(hash(&[53, self.plan.number, number]), task);
    }

    fn client(&self, number: u64) -> u64 {
        hash(&[59, self.plan.number, number]) % (1 << 32)
    }

    fn key(&self, name: String) -> RequestKey {
        RequestKey { user_id: self.user, key: name }
    }

    /// Orders until a booking is accepted. Both presses of a buyer have the same key.
    async fn create(&self, press: u64) -> Option<BookingId> {
        for attempt in 0..TRIES {
            // Now and then a buyer begins again, under a new key.
            let round = if attempt < 5 { 0 } else { 1 };
            let key = self.plan.has_key.then(|| self.key(format!("{}/{round}", self.plan.number)));
            let order = self.order(key.as_ref(), press * 10 + u64::from(attempt));
            let (id, used_at) = (order.id, order.created_at);
            let use_of_key = key.clone().map(|key| {
                let fingerprint = self.plan.number.to_be_bytes().to_vec();
                KeyUse { key, fingerprint, subject: Some(id.0), used_at }
            });
            let answer =
                request(&self.world, Group::Booking, self.client(press), |ports: Ports| {
                    Box::pin(async move {
                        let names = Arc::default();
                        create_booking(&ports, resends(), order, names, use_of_key).await
                    })
                });
            match answer.await {
                Some(Ok(created)) => {
                    let state = &mut *self.world.lock();
                    let id = created.booking.order.id;
                    let name = state.name(id.0);
                    state.tell(|| format!("the buyer is told that {name} is accepted"));
                    state.accept(key, id);
                    return Some(id);
                }
                Some(Err(CreateBookingError::KeyReused)) => {
                    let number = self.plan.number;
                    self.world
                        .lock()
                        .violate(13, || format!("the key of order {number} is refused"));
                    return None;
                }
                Some(Err(CreateBookingError::Store(_))) | None => {}
            }
            wait(Duration::from_millis(200 << attempt.min(4))).await;
        }
        None
    }

    /// The `nth` request of this buyer for it.
    fn order(&self, key: Option<&RequestKey>, nth: u64) -> Order {
        let state = &mut *self.world.lock();
        let id = BookingId(state.draw_id());
        let again = if nth == 0 { String::new() } else { format!(" ({nth})") };
        state.set_name(id.0, format!("booking {}{again}", self.plan.number));
        if let Some(key) = key {
            state.checks.drew(key.clone(), id.0);
        }
        let items = self.plan.items.iter().map(|(kind, quantity)| Item {
            ticket_type_id: ids::ticket_type(state.seed, self.plan.event, *kind),
            quantity: *quantity,
        });
        let created_at = state.now(None);
        Order {
            id,
            buyer: self.user,
            event_id: ids::event(state.seed, self.plan.event),
            items: Items::new(items.collect()).expect("the plan's items are valid"),
            expected_total: self.expected,
            created_at,
            pay_by: created_at + PAYMENT_WINDOW,
        }
    }

    async fn cancel(&self, booking: BookingId) {
        for attempt in 0..TRIES {
            let user = self.user;
            // What is accepted of somebody else while the answer is under way came later.
            let was_accepted = self.world.lock().checks.is_cancel_accepted(booking);
            let answer = request(&self.world, Group::Booking, self.client(2), |ports: Ports| {
                Box::pin(async move {
                    let context = ports.context();
                    cancel_booking(&ports, context, user, booking).await
                })
            });
            match answer.await {
                Some(Ok(_)) => {
                    let state = &mut *self.world.lock();
                    let name = state.name(booking.0);
                    state.tell(|| format!("the buyer is told that {name} is cancelled"));
                    // Once more: a repetition is answered as before.
                    if !state.checks.cancel_accepted(booking) {
                        return;
                    }
                    state.check(&[booking], None);
                }
                Some(Err(CancelBookingError::Refused(why))) => {
                    if was_accepted {
                        let state = &mut *self.world.lock();
                        state.violate(10, || format!("a cancel is accepted, and then {why:?}"));
                    }
                    return;
                }
                Some(Err(CancelBookingError::NotFound)) => {
                    self.world.lock().violate(15, || "an accepted booking is not found".to_owned());
                    return;
                }
                Some(Err(CancelBookingError::Store(_))) | None => {}
            }
            wait(Duration::from_millis(300 << attempt.min(4))).await;
        }
    }

    /// Looks at the booking until it can be paid; `false`: it never can.
    async fn can_pay(&self, booking: BookingId) -> bool {
        for look in 0..LOOKS {
            let stage = |state: &State| {
                state.tables.bookings.get(booking).map(|booking| booking.stage.clone())
            };
            let payment_is_open = |state: &State| {
                let payment = state.tables.payments.payment(booking);
                payment.is_some_and(|payment| payment.attempts_left() > 0)
            };
            {
                let state = self.world.lock();
                match stage(&state) {
                    Some(Stage::Awaiting { payable: true, .. }) if payment_is_open(&state) => {
                        return true;
                    }
                    Some(Stage::Reserving | Stage::Awaiting { .. }) => {}
                    _ => return false,
                }
            }
            wait(Duration::from_millis(50 << look.min(9))).await;
        }
        false
    }

    /// Asks for a payment, until it is known to be under way or impossible.
    async fn pay(&self, booking: BookingId, number: u64, token: &'static str) {
        let key = self.key(format!("pay {}/{number}", self.plan.number));
        for attempt in 0..TRIES {
            let start = self.attempt(booking, &key, token);
            let id = start.attempt;
            let name = hash(&[61, self.plan.number, number, u64::from(attempt)]);
            let answer =
                request(&self.world, Group::Payment, self.client(3 + number), |ports: Ports| {
                    Box::pin(start_and_charge(ports, start, id, name))
                });
            match answer.await {
                Some(Ok(started)) => {
                    let (Started::Charge(_) | Started::Paid(_) | Started::Repeated(..)) = started;
                    if token == "tok_action_required" {
                        self.act(booking, number);
                    }
                    return self.outcome(booking).await;
                }
                Some(Err(StartAttemptError::KeyReused)) => {
                    self.world
                        .lock()
                        .violate(13, || format!("the key of payment {token} is refused"));
                    return;
                }
                Some(Err(StartAttemptError::Closed)) => return,
                Some(Err(StartAttemptError::Unresolved | StartAttemptError::NotPayable)) => {}
                Some(Err(StartAttemptError::Store(_))) | None => {}
            }
            wait(Duration::from_millis(300 << attempt.min(4))).await;
        }
    }

    /// Of three who are sent to the provider's page one approves, one declines and one does nothing.
    fn act(&self, booking: BookingId, number: u64) {
        let drawn = hash(&[self.world.lock().seed, 103, self.plan.number, number]);
        if drawn.is_multiple_of(3) {
            return;
        }
        let world = self.world.clone();
        let acting = Box::pin(async move {
            wait(Duration::from_millis((drawn >> 8) % 60_000)).await;
            act(world, booking, drawn % 3 == 1).await;
        });
        self.spawn(30 + number, acting);
    }

    fn attempt(&self, booking: BookingId, key: &RequestKey, token: &'static str) -> StartAttempt {
        let state = &mut *self.world.lock();
        let attempt = AttemptId(state.draw_id());
        state.checks.drew(key.clone(), attempt.0);
        let name = state.name(booking.0);
        state.tell(|| format!("the buyer pays {name} with {token}"));
        StartAttempt {
            attempt,
            booking_id: booking,
            user_id: self.user,
            method: token.to_owned(),
            key: Some((key.clone(), token.as_bytes().to_vec())),
            at: state.now(None),
        }
    }

    /// Waits for the outcome of the attempt that is under way, if there is one.
    async fn outcome(&self, booking: BookingId) {
        for look in 0..8 {
            let is_open = {
                let state = self.world.lock();
                let payment = state.tables.payments.payment(booking);
                payment.is_none_or(|it| it.attempts.iter().all(|attempt| attempt.outcome.is_some()))
            };
            if is_open {
                return;
            }
            wait(Duration::from_millis(100 << look)).await;
        }
    }
}

/// What `POST /payment/process` does: the charge is a task of the process, which goes on without its client.
async fn start_and_charge(
    ports: Ports,
    start: StartAttempt,
    id: AttemptId,
    name: u64,
) -> Result<Started, StartAttemptError> {
    let started = start_attempt(&ports, start).await?;
    if let Started::Charge(payment) = &started {
        let (charging, payment) = (ports.clone(), payment.clone());
        let task = Box::pin(async move {
            // Whatever fails here, the provider is asked again.
            let _ = charge_attempt(&charging, &charging, payment, id).await;
        });
        ports.world.lock().spawn(name, Some(ports.instance), task);
    }
    Ok(started)
}
