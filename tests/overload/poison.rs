//! Messages that cannot be read, and messages about rows that cannot be read, amid a sale: they alone are
//! dead-lettered, and what is mended takes them when they are sent again.

use karcis_contracts::CHANNELS;
use karcis_fleet::{Fleet, Sale, Tolerance};
use karcis_kernel::Role;
use karcis_schemas::{SERVICES, Service};
use karcis_testkit::eventually;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::ALONE;

/// Of the booking's row in each service, what is spoiled and by what.
pub(crate) const SPOILED: [(&str, &str, &str); 3] = [
    ("bookings.booking", "items", "'{\"damaged\": true}'"),
    ("events.hold", "reservation", "'{\"shape\": 2}'"),
    ("payments.payment", "currency", "'XTS'"),
];

#[tokio::test]
async fn poison_of_every_type_stops_no_sale_and_what_is_mended_takes_its_message() {
    let _alone = ALONE.lock().await;
    let fleet = Fleet::of_processes(&[("KARCIS_RESEND_AFTER", "1s")]).await;
    let superuser = fleet.environment().superuser();
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let crowd = fleet.crowd(SPOILED.len());
    let mut bookings = Vec::new();
    for (buyer, spoiled) in crowd.iter().zip(SPOILED) {
        let booking = buyer.books(&concert, "VIP", 1).await;
        spoil(superuser, spoiled, booking.id.0).await;
        bookings.push(booking);
    }

    let sale = Sale::open(&fleet, Tolerance::Failures).await;
    let poisoning = async {
        let ended = sale.goes_on(0).await;
        for channel in &CHANNELS {
            for kind in channel.kinds {
                fleet.poisons(channel, kind).await;
            }
        }
        crowd[0].pays(&bookings[0], "tok_approved").await.is(200);
        crowd[1].pays(&bookings[1], "tok_approved").await.is(200);
        crowd[2].cancels(&bookings[2]).await.is(202);
        for service in SERVICES {
            let wanted = wanted(service);
            let is_dead = async || dead_letters(&fleet, service).await;
            eventually(is_dead).is(wanted).await;
        }
        let ended = sale.goes_on(ended).await;
        sale.goes_on(ended).await;
        sale.close();
    };
    let (bought, ()) = tokio::join!(sale.run(), poisoning);
    assert!(bought.len() > 20);

    for (booking, spoiled) in bookings.iter().zip(SPOILED) {
        mend(superuser, spoiled, booking.id.0).await;
    }
    for service in SERVICES {
        settle_dead_letters(&fleet, service, |_| true).await;
    }
    for ((buyer, booking), end) in
        crowd.iter().zip(&bookings).zip(["confirmed", "confirmed", "cancelled"])
    {
        eventually(|| buyer.sees(booking)).is(end).await;
    }
}

/// The types of the dead letters that it should have, sorted.
fn wanted(service: &Service) -> Vec<&'static str> {
    let own = CHANNELS.iter().filter(|channel| channel.reader == service.full_name());
    let mut kinds: Vec<_> = own.flat_map(|channel| channel.kinds).copied().collect();
    kinds.extend(match service.name {
        "booking" => Some("karcis.PaymentSucceeded.v1"),
        "event" => Some("karcis.ConfirmTickets.v1"),
        "payment" => Some("karcis.CancelPayment.v1"),
        _ => None,
    });
    kinds.sort_unstable();
    kinds
}

/// The types of its dead letters, sorted.
pub(crate) async fn dead_letters(fleet: &Fleet, service: &Service) -> Vec<String> {
    let dead = fleet.environment().dead_letters(*service.schema).await;
    let mut kinds: Vec<_> = dead.into_iter().filter_map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    kinds
}

/// Sends again what can be read and is of a type that is mended, and discards the rest.
pub(crate) async fn settle_dead_letters(
    fleet: &Fleet,
    service: &'static Service,
    is_mended: impl Fn(&str) -> bool,
) {
    let operator = fleet.person("Operator", Role::Operator);
    let path = format!("/ops/{}/dead-letters", service.name);
    let page = operator.get(service, &format!("{path}?limit=100")).await.is(200).body;
    for dead in page["items"].as_array().unwrap() {
        let is_good = dead["body_bytes"] != 2 && is_mended(dead["type"].as_str().unwrap());
        let act = if is_good { "redrive" } else { "discard" };
        let id = dead["dead_letter_id"].as_str().unwrap();
        let why = json!({"reason": "the rows are mended"});
        operator.post(service, &format!("{path}/{id}/{act}"), &why).await.is(200);
    }
}

/// Keeps what is there, and puts this in its place.
pub(crate) async fn spoil(
    superuser: &PgPool,
    (table, column, by): (&str, &str, &str),
    booking: Uuid,
) {
    let id = if table == "bookings.booking" { "id" } else { "booking_id" };
    let spoil = format!(
        "CREATE TABLE public.kept_{column} AS SELECT {id} AS id, {column} FROM {table} WHERE {id} = '{booking}';
         UPDATE {table} SET {column} = {by} WHERE {id} = '{booking}';"
    );
    sqlx::raw_sql(AssertSqlSafe(spoil)).execute(superuser).await.unwrap();
}

pub(crate) async fn mend(
    superuser: &PgPool,
    (table, column, _): (&str, &str, &str),
    booking: Uuid,
) {
    let id = if table == "bookings.booking" { "id" } else { "booking_id" };
    let mend = format!(
        "UPDATE {table} SET {column} = kept.{column} FROM public.kept_{column} AS kept
         WHERE {table}.{id} = kept.id AND kept.id = '{booking}'"
    );
    let mended = sqlx::query(AssertSqlSafe(mend)).execute(superuser).await.unwrap();
    assert_eq!(mended.rows_affected(), 1);
}
