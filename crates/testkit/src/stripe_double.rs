//! A double of Stripe: it keeps intents, charges and refunds as Stripe does, repeats its answer to a key that it
//! knows, and can be made to fail. It takes Stripe's own test methods, and two of its own.

mod account;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{AppendHeaders, IntoResponse, Response},
};
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use karcis_kernel::BookingId;
use serde_json::{Value, json};
use sha2::Sha256;

use self::account::{Account, Done, Form, error};
use crate::{Answer, Ledger, apart};

/// The account's secret key.
pub const STRIPE_KEY: &str = "sk_test_double";
/// Stripe, until it is dropped.
#[derive(Clone)]
pub struct StripeDouble {
    pub url: String,
    account: Arc<Mutex<Account>>,
}

/// How long who is answered with 429 has to wait.
pub const STRIPE_RETRY_AFTER: Duration = Duration::from_secs(4);

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripeFault {
    /// It is answered with this status, and nothing is done. An answer of 500 is kept under the call's key.
    Status(u16),
    /// It is done, and the connection breaks before its answer.
    AnswerLost,
    /// The connection breaks before it is done.
    NeverArrives,
}

impl StripeDouble {
    /// An account without any payment.
    pub async fn start() -> Self {
        let listener = apart::listener().await;
        let address = listener.local_addr().expect("the listener has an address");
        let account = Arc::new(Mutex::new(Account::default()));
        let routes = Router::new().fallback(call).with_state(account.clone());
        apart::spawn(async move { axum::serve(listener, routes).await });
        Self { url: format!("http://{address}"), account }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call whose method and path end so meets this fault.
    pub fn fails(&self, call: &str, fault: StripeFault) {
        self.lock().faults.push((call.to_owned(), fault));
    }

    /// Asserts that every fault has struck.
    #[track_caller]
    pub fn has_failed(&self) {
        assert_eq!(self.lock().faults, [], "these calls never came");
    }

    /// How many calls there were whose method and path begin and end so.
    pub fn calls(&self, begin: &str, end: &str) -> usize {
        self.times(begin, end).len()
    }

    /// When these calls came.
    pub fn times(&self, begin: &str, end: &str) -> Vec<Instant> {
        let is_one = |call: &str| call.starts_with(begin) && call.ends_with(end);
        let calls = &self.lock().calls;
        calls.iter().filter(|(_, call)| is_one(call)).map(|(at, _)| *at).collect()
    }

    /// Stripe forgets all idempotency keys, as it may after 24 hours.
    pub fn forgets_keys(&self) {
        self.lock().answered.clear();
    }

    /// How many intents the booking has.
    pub fn intents(&self, booking: BookingId) -> usize {
        self.lock().intents.values().filter(|intent| is_of(intent, booking)).count()
    }

    /// What came and went back for this booking, in Stripe's units.
    pub fn ledger(&self, booking: BookingId) -> Ledger {
        let account = self.lock();
        let sum = |objects: &[Value]| {
            let done =
                objects.iter().filter(|it| is_of(it, booking) && it["status"] == "succeeded");
            let amounts: Vec<i64> = done.filter_map(|it| it["amount"].as_i64()).collect();
            (amounts.len() as i64, amounts.iter().sum())
        };
        let ((captures, captured), (refunds, refunded)) =
            (sum(&account.charges), sum(&account.refunds));
        Ledger { captures, captured, refunds, refunded }
    }

    /// The buyer does what the intent waits for, or refuses it.
    pub fn buyer_acts(&self, booking: BookingId, approves: bool) {
        let account = &mut *self.lock();
        let waits = |it: &&mut Value| is_of(it, booking) && it["status"] == "requires_action";
        let name = account.intents.values_mut().find(waits).expect("an intent waits")["id"].clone();
        let name = name.as_str().expect("a name").to_owned();
        if approves {
            account.capture(&name);
        } else {
            let error = json!({"type": "invalid_request_error",
                "code": "payment_intent_authentication_failure"});
            account.declined(&name, error);
        }
    }

    /// The booking's card takes money back from now on.
    pub fn takes_refunds(&self, booking: BookingId) {
        let account = &mut *self.lock();
        let of_booking = account.intents.values_mut().filter(|it| is_of(it, booking));
        of_booking.for_each(|it| it["payment_method"] = json!("pm_card_visa"));
    }

    /// The booking's pending refunds are done.
    pub fn refunds_are_done(&self, booking: BookingId) {
        let pending = |it: &&mut Value| is_of(it, booking) && it["status"] == "pending";
        self.lock()
            .refunds
            .iter_mut()
            .filter(pending)
            .for_each(|it| it["status"] = json!("succeeded"));
    }

    /// What a service answers to a webhook about the booking's intent, which is signed with this secret so many
    /// seconds from now.
    pub async fn webhook(
        &self,
        to: &str,
        secret: &str,
        booking: BookingId,
        seconds: i64,
    ) -> Answer {
        let intent = self.lock().intents.values().find(|it| is_of(it, booking)).cloned();
        let event = json!({"id": "evt_1", "object": "event", "type": "payment_intent.succeeded",
            "data": {"object": intent}});
        let (time, body) = (karcis_process::now().timestamp() + seconds, event.to_string());
        let mut mac: Hmac<Sha256> =
            KeyInit::new_from_slice(secret.as_bytes()).expect("a key may have any length");
        mac.update(format!("{time}.{body}").as_bytes());
        let mac = mac.finalize().into_bytes();
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = format!("t={time},v1={hex},v0=00");
        let request = reqwest::Client::new().post(format!("{to}/payment/status"));
        Answer::to(request.header("Stripe-Signature", signature).body(body)).await
    }
}

fn is_of(object: &Value, booking: BookingId) -> bool {
    object["metadata"]["booking_id"] == booking.to_string()
}

async fn call(
    State(account): State<Arc<Mutex<Account>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("authorization") != Some(&format!("Bearer {STRIPE_KEY}")) {
        return answer(error(401, json!({"type": "invalid_request_error"})));
    }
    let account = &mut *account.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path();
    let call = format!("{method} {path}");
    let fault = account.faults.iter().position(|(end, _)| call.ends_with(end.as_str()));
    account.calls.push((Instant::now(), call));
    let fault = fault.map(|at| account.faults.remove(at).1);
    let text = if method == Method::POST { body.to_vec() } else { query(&uri) };
    let form: Form = serde_urlencoded::from_bytes(&text).expect("a form");
    let key = header("idempotency-key");
    match fault {
        Some(StripeFault::Status(status)) => {
            let code = if status == 409 { "idempotency_key_in_use" } else { "of_a_test" };
            let done = error(status, json!({"type": "api_error", "code": code}));
            if status == 500 {
                account.keep(key, &method, path, &form, &done);
            }
            let wait = (status == 429).then(|| ("retry-after", STRIPE_RETRY_AFTER.as_secs()));
            let headers = AppendHeaders(wait.map(|(name, seconds)| (name, seconds.to_string())));
            return (headers, answer(done)).into_response();
        }
        Some(StripeFault::NeverArrives) => return broken(),
        Some(StripeFault::AnswerLost) | None => {}
    }
    let is_first = !key.is_some_and(|key| account.answered.contains_key(key));
    let done = account.once(key, &method, path, &form);
    let method = form.get("payment_method").filter(|_| is_first).map(String::as_str);
    match (fault, method) {
        (Some(StripeFault::AnswerLost), _)
        | (None, Some("pm_answer_lost" | "pm_never_arrives")) => broken(),
        _ if is_first => answer(done),
        _ => (AppendHeaders([("idempotent-replayed", "true")]), answer(done)).into_response(),
    }
}

fn query(uri: &Uri) -> Vec<u8> {
    uri.query().unwrap_or_default().as_bytes().to_vec()
}

fn answer((status, body): Done) -> Response {
    (StatusCode::from_u16(status).expect("a status"), Json(body)).into_response()
}

/// The connection breaks in the middle of the answer.
fn broken() -> Response {
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("of a test")) });
    Body::from_stream(broken).into_response()
}
