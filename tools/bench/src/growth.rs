//! The same load on tables that hold very many bookings, which have ended: copies of a few that the fleet made.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{BenchError, buyers::purchase, stack::Stack};

/// Of each event.
const BOOKINGS: usize = 10;
/// Events that one statement copies.
const AT_ONCE: usize = 5_000;
/// Tables that are written at once.
const TABLES_AT_ONCE: usize = 4;
/// Between two events, so that ids rise as those of real bookings do.
const APART_MS: u128 = 10_000;
/// What is told to buyers is told within this.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// The bits that say what kind of id it is.
const KIND: u128 = 0xf000_c000_0000_0000_0000;
/// Those of an id in order of time that say when.
const TIME: u128 = 0xffff_ffff_ffff << 80;

/// All that stays of a booking and of its event, and by which of their ids.
const TABLES: [(&str, &str); 16] = [
    ("events.event", "event_id"),
    ("events.ticket_type", "event_id"),
    ("events.sales_day", "event_id"),
    ("events.hold", "booking_id"),
    ("events.ticket", "booking_id"),
    ("bookings.event", "event_id"),
    ("bookings.booking", "id"),
    ("bookings.saga_log", "booking_id"),
    ("bookings.ticket", "booking_id"),
    ("bookings.booking_names", "booking_id"),
    ("payments.payment", "booking_id"),
    ("payments.attempt", "booking_id"),
    ("payments.intent_reference", "booking_id"),
    ("simulated_gateway.charge", "intent"),
    ("simulated_gateway.intent", "id"),
    ("users.notice", "booking_id"),
];

/// A part of rows as text: what all copies have, or an id in place of which each has its own.
enum Part {
    Same(Vec<u8>),
    /// With whether it is written without dashes, as a ticket's code is in JSON.
    Id(Uuid, bool),
}

fn parts(rows: &[u8]) -> Vec<Part> {
    let (mut parts, mut same, mut at) = (vec![], 0, 0);
    while at < rows.len() {
        let id = |length| Uuid::try_parse_ascii(rows.get(at..at + length)?).ok();
        if let Some((id, length)) =
            [36, 32].into_iter().find_map(|length| Some((id(length)?, length)))
        {
            parts.extend([Part::Same(rows[same..at].to_vec()), Part::Id(id, length == 32)]);
            at += length;
            same = at;
        } else {
            at += 1;
        }
    }
    parts.push(Part::Same(rows[same..].to_vec()));
    parts
}

/// What makes the ids of one copy: how much earlier they are, and other random bits.
struct Copy {
    earlier_ms: u128,
    random: u128,
}

impl Copy {
    /// The copy's own id in place of this one: the same for the same, and of its kind.
    fn id(&self, id: Uuid) -> Uuid {
        let bits = id.as_u128();
        let other = bits ^ (self.random & !KIND);
        Uuid::from_u128(if id.get_version_num() == 7 {
            bits.wrapping_sub(self.earlier_ms << 80) & TIME | other & !TIME
        } else {
            other
        })
    }

    /// The same rows with ids of its own.
    fn write(&self, parts: &[Part], to: &mut Vec<u8>) {
        let mut text = Uuid::encode_buffer();
        for part in parts {
            to.extend_from_slice(match part {
                Part::Same(same) => same,
                Part::Id(id, true) => self.id(*id).simple().encode_lower(&mut text).as_bytes(),
                Part::Id(id, false) => self.id(*id).hyphenated().encode_lower(&mut text).as_bytes(),
            });
        }
    }
}

/// Adds so many ended bookings, rounded up to ten: an event with ten, which the fleet makes, and copies of all their
/// rows. Postgres knows the tables' sizes and has written them to the disk afterwards.
pub(crate) async fn grow(stack: &Stack, bookings: usize) -> Result<(), BenchError> {
    let ids = made(stack).await?;
    let copies = bookings.div_ceil(BOOKINGS);
    let copy =
        |number| Copy { earlier_ms: (copies - number) as u128 * APART_MS, random: rand::random() };
    let copies: Vec<Copy> = (0..copies).map(copy).collect();
    for some in copies.chunks(AT_ONCE) {
        let tables = TABLES.map(|(table, column)| fill(stack, table, column, &ids, some));
        let filling = stream::iter(tables).buffer_unordered(TABLES_AT_ONCE);
        filling.try_collect::<()>().await?;
    }
    let mut session = stack.database.acquire().await?;
    // What a session that counts nothing vacuums is not counted, either.
    sqlx::query("SET track_counts = on").execute(&mut *session).await?;
    for (table, _) in TABLES {
        let vacuum = AssertSqlSafe(format!("VACUUM (ANALYZE) {table}"));
        sqlx::query(vacuum).execute(&mut *session).await?;
    }
    sqlx::query("SET track_counts = off").execute(&mut *session).await?;
    sqlx::query("CHECKPOINT").execute(&mut *session).await?;
    Ok(())
}

/// Has the fleet make an event with bookings that have ended, and gives their ids.
async fn made(stack: &Stack) -> Result<Vec<Uuid>, BenchError> {
    let event = stack.events(1).await?.remove(0);
    let mut ids = vec![event.id];
    for _ in 0..BOOKINGS {
        ids.push(purchase(stack, &event, &stack.token()?, Instant::now()).await?.booking);
    }
    let ended = "SELECT count(*) FROM bookings.booking JOIN users.notice ON booking_id = id
        WHERE id = ANY ($1) AND stage = 'confirmed' AND kind = 'confirmed'
            AND NOT EXISTS (SELECT FROM users.notice WHERE booking_id = id AND told_at IS NULL)";
    let until = Instant::now() + TOLD_WITHIN;
    loop {
        let ended: i64 = sqlx::query_scalar(ended).bind(&ids).fetch_one(&stack.database).await?;
        if ended == BOOKINGS as i64 {
            return Ok(ids);
        }
        if Instant::now() > until {
            return Err(BenchError::Books(format!("{ended} of {BOOKINGS} bookings have ended")));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A table's rows that are of these ids, as text, and the statement that takes such text.
pub(crate) async fn rows(
    session: &mut PgConnection,
    table: &str,
    column: &str,
    ids: &[Uuid],
) -> Result<(Vec<u8>, String), sqlx::Error> {
    let columns = "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''";
    let columns: String = sqlx::query_scalar(columns).bind(table).fetch_one(&mut *session).await?;
    let ids = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    let rows = format!("COPY (SELECT {columns} FROM {table} WHERE {column} IN ({ids})) TO STDOUT");
    let rows: Vec<_> = session.copy_out_raw(&rows).await?.try_collect().await?;
    Ok((rows.concat(), format!("COPY {table} ({columns}) FROM STDIN")))
}

/// Copies a table's rows that are of these ids.
async fn fill(
    stack: &Stack,
    table: &str,
    column: &str,
    ids: &[Uuid],
    copies: &[Copy],
) -> Result<(), BenchError> {
    let mut write = stack.database.begin().await?;
    // No triggers and no foreign keys: a timer is for what is under way, and tables are filled in any order.
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *write).await?;
    let (rows, insert) = rows(&mut write, table, column, ids).await?;
    let parts = parts(&rows);
    let mut copying = write.copy_in_raw(&insert).await?;
    for some in copies.chunks(100) {
        let mut rows = Vec::new();
        some.iter().for_each(|copy| copy.write(&parts, &mut rows));
        copying.send(rows).await?;
    }
    copying.finish().await?;
    write.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_ids_of_its_own_that_are_the_same_everywhere() {
        let (booking, code) = (Uuid::now_v7(), Uuid::from_u128(42));
        let row = format!("{booking}\t\\N\tcharge/{booking}\t[\"{}\"]\t{code}\n", code.simple());
        let copies =
            [2, 1].map(|count| Copy { earlier_ms: count * APART_MS, random: rand::random() });
        let [first, second] = copies.map(|copy| {
            let mut copied = Vec::new();
            copy.write(&parts(row.as_bytes()), &mut copied);
            let (booking, code) = (copy.id(booking), copy.id(code));
            let text =
                format!("{booking}\t\\N\tcharge/{booking}\t[\"{}\"]\t{code}\n", code.simple());
            assert_eq!(String::from_utf8(copied).ok(), Some(text));
            booking
        });
        assert!(first < second && second < booking);
        assert_eq!((first.get_version_num(), first.get_variant()), (7, booking.get_variant()));
    }
}
