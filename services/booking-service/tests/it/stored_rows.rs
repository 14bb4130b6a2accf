//! Rows that earlier releases wrote.

use karcis_kernel::{Role, UserId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, types::Json};
use uuid::Uuid;

use crate::harness::TestApp;

/// A confirmed booking as each release stored it, oldest first.
const BOOKINGS: [&str; 2] =
    [include_str!("../../golden/booking/1.json"), include_str!("../../golden/booking/2.json")];

#[tokio::test]
async fn rows_of_every_released_shape_are_shown() {
    let app = TestApp::start().await;
    for row in BOOKINGS {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let columns: Vec<&str> =
            row.as_object().expect("a row").keys().map(String::as_str).collect();
        let columns = columns.join(", ");
        let insert = format!(
            "INSERT INTO bookings.booking ({columns})
            SELECT {columns} FROM jsonb_populate_record(NULL::bookings.booking, $1)"
        );
        sqlx::query(AssertSqlSafe(insert))
            .bind(Json(&row))
            .execute(app.environment.superuser())
            .await
            .expect("the row can be stored");
        let id = |name: &str| row[name].as_str().expect("an id");
        let buyer = UserId(id("user_id").parse::<Uuid>().expect("a UUID"));
        let path = format!("/bookings/{}", id("id"));
        let booking = app.person(buyer, Role::Buyer).get(&path).await.body;
        assert_eq!(booking["status"], "confirmed", "{booking}");
        assert_eq!(booking["event"]["title"], row["offer"]["title"]);
        assert_eq!(booking["total"], row["offer"]["total"]);
        assert_eq!(booking["items"], row["offer"]["items"]);
        let tickets = row["tickets"].as_array().expect("tickets").iter();
        let codes: Vec<&Value> = tickets.map(|ticket| &ticket["code"]).collect();
        let shown = booking["tickets"].as_array().expect("tickets").iter();
        assert_eq!(shown.map(|ticket| &ticket["code"]).collect::<Vec<_>>(), codes);
        assert_eq!(booking["can"], json!(["cancel"]));
    }
    app.stop().await;
}
