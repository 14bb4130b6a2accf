//! Events to try things with, made the way any organiser makes them.

use chrono::{DateTime, Duration, Utc};
use karcis_schemas::{EVENT, USER};
use serde_json::{Value, json};

use super::{LaunchError, services::Urls};
use crate::cli::Admin;

/// Publishes the demo events as the admin.
pub(super) async fn make(services: &Urls, admin: &Admin) -> Result<(), LaunchError> {
    let client = reqwest::Client::new();
    let credentials = json!({ "email": admin.admin_email, "password": admin.admin_password });
    let login = client.post(format!("{}/login", services.of(&USER))).json(&credentials);
    let session = send(login).await?;
    let token = session["access_token"].as_str().unwrap_or_default();
    for event in events(karcis_process::now()) {
        let create = client.post(format!("{}/event/create", services.of(&EVENT)));
        send(create.bearer_auth(token).json(&event)).await?;
    }
    Ok(())
}

async fn send(request: reqwest::RequestBuilder) -> Result<Value, LaunchError> {
    let failed = |error: reqwest::Error| LaunchError::Demo(error.to_string());
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let body = answer.text().await.map_err(failed)?;
    if !status.is_success() {
        return Err(LaunchError::Demo(format!("{status}: {body}")));
    }
    serde_json::from_str(&body).map_err(|error| LaunchError::Demo(error.to_string()))
}

/// A small free one, one that everybody wants, and one in another currency.
fn events(now: DateTime<Utc>) -> [Value; 3] {
    // 12:00 UTC is 19:00 in Jakarta and 20:00 in Bali.
    let evening = |days| {
        let day = now.date_naive() + Duration::days(days);
        day.and_hms_opt(12, 0, 0).map(|evening| evening.and_utc())
    };
    [
        json!({
            "title": "Rust Jakarta Meetup",
            "description": "Two talks, pizza, and time to talk.",
            "venue": "Ruang Kopi, Kemang",
            "starts_at": evening(14),
            "time_zone": "Asia/Jakarta",
            "ticket_types": [
                { "name": "Seat", "price": idr(0), "capacity": 40, "max_per_booking": 2 },
                { "name": "Workshop", "price": idr(50_000), "capacity": 12, "max_per_booking": 1 },
            ],
        }),
        json!({
            "title": "Senja di Senayan",
            "description": "The concert of the year, one night only.",
            "venue": "Gelora Bung Karno, Jakarta",
            "starts_at": evening(60),
            "ends_at": evening(60).map(|start| start + Duration::hours(4)),
            "time_zone": "Asia/Jakarta",
            "refundable_until": evening(53),
            "ticket_types": [
                { "name": "Festival", "price": idr(750_000), "capacity": 20_000 },
                { "name": "Tribune", "price": idr(1_250_000), "capacity": 5_000 },
                { "name": "VIP", "price": idr(2_500_000), "capacity": 100, "max_per_booking": 4 },
            ],
        }),
        json!({
            "title": "Ubud Jazz Weekend",
            "description": "Two evenings under the banyan tree.",
            "venue": "ARMA Museum, Ubud",
            "starts_at": evening(90),
            "ends_at": evening(91).map(|start| start + Duration::hours(4)),
            "time_zone": "Asia/Makassar",
            "refundable_until": evening(76),
            "ticket_types": [
                { "name": "One evening", "price": usd(4_500), "capacity": 600 },
                { "name": "Weekend", "price": usd(8_000), "capacity": 400 },
                { "name": "Terrace", "price": usd(15_000), "capacity": 40, "max_per_booking": 6 },
            ],
        }),
    ]
}

fn idr(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "IDR" })
}

/// In cents.
fn usd(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}
