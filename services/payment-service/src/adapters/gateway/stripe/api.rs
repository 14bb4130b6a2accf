//! Stripe's API: the calls that payments need, and what is read of their answers.
//!
//! Guarantees: no log and no error has the secret key.

use std::{collections::HashMap, time::Duration};

use axum::body::Bytes;
use axum::http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use karcis_http::HttpsClient;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::pace::Pace;

/// The version whose fields are read here, whatever the account's own is.
const VERSION: &str = "2024-06-20";
/// An intent with its charge has some 10 KB, a full page of charges some 500 KB.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// An intent has few charges and refunds: what has more pages is an error.
const MAX_PAGES: usize = 20;
/// The header of an answer that was kept under its key.
const REPLAYED: &str = "Idempotent-Replayed";

/// Metadata of intents, charges and refunds: which booking they are for.
pub(super) const BOOKING: &str = "booking_id";
/// Metadata of intents and charges: the key of the charge.
pub(super) const CHARGE_KEY: &str = "charge_key";
/// Metadata of refunds: the key of the refund.
pub(super) const REFUND_KEY: &str = "refund_key";

/// Parameters of a call.
pub(super) type Form<'a> = &'a [(&'a str, &'a str)];
type Metadata = HashMap<String, String>;

/// A PaymentIntent, with its newest charge.
#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    pub status: IntentStatus,
    #[serde(default)]
    pub metadata: Metadata,
    /// Why it was not confirmed last time; cleared when it is updated.
    pub last_payment_error: Option<Refusal>,
    pub next_action: Option<NextAction>,
    pub latest_charge: Option<Charge>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(super) struct NextAction {
    pub redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedirectToUrl {
    pub url: String,
}

/// A try to take the money.
#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    id: String,
    pub status: String,
    pub captured: bool,
    /// Whether all of it went back.
    pub refunded: bool,
    #[serde(default)]
    pub metadata: Metadata,
}

/// Money that goes back, or went back.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    id: String,
    pub amount: i64,
    pub status: Option<String>,
    pub failure_reason: Option<String>,
    /// Null in old ones.
    pub metadata: Option<Metadata>,
}

/// An object of a list.
pub(super) trait Listed {
    /// Where the next page begins.
    fn id(&self) -> &str;
}

impl Listed for Charge {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    has_more: bool,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

/// Why Stripe did not do it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(rename = "type", default)]
    pub kind: String,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
}

impl Refusal {
    /// Whether this is its code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Refusal,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// Stripe did nothing.
    #[error("Stripe refuses: {0:?}")]
    Refused(Refusal),
    /// Stripe may have done it, or may do it the next time.
    #[error("Stripe gives no definite answer: {0}")]
    Unknown(String),
}

/// Stripe, as one account.
pub(super) struct Api {
    client: HttpsClient,
    url: String,
    key: HeaderValue,
    /// Whose turn it is of those for whom nobody waits.
    pub background: Pace,
}

impl Api {
    /// At this address, with this secret key, which has to be fit for a header.
    pub(super) fn new(url: &str, key: &str) -> Self {
        let key = HeaderValue::from_str(&format!("Bearer {key}"));
        let mut key = key.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        key.set_sensitive(true);
        let client = HttpsClient::new(url, MAX_BYTES);
        Self { client, url: url.to_owned(), key, background: Pace::new() }
    }

    /// A new intent, which holds no money yet; its name.
    pub(super) async fn create(&self, key: &str, form: Form<'_>) -> Result<String, ApiError> {
        Ok(self.post::<Created>("/v1/payment_intents", Some(key), form).await?.id)
    }

    /// The intent as it is now.
    pub(super) async fn retrieve(&self, intent: &str) -> Result<Intent, ApiError> {
        self.get(&path(intent, ""), WITH_CHARGE).await
    }

    /// Says for which charge the intent is confirmed next. It has no key, as it may be said twice.
    pub(super) async fn update(&self, intent: &str, form: Form<'_>) -> Result<(), ApiError> {
        self.post::<Created>(&path(intent, ""), None, form).await.map(drop)
    }

    /// Tries to take the money; the intent after that.
    pub(super) async fn confirm(
        &self,
        intent: &str,
        key: &str,
        form: Form<'_>,
    ) -> Result<Intent, ApiError> {
        let form = [form, WITH_CHARGE].concat();
        self.post(&path(intent, "/confirm"), Some(key), &form).await
    }

    /// Closes the intent for good; the intent after that. It has no key, as a saved refusal would be
    /// repeated when the intent can be cancelled.
    pub(super) async fn cancel(&self, intent: &str) -> Result<Intent, ApiError> {
        self.post(&path(intent, "/cancel"), None, WITH_CHARGE).await
    }

    /// Gives money back.
    pub(super) async fn refund(&self, key: &str, form: Form<'_>) -> Result<Refund, ApiError> {
        self.post("/v1/refunds", Some(key), form).await
    }

    /// All charges (`/v1/charges`) or refunds (`/v1/refunds`) of the intent, page by page.
    pub(super) async fn list<T: Listed + DeserializeOwned>(
        &self,
        path: &str,
        intent: &str,
    ) -> Result<Vec<T>, ApiError> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..MAX_PAGES {
            let mut query = vec![("payment_intent", intent), ("limit", "100")];
            query.extend(all.last().map(|last| ("starting_after", last.id())));
            let page: Page<T> = self.get(path, &query).await?;
            let is_empty = page.data.is_empty();
            all.extend(page.data);
            if !page.has_more || is_empty {
                return Ok(all);
            }
        }
        Err(ApiError::Unknown(format!("{path} of {intent} has no end")))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: Form<'_>) -> Result<T, ApiError> {
        let query = serde_urlencoded::to_string(query).map_err(unknown)?;
        let request = Request::get(format!("{}{path}?{query}", self.url));
        read(path, &self.send(request.body(Bytes::new()).map_err(unknown)?).await?)
    }

    /// Stripe keeps an answer for 24 hours and repeats it to who asks with the same key, a failure of its own
    /// (500) too: then it is asked with another key. That is safe, as nothing here moves money twice: an intent
    /// that is made twice is confirmed once, captures once, and gives back no more than it has.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        form: Form<'_>,
    ) -> Result<T, ApiError> {
        let form = serde_urlencoded::to_string(form).map_err(unknown)?;
        let ask = async |key: Option<&str>| {
            let mut request = Request::post(format!("{}{path}", self.url))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            self.send(request.body(Bytes::from(form.clone())).map_err(unknown)?).await
        };
        let answer = ask(key).await?;
        let is_kept = answer.status().is_server_error() && answer.headers().contains_key(REPLAYED);
        match key.filter(|_| is_kept) {
            Some(key) => read(path, &ask(Some(&format!("{key}/{}", Uuid::now_v7()))).await?),
            None => read(path, &answer),
        }
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, ApiError> {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.key.clone());
        headers.insert("Stripe-Version", HeaderValue::from_static(VERSION));
        let answer = self.client.send(request).await.map_err(ApiError::Unknown)?;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            let seconds = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
            self.background.pause(seconds.and_then(|it| it.parse().ok()).map(Duration::from_secs));
        }
        Ok(answer)
    }
}

/// With the newest charge itself, not only its name.
const WITH_CHARGE: Form<'static> = &[("expand[]", "latest_charge")];

fn path(intent: &str, operation: &str) -> String {
    format!("/v1/payment_intents/{intent}{operation}")
}

fn unknown(error: impl ToString) -> ApiError {
    ApiError::Unknown(error.to_string())
}

fn read<T: DeserializeOwned>(path: &str, answer: &Response<Bytes>) -> Result<T, ApiError> {
    match answer.status() {
        StatusCode::OK => serde_json::from_slice(answer.body())
            .map_err(|error| ApiError::Unknown(format!("{path}: {error}"))),
        _ => Err(failure(path, answer)),
    }
}

/// Only a request that Stripe has read and refuses was surely not done. Too many requests, another one with the
/// same key or of the same intent, a wrong secret key, and what is not found say nothing of an earlier request.
fn failure(path: &str, answer: &Response<Bytes>) -> ApiError {
    let status = answer.status();
    let Ok(ErrorBody { error }) = serde_json::from_slice(answer.body()) else {
        return ApiError::Unknown(format!("{path}: {status}"));
    };
    let is_busy = ["lock_timeout", "idempotency_key_in_use", "rate_limit"];
    let is_busy = error.code.as_deref().is_some_and(|code| is_busy.contains(&code));
    let is_read = [StatusCode::BAD_REQUEST, StatusCode::PAYMENT_REQUIRED].contains(&status);
    let is_definite = ["card_error", "invalid_request_error"].contains(&error.kind.as_str());
    match is_read && is_definite && !is_busy {
        true => ApiError::Refused(error),
        false => ApiError::Unknown(format!("{path}: {status} {error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// stripe-mock compares each request with Stripe's OpenAPI document, and remembers nothing.
    #[tokio::test]
    #[ignore = "tests/stripe-mock/run starts what it needs"]
    async fn every_request_is_one_of_stripes_openapi() {
        let url = std::env::var("STRIPE_MOCK_URL").expect("stripe-mock's address");
        let api = Api::new(&url, "sk_test_123");
        let form = [
            ("amount", "75000000"),
            ("currency", "idr"),
            ("automatic_payment_methods[enabled]", "true"),
            ("capture_method", "automatic"),
            ("metadata[booking_id]", "01980a5c-2f7e-7000-8000-2f3a4b5c6d7e"),
        ];
        let intent = api.create("intent/1", &form).await.expect("an intent is made");
        let known = api.retrieve(&intent).await.expect("it is known");
        assert_ne!(known.status, IntentStatus::Unknown);
        let form = [("metadata[charge_key]", "charge/1")];
        api.update(&intent, &form).await.expect("it is updated");
        let form = [("payment_method", "pm_card_visa"), ("return_url", "https://shop.example")];
        api.confirm(&intent, "charge/1", &form).await.expect("it is confirmed");
        api.cancel(&intent).await.expect("it is cancelled");
        let form = [
            ("payment_intent", intent.as_str()),
            ("amount", "75000000"),
            ("metadata[refund_key]", "refund/1"),
        ];
        api.refund("refund/1", &form).await.expect("money goes back");
        let charges: Vec<Charge> = api.list("/v1/charges", &intent).await.expect("they are listed");
        let refunds: Vec<Refund> = api.list("/v1/refunds", &intent).await.expect("they are listed");
        assert!(!charges.is_empty() && !refunds.is_empty());
        // It does compare.
        let wrong = api.refund("refund/2", &[("payment_intention", intent.as_str())]).await;
        assert!(matches!(wrong, Err(ApiError::Refused(_))), "{wrong:?}");
    }
}
