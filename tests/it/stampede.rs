//! Many more buyers than seats, all at once.

use karcis_fleet::{Concert, Fleet, Ledger, Stock};
use karcis_testkit::{eventually, together};
use tokio_util::sync::CancellationToken;

const BUYERS: usize = 2_000;
const SEATS: i64 = 500;

#[tokio::test]
async fn two_thousand_buyers_get_five_hundred_seats() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 500).published().await;
    let crowd = fleet.crowd(BUYERS);
    let over = CancellationToken::new();

    let mut looks = vec![look(&fleet, &concert).await];
    let watch = async {
        while !over.is_cancelled() {
            looks.push(look(&fleet, &concert).await);
        }
    };
    let sale = async {
        let bookings =
            together(256, crowd.iter().map(|buyer| buyer.orders(&concert, "VIP", 1))).await;
        let ends = crowd.iter().zip(&bookings).map(|(buyer, booking)| async move {
            eventually(async || match buyer.sees_why(booking).await {
                (status, _) if status == "awaiting_payment" => Ok(true),
                (status, reason) if status == "rejected" && reason == "sold_out" => Ok(false),
                other => Err(other),
            })
            .await
        });
        let got = together(64, ends).await;
        assert_eq!(fleet.stock(&concert, "VIP").await.held, SEATS);

        let winners = crowd.iter().zip(&bookings).zip(&got).filter(|(_, got)| **got);
        let winners: Vec<_> = winners.map(|(winner, _)| winner).collect();
        assert_eq!(winners.len() as i64, SEATS);
        let (mut sold, mut looks) = (Vec::new(), Vec::new());
        for half in winners.chunks(winners.len() / 2) {
            let payments = half.iter().map(|(buyer, booking)| async {
                buyer.pays_up(booking).await;
                eventually(|| buyer.sees(booking)).is("confirmed").await;
                booking.id
            });
            sold.extend(together(64, payments).await);
            looks.push(look(&fleet, &concert).await);
        }
        over.cancel();
        (sold, looks)
    };
    let ((), (sold, more_looks)) = tokio::join!(watch, sale);
    looks.extend(more_looks);

    let end = Stock { capacity: SEATS, free: 0, held: 0, sold: SEATS };
    assert_eq!(fleet.stock(&concert, "VIP").await, end);
    let once = Ledger::captured_once(750_000);
    assert!(fleet.ledgers(&sold).await.iter().all(|ledger| *ledger == once));
    for look in &looks {
        assert_eq!((look.held, look.sold), (look.bookings_held, look.bookings_sold), "{look:?}");
        let free = look.capacity - look.held - look.sold;
        assert!(
            look.capacity == SEATS && free >= 0 && look.held >= 0 && look.sold >= 0,
            "{look:?}"
        );
    }
    // All seats may be held in one batch, which nobody sees half done; they are paid one by one.
    let selling = looks.iter().filter(|look| look.held > 0 && look.sold > 0);
    let counts = (looks.len(), selling.count());
    assert!(counts.0 > 100 && counts.1 > 1, "too few looks to tell: {counts:?}");
}

/// The stock as one statement sees it: the counters, and the bookings that have the seats.
#[derive(Debug, sqlx::FromRow)]
struct Look {
    capacity: i64,
    held: i64,
    sold: i64,
    bookings_held: i64,
    bookings_sold: i64,
}

async fn look(fleet: &Fleet, concert: &Concert) -> Look {
    let look = "
        SELECT capacity::bigint, held::bigint, sold::bigint, bookings_held, bookings_sold
        FROM events.ticket_type CROSS JOIN (
            SELECT count(*) FILTER (WHERE state = 'held') AS bookings_held,
                count(*) FILTER (WHERE state = 'sold') AS bookings_sold
            FROM events.hold WHERE event_id = $1
        ) AS holds
        WHERE event_id = $1";
    let look =
        sqlx::query_as(look).bind(concert.id.0).fetch_one(fleet.environment().superuser()).await;
    look.unwrap()
}
