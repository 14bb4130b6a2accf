//! Ends people's sessions.

use karcis_schemas::USER;
use serde_json::json;
use uuid::Uuid;

use super::{OpsError, Why, client::Client, table::Shown};

/// Whose sessions.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whose {
    /// The id of a person
    user: Option<Uuid>,
    /// Everybody's, your own too
    #[arg(long)]
    all: bool,
}

pub(super) async fn end(client: &Client, whose: &Whose, why: &Why) -> Result<Shown, OpsError> {
    let path = match whose.user {
        Some(user) => format!("/ops/user/{user}/sessions/end"),
        None => "/ops/user/sessions/end".to_owned(),
    };
    let ended = client.post(&USER, &path, &json!({"reason": why.reason}), "ended").await?;
    let count = &ended["ended"];
    let text = format!("{count} sessions ended; access tokens stay good for up to 15 minutes");
    Ok(Shown::new(text, ended))
}
