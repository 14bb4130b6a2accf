//! The hold table cell by cell, and every reason to reject.

use karcis_kernel::{Currency, Money, TicketCode, TicketTypeId};

use super::samples::*;
use crate::domain::*;

#[test]
fn reserve_without_a_hold_holds_the_seats_and_promises_what_the_buyer_saw() {
    let mut event = published();
    let decision =
        reserve(Some(&mut event), None, no_holds(), &request(&[(VIP, 2), (LAWN, 1)]), at(NOW));
    let Reply::Reserved(reservation) = &decision.reply else { panic!("{decision:?}") };
    assert_eq!(decision.hold, Some(Hold::Held(reservation.clone())));
    assert_eq!(reservation.total, Money::new(1_500_000, Currency::Idr));
    assert_eq!(reservation.event.title, "Konser");
    assert_eq!(reservation.refundable_until, at(START));
    assert_eq!((reservation.event_version, reservation.sales_end), (Some(2), Some(at(START))));
    let names: Vec<_> = reservation.items.iter().map(|i| (i.name.as_str(), i.quantity)).collect();
    assert_eq!(names, [("VIP", 2), ("Lawn", 1)]);
    assert_eq!(vip(&event), (18, 2, 0));
    assert!(event.booked);
}

#[test]
fn reserve_again_gets_the_stored_answer_even_after_a_price_change_and_a_cancellation() {
    let mut event = published();
    let first = held(&mut event, &[(VIP, 2)]);
    let then = sold(&mut event, &[(VIP, 3)]);
    event.ticket_types[0].price = price(1, Currency::Idr);
    let mut event = cancelled(&event);
    let before = event.clone();
    for hold in [first, then] {
        let (Hold::Held(promised) | Hold::Sold(promised, _)) = &hold else { panic!("{hold:?}") };
        let again =
            reserve(Some(&mut event), Some(&hold), no_holds(), &request(&[(VIP, 2)]), at(START));
        assert_eq!(again, Decision { hold: None, reply: Reply::Reserved(promised.clone()) });
    }
    assert_eq!(event, before);
}

#[test]
fn reserve_is_rejected_after_a_release_and_with_the_stored_reason_after_a_rejection() {
    let mut event = published();
    for (hold, why) in [
        (Hold::Released, RejectReason::SalesClosed),
        (Hold::Rejected(RejectReason::SoldOut), RejectReason::SoldOut),
    ] {
        let decision =
            reserve(Some(&mut event), Some(&hold), no_holds(), &request(&[(VIP, 1)]), at(NOW));
        assert_eq!(decision, Decision { hold: None, reply: Reply::Rejected(why) });
    }
    assert_eq!(event, published());
}

#[test]
fn confirm_sells_a_hold_even_of_a_cancelled_event_and_repeats_the_same_codes() {
    let mut event = published();
    let hold = held(&mut event, &[(VIP, 2)]);
    let mut event = cancelled(&event);
    let decision = confirm(Some(&mut event), Some(&hold), &mut codes()).expect("the stock matches");
    let Reply::Confirmed(tickets) = &decision.reply else { panic!("{decision:?}") };
    let minted: Vec<_> = tickets.iter().map(|ticket| ticket.code.clone()).collect();
    assert_eq!(minted, [TicketCode::from_bits(1), TicketCode::from_bits(2)]);
    assert_eq!(vip(&event), (18, 0, 2));

    let again = confirm(Some(&mut event), decision.hold.as_ref(), &mut || panic!("no new codes"));
    let same = Decision { hold: None, reply: Reply::Confirmed(tickets.clone()) };
    assert_eq!(again, Ok(same));
    assert_eq!(vip(&event), (18, 0, 2));
}

#[test]
fn confirm_is_refused_without_a_hold() {
    for hold in [None, Some(Hold::Released), Some(Hold::Rejected(RejectReason::SoldOut))] {
        let mut event = published();
        let decision = confirm(Some(&mut event), hold.as_ref(), &mut codes());
        assert_eq!(decision, Ok(Decision { hold: None, reply: Reply::ConfirmRefused }));
        assert_eq!(event, published());
    }
}

#[test]
fn release_frees_held_and_sold_seats_and_leaves_a_tombstone_where_there_was_nothing() {
    for sold_before in [false, true] {
        let mut event = published();
        let seats = [(VIP, 2), (LAWN, 1)];
        let hold = if sold_before { sold(&mut event, &seats) } else { held(&mut event, &seats) };
        let decision = release(Some(&mut event), Some(&hold));
        let released = Decision { hold: Some(Hold::Released), reply: Reply::Released };
        assert_eq!(decision, Ok(released));
        assert_eq!(vip(&event), (20, 0, 0));
    }
    let tombstone = Decision { hold: Some(Hold::Released), reply: Reply::Released };
    assert_eq!(release(Some(&mut published()), None), Ok(tombstone.clone()));
    assert_eq!(release(None, None), Ok(tombstone), "of an unknown event");
}

#[test]
fn release_of_what_is_released_or_rejected_only_answers() {
    for hold in [Hold::Released, Hold::Rejected(RejectReason::SoldOut)] {
        let decision = release(None, Some(&hold));
        assert_eq!(decision, Ok(Decision { hold: None, reply: Reply::Released }));
    }
}

#[test]
fn a_hold_that_does_not_match_its_event_is_reported() {
    let hold = held(&mut published(), &[(VIP, 2)]);
    assert_eq!(release(None, Some(&hold)), Err(StockMismatch));
    assert_eq!(release(Some(&mut published()), Some(&hold)), Err(StockMismatch));
    assert_eq!(confirm(Some(&mut published()), Some(&hold), &mut codes()), Err(StockMismatch));
}

#[test]
fn every_reason_to_reject_is_stored_and_takes_no_seat() {
    use RejectReason::*;
    let unknown = TicketTypeId(uuid(99));
    let one: &[_] = &[(VIP, 1)];
    let changed = |change: fn(&mut Event)| {
        let mut event = published();
        change(&mut event);
        Some(event)
    };
    let few_seats = |event: &mut Event| event.ticket_types[0].stock = Stock::new(1);
    let starts_later = |e: &mut Event| e.ticket_types[0].sales_start = Some(at(NOW + 1));
    let ended = |e: &mut Event| e.ticket_types[0].sales_end = Some(at(NOW));
    let wide = |event: &mut Event| {
        for t in &mut event.ticket_types {
            t.max_per_booking = PerBooking::try_from(1_000).expect("a limit");
            t.stock = Stock::new(10_000);
        }
    };
    for (case, event, seats, time, why) in [
        ("an unknown event", None, one, NOW, EventNotFound),
        ("a draft", Some(draft()), one, NOW, EventNotFound),
        ("an unknown type", Some(published()), &[(VIP, 1), (unknown, 1)], NOW, EventNotFound),
        ("a cancelled event", Some(cancelled(&published())), one, NOW, EventCancelled),
        ("before the sale", changed(starts_later), one, NOW, SalesClosed),
        ("after the sale", changed(ended), one, NOW, SalesClosed),
        ("once it has started", Some(published()), one, START, SalesClosed),
        ("a closed type", changed(|e| e.ticket_types[0].closed = true), one, NOW, SalesClosed),
        ("eleven of ten", Some(published()), &[(VIP, 11)], NOW, OverLimit),
        ("over 1,000 together", changed(wide), &[(VIP, 600), (LAWN, 401)], NOW, OverLimit),
        ("two of the last one", changed(few_seats), &[(LAWN, 1), (VIP, 2)], NOW, SoldOut),
    ] {
        let mut after = event.clone();
        let decision = reserve(after.as_mut(), None, no_holds(), &request(seats), at(time));
        let rejected = Decision { hold: Some(Hold::Rejected(why)), reply: Reply::Rejected(why) };
        assert_eq!(decision, rejected, "{case}");
        assert_eq!(after, event, "{case}");
    }
}

#[test]
fn another_total_than_expected_is_rejected_and_the_expected_one_is_not() {
    for (expected, good) in [
        (Money::new(1_500_000, Currency::Idr), true),
        (Money::new(1_499_999, Currency::Idr), false),
        (Money::new(1_500_000, Currency::Usd), false),
    ] {
        let request = Reserve { expected_total: Some(expected), ..request(&[(VIP, 2)]) };
        let decision = reserve(Some(&mut published()), None, no_holds(), &request, at(NOW));
        let rejected = decision.reply == Reply::Rejected(RejectReason::PriceChanged);
        assert_eq!(rejected, !good, "{expected:?}");
    }
}

#[test]
fn a_buyer_has_only_so_many_unpaid_holds_of_an_event() {
    for (count, limit, good) in
        [(0, 2, true), (1, 2, true), (2, 2, false), (3, 2, false), (0, 0, false)]
    {
        let mut event = published();
        let buyer = BuyerHolds { unpaid: count, max_unpaid: limit, ..no_holds() };
        let decision = reserve(Some(&mut event), None, buyer, &request(&[(VIP, 1)]), at(NOW));
        let rejected = decision.reply == Reply::Rejected(RejectReason::TooManyHolds);
        assert_eq!(rejected, !good, "{count} of {limit}");
    }
}

#[test]
fn a_buyer_has_only_so_many_seats_of_an_event_free_ones_too() {
    let (four, five): (&[_], &[_]) = (&[(VIP, 4)], &[(VIP, 5)]);
    for (limit, has, asked, good) in [
        (per_buyer(4), 0, four, true),
        (per_buyer(4), 0, five, false),
        (per_buyer(4), 2, &[(VIP, 2)], true),
        (per_buyer(4), 2, &[(VIP, 2), (LAWN, 1)], false),
        (per_buyer(4), 3, &[(LAWN, 1)], true),
        (per_buyer(4), 4, &[(LAWN, 1)], false),
        (per_buyer(4), u32::MAX, &[(LAWN, 1)], false),
        (None, u32::MAX, &[(LAWN, 1)], true),
    ] {
        let mut event = published();
        event.details.max_per_buyer = limit;
        let buyer = BuyerHolds { seats: has, ..no_holds() };
        let decision = reserve(Some(&mut event), None, buyer, &request(asked), at(NOW));
        let rejected = decision.reply == Reply::Rejected(RejectReason::OverLimit);
        assert_eq!(rejected, !good, "{asked:?} besides {has} of {limit:?}");
    }
}

#[test]
fn the_first_reason_in_the_documented_order_is_given() {
    use RejectReason::*;
    // Wrong in every way; each step corrects the first reason, and the next one shows.
    let mut event = published();
    event.ticket_types[0].closed = true;
    event.ticket_types[0].stock = Stock::new(1);
    let mut event = cancelled(&event);
    let mut seats = vec![(VIP, 11), (TicketTypeId(uuid(99)), 1)];
    let mut expected = Some(Money::new(1, Currency::Idr));
    event.details.max_per_buyer = per_buyer(3);
    let mut buyer = BuyerHolds { unpaid: 2, max_unpaid: 2, seats: 2 };
    let mut seen = Vec::new();
    for correct in 0..8 {
        match correct {
            0 => {}
            1 => event.stage = Stage::Published,
            2 => seats.truncate(1),
            3 => event.ticket_types[0].closed = false,
            4 => seats[0].1 = 2,
            5 => buyer.seats = 1,
            6 => expected = None,
            _ => buyer.unpaid = 0,
        }
        let request = Reserve { expected_total: expected, ..request(&seats) };
        let reply = reserve(Some(&mut event), None, buyer, &request, at(NOW)).reply;
        let Reply::Rejected(why) = reply else { panic!("{reply:?}") };
        seen.push(why);
    }
    let order = [
        EventCancelled,
        EventNotFound,
        SalesClosed,
        OverLimit,
        OverLimit,
        PriceChanged,
        TooManyHolds,
        SoldOut,
    ];
    assert_eq!(seen, order);
}

#[test]
fn items_name_each_type_once_with_at_least_one_seat() {
    for (items, good) in [
        (vec![], false),
        (vec![(VIP, 0)], false),
        (vec![(VIP, 1), (VIP, 1)], false),
        (vec![(VIP, 1), (LAWN, 2)], true),
    ] {
        assert_eq!(Items::try_from(items.clone()).is_ok(), good, "{items:?}");
    }
}
