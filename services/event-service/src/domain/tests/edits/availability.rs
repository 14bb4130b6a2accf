//! What a list says of prices, seats, and when they are on sale.

use crate::domain::{tests::samples::*, *};

#[test]
fn a_list_shows_the_lowest_price_and_how_many_are_left() {
    use Availability::*;
    let with_free = |vip: u32, lawn: u32| {
        let mut event = published();
        let stock = |capacity, free| Stock::restore(capacity, capacity - free, 0).expect("a stock");
        event.ticket_types[0].stock = stock(20, vip);
        event.ticket_types[1].stock = stock(5, lawn);
        event
    };
    let closed = |mut event: Event| {
        event.ticket_types[1].closed = true;
        event
    };
    for (event, time, price, left) in [
        (with_free(20, 5), NOW, 0, Many),
        (with_free(20, 0), NOW, 750_000, Many),
        (with_free(3, 0), NOW, 750_000, Many),
        (with_free(2, 0), NOW, 750_000, Few),
        (with_free(0, 0), NOW, 0, SoldOut),
        (closed(with_free(0, 5)), NOW, 0, SoldOut),
        (closed(with_free(20, 0)), NOW, 750_000, Many),
        (with_free(20, 5), START, 0, NotOnSale),
        (cancelled(&published()), NOW, 0, NotOnSale),
        (draft(), NOW, 0, NotOnSale),
    ] {
        assert_eq!(event.lowest_price(at(time)).amount, price, "{event:?}");
        assert_eq!(event.availability(at(time)), left, "{event:?}");
    }
}

#[test]
fn what_is_closed_or_not_yet_on_sale_is_not_sold_out() {
    use Availability::*;
    let types = |vip: fn(&mut TicketType), lawn: fn(&mut TicketType)| {
        let mut event = published();
        vip(&mut event.ticket_types[0]);
        lawn(&mut event.ticket_types[1]);
        event
    };
    let open = |_: &mut TicketType| {};
    let closed = |t: &mut TicketType| t.closed = true;
    let later = |t: &mut TicketType| t.sales_start = Some(at(NOW + 100));
    let even_later = |t: &mut TicketType| t.sales_start = Some(at(NOW + 200));
    let over = |t: &mut TicketType| t.sales_end = Some(at(NOW));
    let sold_out = |t: &mut TicketType| {
        let capacity = t.stock.capacity();
        t.stock = Stock::restore(capacity, 0, capacity).expect("a stock");
    };
    let closed_for_later = |t: &mut TicketType| {
        t.closed = true;
        t.sales_start = Some(at(NOW + 100));
    };
    for (case, event, availability, on_sale_at) in [
        ("all closed", types(closed, closed), NotOnSale, None),
        ("one closed", types(closed, open), Many, None),
        ("one closed, one sold out", types(closed, sold_out), SoldOut, None),
        ("both later", types(even_later, later), NotOnSale, Some(NOW + 100)),
        ("one later", types(later, open), Many, None),
        ("one sold out, one later", types(sold_out, later), NotOnSale, Some(NOW + 100)),
        ("one closed, one later", types(closed, even_later), NotOnSale, Some(NOW + 200)),
        ("closed, whenever it starts", types(closed_for_later, closed), NotOnSale, None),
        ("no longer", types(over, over), NotOnSale, None),
        ("no longer, and sold out", types(over, sold_out), SoldOut, None),
    ] {
        assert_eq!(event.availability(at(NOW)), availability, "{case}");
        assert_eq!(event.on_sale_at(at(NOW)), on_sale_at.map(at), "{case}");
    }
}
