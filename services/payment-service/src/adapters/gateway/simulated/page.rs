//! The page of the simulated provider, where a person approves or declines a payment.

use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use karcis_database::{Pool, StoreError};
use karcis_http::{PathId, Problem, RawBody};
use karcis_kernel::{Currency, Timestamp};
use karcis_process::now;
use uuid::Uuid;

use super::ledger;

/// The page's path, before the intent.
pub(super) const PATH: &str = "/simulated-provider/";

/// It loads nothing, is shown in no frame, and sends its form back only.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page of each intent. No document lists it: it is no part of the API.
pub(in crate::adapters::gateway) fn pages(pool: Pool) -> Router {
    Router::new().route(&format!("{PATH}{{intent}}"), get(show).post(decide)).with_state(pool)
}

/// The intent's newest charge that waits for its buyer, or has waited.
#[derive(sqlx::FromRow)]
struct ChargeRow {
    key: String,
    amount: i64,
    currency: String,
    due_at: Timestamp,
    answer: Option<String>,
    is_voided: bool,
}

async fn charge(pool: &Pool, intent: Uuid) -> Result<ChargeRow, Problem> {
    let charge: Result<Option<ChargeRow>, _> = sqlx::query_as(
        "SELECT key, amount, currency, due_at, answer,
             EXISTS (SELECT FROM intent WHERE id = charge.intent AND fate = 'voided') AS is_voided
         FROM charge WHERE intent = $1 AND approved IS NOT NULL ORDER BY asked_at DESC LIMIT 1",
    )
    .bind(intent)
    .fetch_optional(pool)
    .await;
    charge.map_err(StoreError::from)?.ok_or_else(Problem::not_found)
}

async fn show(State(pool): State<Pool>, PathId(intent): PathId) -> Result<Response, Problem> {
    let charge = charge(&pool, intent).await?;
    let state = match charge.answer.as_deref() {
        Some("captured") => "<p>It is paid. You can go back to the shop.</p>",
        Some(_) => "<p>It is not paid. You can go back to the shop and try again.</p>",
        None if charge.is_voided || charge.due_at <= now() => {
            "<p>It is too late to pay this. You can go back to the shop.</p>"
        }
        None => {
            "<form method=\"post\">\
             <button name=\"decision\" value=\"approve\">Approve</button> \
             <button name=\"decision\" value=\"decline\">Decline</button></form>"
        }
    };
    let amount = amount(charge.amount, &charge.currency);
    let until = charge.due_at.format("%Y-%m-%d %H:%M:%S UTC");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Simulated payment provider</title><h1>Simulated payment provider</h1>\
         <p>No money moves here. A shop asks for <strong>{amount}</strong> \
         for booking {intent}, until {until}.</p>{state}</html>\n"
    );
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")];
    Ok((headers, Html(page)).into_response())
}

fn amount(amount: i64, currency: &str) -> String {
    let decimals = currency.parse::<Currency>().map_or(0, Currency::decimals);
    match (10_i64.pow(decimals), decimals as usize) {
        (_, 0) => format!("{currency} {amount}"),
        (unit, width) => format!("{currency} {}.{:0width$}", amount / unit, amount % unit),
    }
}

/// What the buyer decided. Only the first decision counts, and none after the time or once voided.
async fn decide(
    State(pool): State<Pool>,
    PathId(intent): PathId,
    RawBody(decision): RawBody,
) -> Result<Redirect, Problem> {
    let charge = charge(&pool, intent).await?;
    let decided = match decision.as_slice() {
        b"decision=approve" => approve(&pool, &charge.key).await,
        b"decision=decline" => decline(&pool, &charge.key).await,
        _ => return Err(Problem::invalid_field("decision", "give approve or decline")),
    };
    decided?;
    Ok(Redirect::to(&format!("{PATH}{intent}")))
}

async fn approve(pool: &Pool, key: &str) -> Result<(), StoreError> {
    let approve = "UPDATE charge SET approved = true
                   WHERE key = $1 AND answer IS NULL AND NOT approved AND due_at > $2";
    sqlx::query(approve).bind(key).bind(now()).execute(pool).await?;
    ledger::settle(pool, &[key], now()).await?;
    Ok(())
}

async fn decline(pool: &Pool, key: &str) -> Result<(), StoreError> {
    let decline = "WITH declined AS (
                       UPDATE charge SET answer = 'declined', decline_code = 'action_declined'
                       WHERE key = $1 AND answer IS NULL AND NOT approved AND due_at > $2
                       RETURNING intent
                   )
                   INSERT INTO webhook (intent) SELECT intent FROM declined";
    sqlx::query(decline).bind(key).bind(now()).execute(pool).await?;
    Ok(())
}
