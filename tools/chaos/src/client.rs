//! A client that asks until it has an answer, and holds every answer to the contract.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use karcis_fleet::{Fleet, Person, Violation};
use karcis_kernel::{BookingId, Role, UserId};
use karcis_schemas::Service;
use karcis_testkit::Answer;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::seen::{Broken, Seen, booking_of};

/// For so long a client asks the same question, with the same key: what is refused or not answered any longer
/// is a lasting failure. A machine that does much else is slow to start what was killed.
const TIMEOUT: Duration = Duration::from_secs(180);
/// After which a client asks somewhere else.
const ANSWER: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);

const STATUSES: [&str; 8] = [
    "pending",
    "awaiting_payment",
    "confirming",
    "confirmed",
    "cancelling",
    "refunding",
    "cancelled",
    "rejected",
];

/// Somebody who uses the fleet, now through this door and now through that.
pub(crate) struct Client<'a> {
    fleet: &'a Fleet,
    seen: &'a Seen,
    user: UserId,
    role: Role,
    turn: AtomicUsize,
}

/// What is asked.
pub(crate) struct Question<'q> {
    pub(crate) method: Method,
    pub(crate) service: &'static Service,
    pub(crate) path: String,
    pub(crate) body: Option<&'q Value>,
    pub(crate) key: Option<&'q str>,
    /// The answers that the contract has for it; 401, 429 and 5xx are none of them.
    pub(crate) statuses: &'q [u16],
    pub(crate) about: Option<BookingId>,
}

impl Question<'_> {
    pub(crate) fn get(service: &'static Service, path: String) -> Self {
        Self {
            method: Method::GET,
            service,
            path,
            body: None,
            key: None,
            statuses: &[200],
            about: None,
        }
    }
}

/// An answer, and when it was asked for.
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) asked_at: Instant,
}

impl<'a> Client<'a> {
    pub(crate) fn new(fleet: &'a Fleet, seen: &'a Seen, user: UserId, role: Role) -> Self {
        Self { fleet, seen, user, role, turn: AtomicUsize::new(user.0.as_u128() as usize) }
    }

    /// With a token of now: a run may take longer than one is good for.
    pub(crate) fn person(&self) -> Person {
        let doors = self.fleet.instances();
        let door = doors[self.turn.fetch_add(1, Relaxed) % doors.len()].urls();
        self.fleet.somebody("somebody", self.user, self.role).through(door)
    }

    /// Asks until there is an answer that the contract has for this question.
    pub(crate) async fn asks(&self, question: Question<'_>) -> Result<Answered, Broken> {
        let began = Instant::now();
        loop {
            let asked_at = Instant::now();
            let why = match Answer::try_to(self.request(&question)).await {
                Err(_) => "no answer".to_owned(),
                Ok(answer) => {
                    self.is_in_shape(&question, &answer)?;
                    let status = answer.status.as_u16();
                    // payment-service is yet to hear of a payment, or an attempt is running.
                    let is_early = answer.headers.contains_key("retry-after");
                    if question.statuses.contains(&status) && !is_early {
                        return Ok(Answered { answer, asked_at });
                    }
                    let slug = answer.body["type"].as_str().unwrap_or_default().to_owned();
                    if status < 500 && !is_early {
                        return Err(self.broke(
                            12,
                            &question,
                            &format!("{status} {}", answer.body),
                        ));
                    }
                    format!("{status} {slug}")
                }
            };
            if began.elapsed() > TIMEOUT {
                let what = format!("for {} s it is told: {why}", TIMEOUT.as_secs());
                return Err(self.broke(13, &question, &what));
            }
            self.seen.retried(format!("{}: {why}", question.service.full_name()));
            sleep(PAUSE).await;
        }
    }

    fn request(&self, question: &Question<'_>) -> RequestBuilder {
        let request =
            self.person().request(question.method.clone(), question.service, &question.path);
        let request = request.timeout(ANSWER).header("prefer", "wait=5");
        let request = match question.key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        match question.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// What every answer has.
    fn is_in_shape(&self, question: &Question<'_>, answer: &Answer) -> Result<(), Broken> {
        let body = &answer.body;
        let fits = if answer.status.is_success() {
            let is_json = body.is_object() || answer.status == 204;
            let asked_for = question.about.is_none_or(|booking| booking_of(body) == Some(booking));
            is_json && asked_for
        } else {
            let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
            kind == Some("application/problem+json")
                && body["status"] == answer.status.as_u16()
                && body["type"].as_str().is_some_and(|slug| slug.starts_with("/problems/"))
                && body["title"].is_string()
                && body["trace_id"].is_string()
        };
        if fits { Ok(()) } else { Err(self.broke(12, question, &format!("{answer:?}"))) }
    }

    fn broke(&self, rule: u8, question: &Question<'_>, what: &str) -> Broken {
        let Question { method, service, path, key, about, .. } = question;
        let key = key.map(|key| format!(" with key {key}")).unwrap_or_default();
        let what = format!("{method} {path} of {}{key}: {what}", service.full_name());
        self.seen.broke(Violation::new(rule, *about, what))
    }
}

/// A booking as one client sees it, one answer after another.
pub(crate) struct View {
    pub(crate) booking: BookingId,
    version: i64,
    pub(crate) status: String,
}

impl View {
    /// At first.
    pub(crate) fn new(seen: &Seen, body: &Value) -> Result<Self, Broken> {
        let Some(booking) = booking_of(body) else {
            return Err(seen.broke(Violation::new(12, None, format!("no booking: {body}"))));
        };
        let mut view = Self { booking, version: 0, status: String::new() };
        view.becomes(seen, body)?;
        Ok(view)
    }

    /// Versions rise, what has ended stays, and the fields are those of the contract.
    pub(crate) fn becomes(&mut self, seen: &Seen, body: &Value) -> Result<(), Broken> {
        let broke = |rule, what: &str| {
            let what = format!("{what}: {} {} became {body}", self.status, self.version);
            Err(seen.broke(Violation::new(rule, Some(self.booking), what)))
        };
        let (Some(version), Some(status)) = (body["version"].as_i64(), body["status"].as_str())
        else {
            return broke(12, "it has no version or status");
        };
        let is_shaped = STATUSES.contains(&status)
            && body["items"].is_array()
            && body["can"].is_array()
            && body["tickets"].is_array()
            && body["created_at"].is_string();
        if !is_shaped {
            return broke(12, "it is not as the contract has it");
        }
        if version < self.version {
            return broke(6, "its version fell");
        }
        let has_changed = !self.status.is_empty() && status != self.status;
        if has_changed && version == self.version {
            return broke(6, "it changed without a version");
        }
        if has_changed && ["cancelled", "rejected"].contains(&self.status.as_str()) {
            return broke(6, "it had ended");
        }
        (self.version, self.status) = (version, status.to_owned());
        Ok(())
    }
}
