//! Ordinary buyers: each at an address of their own, buys a ticket, and thinks before the next.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::stack::{Event, Stack};

const BUYERS: u8 = 16;
const PURCHASE_EVERY: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After how long a purchase counts as refused.
const PURCHASE_TIMEOUT: Duration = Duration::from_secs(30);

/// A person with an account.
pub(crate) struct Buyer {
    pub(crate) email: String,
    http: reqwest::Client,
    token: String,
}

/// What the buyers met.
#[derive(Default)]
pub(crate) struct Bought {
    pub(crate) creates: Vec<Duration>,
    /// From the create to a ticket.
    pub(crate) confirmed: Vec<Duration>,
    pub(crate) log_ins: Vec<Duration>,
    /// What was answered in place of success.
    pub(crate) refused: Vec<String>,
}

const PASSWORD: &str = "seven loud concerts";

/// Registers them all.
pub(crate) async fn register(stack: &Stack) -> Vec<Buyer> {
    let mut buyers = Vec::new();
    for number in 1..=BUYERS {
        let address = IpAddr::V4(Ipv4Addr::new(127, 1, 0, number));
        let http = reqwest::Client::builder().local_address(address).build();
        let http = http.expect("a client can be made");
        let email = format!("buyer.{number}@example.com");
        let body = json!({"email": email, "password": PASSWORD, "name": "An ordinary buyer"});
        let session = answer(http.post(stack.url("user", "/register")).json(&body)).await;
        let token = session.expect("a buyer registers")["access_token"].as_str().map(str::to_owned);
        buyers.push(Buyer { email, http, token: token.expect("a session has a token") });
    }
    buyers
}

/// They buy until then.
pub(crate) async fn buy(stack: &Stack, event: &Event, buyers: &[Buyer], until: Instant) -> Bought {
    let each = join_all(buyers.iter().map(async |buyer| {
        let mut bought = Bought::default();
        let mut pace = interval(PURCHASE_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < until {
            pace.tick().await;
            if let Err(refused) = buyer.buys(stack, event, &mut bought).await {
                bought.refused.push(refused);
            }
        }
        bought
    }));
    let mut all = Bought::default();
    for bought in each.await {
        all.creates.extend(bought.creates);
        all.confirmed.extend(bought.confirmed);
        all.log_ins.extend(bought.log_ins);
        all.refused.extend(bought.refused);
    }
    all
}

impl Buyer {
    /// Logs in, looks at the list, orders, pays, and waits for the ticket.
    async fn buys(&self, stack: &Stack, event: &Event, bought: &mut Bought) -> Result<(), String> {
        let start = Instant::now();
        let body = json!({"email": self.email, "password": PASSWORD});
        answer(self.http.post(stack.url("user", "/login")).json(&body)).await?;
        bought.log_ins.push(start.elapsed());
        answer(self.http.get(stack.url("event", "/events"))).await?;

        let start = Instant::now();
        let create = self.http.post(stack.url("booking", "/booking/create")).json(&event.order());
        let booking = answer(create.bearer_auth(&self.token)).await?;
        bought.creates.push(start.elapsed());
        let id = booking["booking_id"].as_str().ok_or("a booking without an id")?;
        self.sees(stack, id, "awaiting_payment").await?;
        let payment = json!({"booking_id": id, "method": "tok_approved"});
        let pay = self.http.post(stack.url("payment", "/payment/process")).json(&payment);
        answer(pay.bearer_auth(&self.token)).await?;
        self.sees(stack, id, "confirmed").await?;
        bought.confirmed.push(start.elapsed());
        Ok(())
    }

    async fn sees(&self, stack: &Stack, id: &str, status: &str) -> Result<(), String> {
        let start = Instant::now();
        let url = stack.url("booking", &format!("/bookings/{id}"));
        loop {
            let booking = answer(self.http.get(&url).bearer_auth(&self.token)).await?;
            if booking["status"] == status {
                return Ok(());
            }
            if start.elapsed() > PURCHASE_TIMEOUT {
                return Err(format!("{} in place of {status}", booking["status"]));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// The body of a successful answer; else what it says.
async fn answer(request: RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    let (url, status) = (answer.url().clone(), answer.status());
    let body = answer.text().await.map_err(|error| format!("{error:?}"))?;
    if status.is_success() || status == StatusCode::ACCEPTED {
        serde_json::from_str(&body).map_err(|error| error.to_string())
    } else {
        Err(format!("{}: {status} {body}", url.path()))
    }
}
