//! Table `sales_day`: what was sold and given back, by event, day and ticket type.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use karcis_database::{Connection, Pool, StoreError};
use karcis_kernel::{EventId, Money, Timestamp};
use uuid::Uuid;

use super::rows::{select_events, with_ticket_types};
use crate::{
    adapters::time_zone::local_date,
    application::StockChange,
    domain::{DaySales, Hold, Reservation, Sales, TicketTypeSales},
};

/// How many days are shown: they fit an answer of 64 KiB beside 20 ticket types.
const DAYS: i64 = 180;

/// What is added to a row.
#[derive(Default)]
struct Counts {
    sold: i64,
    refunded: i64,
    revenue: i64,
    refunds: i64,
}

/// Counts what these changes sell and free again, in their transaction and under their events' locks: one row for
/// each event, day and ticket type, however many holds there are.
pub(super) async fn count(
    connection: &mut Connection,
    changes: &[StockChange],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    const UPSERT: &str = "
        INSERT INTO sales_day AS known (event_id, day, ticket_type_id, sold, refunded, revenue, refunds)
        SELECT * FROM UNNEST($1::uuid[], $2::date[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bigint[])
        ON CONFLICT (event_id, day, ticket_type_id) DO UPDATE
        SET sold = known.sold + EXCLUDED.sold, refunded = known.refunded + EXCLUDED.refunded,
            revenue = known.revenue + EXCLUDED.revenue, refunds = known.refunds + EXCLUDED.refunds";
    let counts = counts(changes, at);
    if counts.is_empty() {
        return Ok(());
    }
    let keys = || counts.keys();
    sqlx::query(UPSERT)
        .bind(keys().map(|(event_id, ..)| *event_id).collect::<Vec<Uuid>>())
        .bind(keys().map(|(_, day, _)| *day).collect::<Vec<NaiveDate>>())
        .bind(keys().map(|(.., ticket_type_id)| *ticket_type_id).collect::<Vec<Uuid>>())
        .bind(counts.values().map(|counts| counts.sold).collect::<Vec<_>>())
        .bind(counts.values().map(|counts| counts.refunded).collect::<Vec<_>>())
        .bind(counts.values().map(|counts| counts.revenue).collect::<Vec<_>>())
        .bind(counts.values().map(|counts| counts.refunds).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// What to add, by event, day and ticket type: in this order all instances write the rows.
fn counts(changes: &[StockChange], at: Timestamp) -> BTreeMap<(Uuid, NaiveDate, Uuid), Counts> {
    let mut counts: BTreeMap<_, Counts> = BTreeMap::new();
    for change in changes {
        let Some(zone) = change.time_zone else { continue };
        let day = local_date(at, zone);
        for hold in &change.holds {
            let (of, is_sale) = match (hold.before.as_ref().and_then(sold), sold(&hold.after)) {
                (None, Some(reservation)) => (reservation, true),
                (Some(reservation), None) => (reservation, false),
                (None, None) | (Some(_), Some(_)) => continue,
            };
            for item in &of.items {
                let key = (change.event_id.0, day, item.ticket_type_id.0);
                let counts = counts.entry(key).or_default();
                let (seats, money) = if is_sale {
                    (&mut counts.sold, &mut counts.revenue)
                } else {
                    (&mut counts.refunded, &mut counts.refunds)
                };
                let quantity = i64::from(item.quantity);
                *seats += quantity;
                *money = money.saturating_add(item.unit_price.amount.saturating_mul(quantity));
            }
        }
    }
    counts
}

fn sold(hold: &Hold) -> Option<&Reservation> {
    match hold {
        Hold::Sold(reservation, _) => Some(reservation),
        Hold::Held(_) | Hold::Released | Hold::Rejected(_) => None,
    }
}

/// The versions of these events' sales; unknown ids are left out.
pub(super) async fn versions(pool: &Pool, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, sqlx::Error> {
    const SELECT: &str = "SELECT event_id, stock_version + 1 FROM event WHERE event_id = ANY($1)";
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(SELECT).bind(ids).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}

/// The event's sales. The version is read first: what is shown is at least as new.
pub(super) async fn sales(pool: &Pool, id: EventId) -> Result<Option<Sales>, StoreError> {
    const EVENT: &str = select_events!("WHERE event_id = $1");
    const TYPES: &str = "
        SELECT ticket_type_id, used, (
            SELECT LEAST(COALESCE(sum(revenue - refunds), 0), 9223372036854775807)::bigint FROM sales_day
            WHERE sales_day.event_id = $1 AND sales_day.ticket_type_id = ticket_type.ticket_type_id
        )
        FROM ticket_type WHERE event_id = $1";
    const BY_DAY: &str = "
        SELECT day, sum(sold)::bigint, sum(refunded)::bigint,
               LEAST(sum(revenue), 9223372036854775807)::bigint,
               LEAST(sum(refunds), 9223372036854775807)::bigint
        FROM sales_day WHERE event_id = $1 GROUP BY day ORDER BY day DESC LIMIT $2";
    let connection = &mut pool.acquire().await?;
    let row = sqlx::query(EVENT).bind(id.0).fetch_optional(&mut *connection).await?;
    let found = with_ticket_types(connection, row.as_slice()).await?.one()?;
    let Some((event, stock_version)) = found else { return Ok(None) };
    let types: Vec<(Uuid, i32, i64)> =
        sqlx::query_as(TYPES).bind(id.0).fetch_all(&mut *connection).await?;
    let types: HashMap<Uuid, (i32, i64)> =
        types.into_iter().map(|(id, used, revenue)| (id, (used, revenue))).collect();
    let days: Vec<(NaiveDate, i64, i64, i64, i64)> =
        sqlx::query_as(BY_DAY).bind(id.0).bind(DAYS).fetch_all(connection).await?;
    let money = |amount| Money::new(amount, event.currency);
    let ticket_types = event.ticket_types.iter().map(|of| {
        let (used, revenue) = types.get(&of.id.0).copied().unwrap_or_default();
        TicketTypeSales {
            id: of.id,
            name: of.name.to_string(),
            stock: of.stock,
            used: used.unsigned_abs(),
            revenue: money(revenue),
        }
    });
    let days = days.into_iter().map(|(day, sold, refunded, revenue, refunds)| DaySales {
        day,
        sold,
        refunded,
        revenue: money(revenue),
        refunds: money(refunds),
    });
    let (ticket_types, days) = (ticket_types.collect(), days.collect());
    Ok(Some(Sales { event, version: stock_version + 1, ticket_types, days }))
}
