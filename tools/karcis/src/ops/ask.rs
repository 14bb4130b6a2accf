//! Has the provider asked about a payment.

use karcis_schemas::PAYMENT;
use serde_json::json;
use uuid::Uuid;

use super::{
    OpsError, Why,
    client::Client,
    table::{Shown, cell},
};

pub(super) async fn ask(client: &Client, id: Uuid, why: &Why) -> Result<Shown, OpsError> {
    let path = format!("/ops/payment/{id}/ask");
    let payment = client.post(&PAYMENT, &path, &json!({"reason": why.reason}), "waits_for").await?;
    let status = cell(&payment, "status");
    let text = format!(
        "the provider is asked now; before its answer the payment is {status}: `karcis ops why {id}` \
         shows it after that"
    );
    Ok(Shown::new(text, payment))
}
