//! What the simulated provider does by itself: it carries out what is due, and says so in webhooks, each
//! of which it sends until it is taken.

use std::time::Duration;

use futures_util::future::join_all;
use karcis_database::{Pool, StoreError};
use karcis_kernel::BookingId;
use karcis_process::{CancellationToken, chain, now};
use reqwest::{Client, redirect::Policy};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use uuid::Uuid;

use super::{SIGNATURE, Settings, ledger, refunds};
use crate::adapters::gateway::signature::sign;

/// How often it looks for what is due.
const TICK: Duration = Duration::from_millis(250);
/// How long a webhook waits for its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A webhook's body.
#[derive(Deserialize, Serialize)]
struct Webhook {
    /// The booking whose payment has changed.
    intent: BookingId,
}

/// The intent that a webhook is about.
pub(super) fn intent(body: &[u8]) -> Option<BookingId> {
    serde_json::from_slice(body).ok().map(|webhook: Webhook| webhook.intent)
}

/// Works until `stopping`.
pub(in crate::adapters::gateway) async fn work(
    pool: Pool,
    settings: Settings,
    stopping: CancellationToken,
) {
    let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(TIMEOUT).build();
    let client = client.unwrap_or_default();
    while stopping.run_until_cancelled(sleep(TICK)).await.is_some() {
        let working = async {
            ledger::settle_due(&pool, now()).await?;
            refunds::end_due(&pool, now()).await?;
            send_due(&pool, &client, &settings).await
        };
        if let Some(Err(error)) = stopping.run_until_cancelled(working).await {
            tracing::warn!(error = %chain(&error), "the simulated provider does not work");
        }
    }
}

/// Sends up to 64 webhooks that are due. One that is not taken is sent again, 1 s later, then 2 s, and so
/// on up to 5 min, for a day.
async fn send_due(pool: &Pool, client: &Client, settings: &Settings) -> Result<(), StoreError> {
    let due: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "UPDATE webhook
         SET tries = tries + 1,
             next_try = now() + least(power(2, least(tries, 9)) * interval '1 s', interval '5 min')
                 + interval '10 s'
         WHERE id IN (SELECT id FROM webhook WHERE next_try <= now()
                      ORDER BY next_try LIMIT 64 FOR UPDATE SKIP LOCKED)
         RETURNING id, intent",
    )
    .fetch_all(pool)
    .await?;
    if due.is_empty() {
        return Ok(());
    }
    let sending = due.iter().map(async |(id, intent)| {
        let taken = send(client, settings, BookingId(*intent)).await;
        if let Err(reason) = &taken {
            tracing::info!(booking_id = %intent, reason, "a webhook of the simulated provider is not taken");
        }
        (*id, taken.is_ok())
    });
    let sent = join_all(sending).await;
    let of =
        |wanted: bool| sent.iter().filter(move |(_, taken)| *taken == wanted).map(|(id, _)| *id);
    sqlx::query(
        "WITH missed AS (
             UPDATE webhook SET next_try = next_try - interval '10 s' WHERE id = ANY($1)
         )
         DELETE FROM webhook WHERE id = ANY($2) OR id = ANY($1) AND created_at < now() - interval '1 day'",
    )
    .bind(of(false).collect::<Vec<_>>())
    .bind(of(true).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

async fn send(client: &Client, settings: &Settings, intent: BookingId) -> Result<(), String> {
    let body = serde_json::to_vec(&Webhook { intent }).map_err(|error| error.to_string())?;
    let secret = settings.secrets.first().map_or("", String::as_str);
    let request = client
        .post(&settings.webhook_url)
        .header(SIGNATURE, sign(secret, now(), &body))
        .header("Content-Type", "application/json")
        .body(body);
    let answer = request.send().await.map_err(|error| chain(&error).to_string())?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(status.to_string()),
    }
}
