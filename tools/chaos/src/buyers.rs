//! Buyers: they order, press twice, ask again, pay with all that the simulated provider takes, cancel, and walk
//! away.

use std::time::Duration;

use karcis_fleet::Violation;
use karcis_kernel::{BookingId, Role};
use karcis_schemas::{BOOKING, PAYMENT, USER};
use karcis_testkit::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    client::{Answered, Client, Question, View},
    plan::{Again, Cancel, Errand},
    seen::Broken,
    world::World,
};

/// Between two looks of somebody who waits.
const LOOK: Duration = Duration::from_millis(400);
/// How long anything but a payment window may take until it is settled.
const SETTLED: Duration = Duration::from_secs(240);

/// One order of one buyer.
struct Visit<'a> {
    world: &'a World<'a>,
    client: Client<'a>,
    errand: &'a Errand,
}

/// Does what the plan says.
pub(crate) async fn runs(world: &World<'_>, errand: &Errand) -> Result<(), Broken> {
    let user = world.buyers[errand.buyer];
    let client = Client::new(world.fleet, &world.seen, user, Role::Buyer);
    let visit = Visit { world, client, errand };
    if errand.number.is_multiple_of(8) {
        visit.client.asks(Question::get(&USER, "/profile".to_owned())).await?;
    }
    let (mut view, ordered_at) = visit.orders().await?;
    if errand.cancels == Some(Cancel::AtOnce) {
        visit.cancels(&mut view).await?;
        return visit.settles(&mut view).await;
    }
    visit.sees(&mut view, |status| status != "pending").await?;
    if ["awaiting_payment", "confirming", "confirmed"].contains(&view.status.as_str()) {
        world.seen.passed(ordered_at);
    }
    if errand.cancels == Some(Cancel::BeforePaying) {
        visit.cancels(&mut view).await?;
    } else if view.status == "awaiting_payment" {
        visit.pays(&mut view).await?;
    }
    visit.settles(&mut view).await?;
    if errand.cancels == Some(Cancel::Afterwards) {
        visit.cancels(&mut view).await?;
        visit.settles(&mut view).await?;
    }
    Ok(())
}

impl Visit<'_> {
    /// Orders, however often, and sees one booking for each key.
    async fn orders(&self) -> Result<(View, Instant), Broken> {
        let concert = self.world.concert(self.errand.event);
        let order = concert.order(&[(self.errand.ticket, self.errand.quantity)]);
        let key = format!("order-{}", self.errand.number);
        let Answered { answer, asked_at } = if self.errand.presses_twice {
            let (first, second) = tokio::join!(self.order(&order, &key), self.order(&order, &key));
            second.and(first)?
        } else {
            self.order(&order, &key).await?
        };
        let view = View::new(&self.world.seen, &answer.body)?;
        match self.errand.orders_again {
            None => {}
            Some(Again::UnderSameKey) => drop(self.order(&order, &key).await?),
            Some(Again::UnderNewKey) => {
                let other = self.order(&order, &format!("{key}-new")).await?;
                if View::new(&self.world.seen, &other.answer.body)?.booking == view.booking {
                    let what = "two keys are answered with one booking";
                    let violation = Violation::new(13, Some(view.booking), what);
                    return Err(self.world.seen.broke(violation));
                }
            }
        }
        Ok((view, asked_at))
    }

    async fn order(&self, order: &Value, key: &str) -> Result<Answered, Broken> {
        let question = Question {
            method: Method::POST,
            service: &BOOKING,
            path: "/booking/create".to_owned(),
            body: Some(order),
            key: Some(key),
            statuses: &[202],
            about: None,
        };
        let answered = self.client.asks(question).await?;
        let view = View::new(&self.world.seen, &answered.answer.body)?;
        self.world.seen.ordered(key, view.booking)?;
        Ok(answered)
    }

    /// Pays with one method after another, until one is taken.
    async fn pays(&self, view: &mut View) -> Result<(), Broken> {
        for (place, token) in self.errand.tokens.iter().enumerate() {
            let key = format!("pay-{}-{place}", self.errand.number);
            let answer = if self.errand.cancels == Some(Cancel::WhilePaying) {
                let pay = self.pay(view.booking, token, &key);
                let (paid, cancelled) = tokio::join!(pay, self.cancels(view));
                cancelled?;
                paid?
            } else if self.errand.presses_twice {
                let (first, second) = tokio::join!(
                    self.pay(view.booking, token, &key),
                    self.pay(view.booking, token, &key)
                );
                first?;
                second?
            } else {
                self.pay(view.booking, token, &key).await?
            };
            if answer.body["next_action"].is_object() {
                self.acts_on_page(view.booking).await;
            }
            if answer.status != 402 {
                break;
            }
        }
        Ok(())
    }

    async fn pay(&self, booking: BookingId, token: &str, key: &str) -> Result<Answer, Broken> {
        let body = json!({"booking_id": booking, "method": token});
        let question = Question {
            method: Method::POST,
            service: &PAYMENT,
            path: "/payment/process".to_owned(),
            body: Some(&body),
            key: Some(key),
            statuses: &[200, 202, 402, 409],
            // A declined payment is a problem, which names no booking.
            about: None,
        };
        let answer = self.client.asks(question).await?.answer;
        if answer.status == 200 {
            self.world.seen.promised(booking, |promise| promise.is_paid = true);
        }
        Ok(answer)
    }

    /// What a person does there is no part of the contract: whether it worked is seen on the booking.
    async fn acts_on_page(&self, booking: BookingId) {
        let Some(decision) = self.errand.on_page else { return };
        let path = format!("/simulated-provider/{booking}");
        let request = self.client.person().request(Method::POST, &PAYMENT, &path);
        let request = request.timeout(Duration::from_secs(10)).body(format!("decision={decision}"));
        let _ = request.send().await;
    }

    /// Cancels, and again: the second answer is as the first.
    async fn cancels(&self, view: &mut View) -> Result<(), Broken> {
        let body = json!({"booking_id": view.booking});
        for _ in 0..=usize::from(self.errand.presses_twice) {
            let question = Question {
                method: Method::POST,
                service: &BOOKING,
                path: "/booking/cancel".to_owned(),
                body: Some(&body),
                key: None,
                statuses: &[202, 409],
                about: None,
            };
            let answer = self.client.asks(question).await?.answer;
            if answer.status == 202 {
                self.world.seen.promised(view.booking, |promise| promise.is_cancelled = true);
                view.becomes(&self.world.seen, &answer.body)?;
            }
        }
        Ok(())
    }

    /// Looks until it is bought or on its way out: who walked away would see the same.
    async fn settles(&self, view: &mut View) -> Result<(), Broken> {
        let settled = ["confirmed", "cancelled", "rejected", "refunding"];
        self.sees(view, |status| settled.contains(&status)).await
    }

    async fn sees(&self, view: &mut View, wanted: impl Fn(&str) -> bool) -> Result<(), Broken> {
        let began = Instant::now();
        while !wanted(&view.status) {
            if began.elapsed() > SETTLED {
                let what = format!("for {} s it is {}", SETTLED.as_secs(), view.status);
                let violation = Violation::new(8, Some(view.booking), what);
                return Err(self.world.seen.broke(violation));
            }
            sleep(LOOK).await;
            let path = format!("/bookings/{}", view.booking);
            let about = Some(view.booking);
            let question = Question { about, ..Question::get(&BOOKING, path) };
            let answer = self.client.asks(question).await?.answer;
            view.becomes(&self.world.seen, &answer.body)?;
        }
        Ok(())
    }
}
