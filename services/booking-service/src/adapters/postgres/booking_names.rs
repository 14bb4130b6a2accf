//! Tables `booking_names` and `erased_buyer`: what people are called, until they are erased.

use std::collections::HashMap;

use karcis_database::{Connection, Pool, StoreError};
use karcis_kernel::{BookingId, EventId, UserId};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use super::{
    PgBookings,
    stored_json::{AttendeeJson, attendees_json},
};
use crate::{
    application::{Change, NamedBooking, NamedBookings},
    domain::{Attendees, Names, PersonName},
};

#[derive(FromRow)]
struct NamesRow {
    booking_id: Uuid,
    buyer_name: Option<String>,
    attendees: Json<Vec<AttendeeJson>>,
    /// How many bookings there are on the page and at least after it.
    found: i64,
}

/// Stores what the people of new bookings are called.
pub(super) async fn insert(
    connection: &mut Connection,
    changes: &[&Change],
) -> Result<(), sqlx::Error> {
    let (mut events, mut ids, mut buyers, mut attendees) = (vec![], vec![], vec![], vec![]);
    for change in changes.iter().filter(|change| !change.names.is_empty()) {
        events.push(change.after.order.event_id.0);
        ids.push(change.id().0);
        buyers.push(change.names.buyer.as_ref().map(PersonName::as_str));
        attendees.push(attendees_json(&change.names.attendees));
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO booking_names (event_id, booking_id, buyer_name, attendees)
         SELECT event_id, booking_id, buyer_name, attendees::json
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[])
             AS new (event_id, booking_id, buyer_name, attendees)",
    )
    .bind(events)
    .bind(ids)
    .bind(buyers)
    .bind(attendees)
    .execute(connection)
    .await?;
    Ok(())
}

/// What the people of these bookings are called, in the same order; nobody where nothing is known.
pub(super) async fn load(
    pool: &Pool,
    bookings: &[(EventId, BookingId)],
) -> Result<Vec<Names>, StoreError> {
    let rows: Vec<NamesRow> = sqlx::query_as(
        "SELECT booking_id, buyer_name, attendees, 1::bigint AS found FROM booking_names
         WHERE (event_id, booking_id) IN (SELECT * FROM UNNEST($1::uuid[], $2::uuid[]))",
    )
    .bind(bookings.iter().map(|(event, _)| event.0).collect::<Vec<_>>())
    .bind(bookings.iter().map(|(_, id)| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let named = rows.into_iter().map(NamesRow::parsed);
    let named: HashMap<BookingId, Names> =
        named.map(|named| (named.booking_id, named.names)).collect();
    Ok(bookings.iter().map(|(_, id)| named.get(id).cloned().unwrap_or_default()).collect())
}

/// Up to `limit` confirmed bookings of the event in which somebody is named, newest first, after the one
/// given; fewer, but at least one, if together they have more than `bytes`.
pub(super) async fn list(
    pool: &Pool,
    event: EventId,
    after: Option<BookingId>,
    limit: u16,
    bytes: u32,
) -> Result<NamedBookings, StoreError> {
    let rows: Vec<NamesRow> = sqlx::query_as(
        "SELECT booking_id, buyer_name, attendees, found FROM (
             SELECT *, count(*) OVER () AS found,
                 sum(bytes) OVER (ORDER BY booking_id DESC) AS bytes_so_far
             FROM (
                 SELECT booking_id, buyer_name, attendees, 200 + octet_length(attendees::text)
                     + COALESCE(octet_length(buyer_name), 0) AS bytes
                 FROM booking_names JOIN booking ON booking.id = booking_id
                 WHERE booking_names.event_id = $1 AND stage = 'confirmed'
                     AND ($2::uuid IS NULL OR booking_id < $2)
                 ORDER BY booking_id DESC LIMIT $3
             ) AS page
         ) AS counted
         WHERE bytes_so_far <= $4 OR bytes_so_far = bytes ORDER BY booking_id DESC",
    )
    .bind(event.0)
    .bind(after.map(|id| id.0))
    .bind(i64::from(limit) + 1)
    .bind(i64::from(bytes))
    .fetch_all(pool)
    .await?;
    let there_are = rows.first().map_or(0, |row| row.found);
    let found: Vec<NamedBooking> =
        rows.into_iter().take(limit.into()).map(NamesRow::parsed).collect();
    let has_more = usize::try_from(there_are).is_ok_and(|there_are| there_are > found.len());
    Ok(NamedBookings { found, has_more })
}

impl NamesRow {
    fn parsed(self) -> NamedBooking {
        let Self { booking_id, buyer_name, attendees: Json(attendees), .. } = self;
        let attendees = attendees.into_iter().map(AttendeeJson::attendee).collect();
        let buyer = buyer_name.map(PersonName::stored);
        let names = Names { buyer, attendees: Attendees::stored(attendees) };
        NamedBooking { booking_id: BookingId(booking_id), names }
    }
}

impl PgBookings {
    /// Deletes the names of these buyers' bookings, and those that they give with the tokens they still have.
    pub(crate) async fn erase_names(&self, buyers: &[UserId]) -> Result<(), StoreError> {
        let buyers: Vec<Uuid> = buyers.iter().map(|buyer| buyer.0).collect();
        if buyers.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO erased_buyer (user_id, erased_at)
             SELECT DISTINCT user_id, now() FROM UNNEST($1::uuid[]) AS erased (user_id)
             ORDER BY user_id ON CONFLICT (user_id) DO NOTHING",
        )
        .bind(buyers)
        .execute(&self.pool)
        .await?;
        self.erase_names_again().await
    }

    /// Deletes the names of all buyers who were erased within the last hour: a token lives for a part of it.
    pub(crate) async fn erase_names_again(&self) -> Result<(), StoreError> {
        let buyers = sqlx::query_scalar("SELECT user_id FROM erased_buyer LIMIT 10000");
        let buyers: Vec<Uuid> = buyers.fetch_all(&self.pool).await?;
        if buyers.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pool.begin_batch().await?;
        sqlx::query(
            "DELETE FROM booking_names WHERE (event_id, booking_id) IN (
                 SELECT named.event_id, named.booking_id FROM booking_names AS named
                 JOIN booking ON booking.event_id = named.event_id AND booking.id = named.booking_id
                 WHERE booking.user_id = ANY($1) ORDER BY named.booking_id FOR UPDATE OF named)",
        )
        .bind(&buyers)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM erased_buyer WHERE user_id IN (
                 SELECT user_id FROM erased_buyer
                 WHERE user_id = ANY($1) AND erased_at < now() - interval '1 hour'
                 ORDER BY user_id FOR UPDATE)",
        )
        .bind(buyers)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}
