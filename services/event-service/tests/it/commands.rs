//! Commands over Kafka and their replies: each cell of the hold table, each reason to reject.

use std::collections::HashSet;

use karcis_contracts::{
    EventCommand, Item, Message, RejectReason, ReserveTickets, TicketFact, TicketsRejected,
};
use karcis_kernel::{BookingId, Currency, EventId, Money, TicketTypeId};
use karcis_schemas::EVENTS;
use karcis_testkit::eventually;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Concert, TestApp, in_days, plan, with};

const HELD: &str = "karcis.TicketsReserved.v1";
const REJECTED: &str = "karcis.TicketsRejected.v1";
const SOLD: &str = "karcis.TicketsConfirmed.v1";
const REFUSED: &str = "karcis.ConfirmRefused.v1";
const RELEASED: &str = "karcis.TicketsReleased.v1";

#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve,
    Confirm,
    Release,
    AskTooMuch,
}
use Step::{AskTooMuch, Confirm, Release, Reserve};

impl Step {
    fn command(self, event: &Concert, booking: BookingId) -> EventCommand {
        let quantity = if matches!(self, AskTooMuch) { 11 } else { 2 };
        match self {
            Reserve | AskTooMuch => {
                ReserveTickets { booking_id: booking, ..event.reserve(quantity) }.into()
            }
            Confirm => event.confirm(booking).into(),
            Release => event.release(booking).into(),
        }
    }
}

/// What came before, the command, its answer, and what the booking has (held, sold) then.
type Cell = (&'static [Step], Step, &'static str, (i32, i32));

const CELLS: [Cell; 15] = [
    (&[], Reserve, HELD, (2, 0)),
    (&[], Confirm, REFUSED, (0, 0)),
    (&[], Release, RELEASED, (0, 0)),
    (&[Reserve], Reserve, HELD, (2, 0)),
    (&[Reserve], Confirm, SOLD, (0, 2)),
    (&[Reserve], Release, RELEASED, (0, 0)),
    (&[Reserve, Confirm], Reserve, HELD, (0, 2)),
    (&[Reserve, Confirm], Confirm, SOLD, (0, 2)),
    (&[Reserve, Confirm], Release, RELEASED, (0, 0)),
    (&[Reserve, Release], Reserve, REJECTED, (0, 0)),
    (&[Reserve, Release], Confirm, REFUSED, (0, 0)),
    (&[Reserve, Release], Release, RELEASED, (0, 0)),
    (&[AskTooMuch], Reserve, REJECTED, (0, 0)),
    (&[AskTooMuch], Confirm, REFUSED, (0, 0)),
    (&[AskTooMuch], Release, RELEASED, (0, 0)),
];

#[tokio::test]
async fn each_cell_is_answered_and_repeating_it_gives_the_stored_answer() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(100)).await;
    let bookings = CELLS.map(|_| BookingId(Uuid::now_v7()));
    let cells = || CELLS.iter().zip(bookings);

    let before: Vec<_> = cells()
        .flat_map(|((before, ..), booking)| before.iter().map(move |step| (*step, booking)))
        .map(|(step, booking)| step.command(&event, booking))
        .collect();
    app.send(&before).await;
    let commands: Vec<_> =
        cells().map(|((_, step, ..), booking)| step.command(&event, booking)).collect();
    for ((before, ..), booking) in cells() {
        app.replies(booking, before.len()).await;
    }
    app.send(&commands).await;
    for ((before, ..), booking) in cells() {
        app.replies(booking, before.len() + 1).await;
    }
    app.send(&commands).await;

    for ((before, step, kind, _), booking) in cells() {
        let replies = app.replies(booking, before.len() + 2).await;
        let [.., first, second] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!(first.kind(), *kind, "{before:?}, then {step:?}");
        assert_eq!(first, second, "{before:?}, then {step:?} twice");
        if matches!(before, [Reserve, ..]) && *kind == HELD {
            assert_eq!(first, &replies[0], "what was promised stays");
        }
    }
    let (held, sold) = CELLS.iter().fold((0, 0), |(h, s), (.., (x, y))| (h + x, s + y));
    assert_eq!(app.stock(event.types[0]).await, (100, held, sold));
    app.stop().await;
}

#[tokio::test]
async fn a_reservation_promises_what_the_buyer_saw_whatever_the_organiser_does_next() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let command = event.reserve(2);
    let TicketFact::TicketsReserved(promised) = app.ask(command.clone()).await else {
        panic!("not reserved");
    };
    assert_eq!(promised.total, Money::new(1_500_000, Currency::Idr));
    assert_eq!(promised.event.title, "Dewa 19");
    assert_eq!(promised.event.venue, "Istora Senayan");
    assert_eq!(promised.event.time_zone, "Asia/Jakarta");
    assert_eq!(promised.refundable_until, promised.event.starts_at);
    assert_eq!(promised.items[0].name, "VIP");

    let update = json!({
        "event_id": event.id, "title": "Dewa 20", "starts_at": in_days(400),
        "ticket_types": [{
            "ticket_type_id": event.types[0], "name": "Very important",
            "price": {"amount": 1, "currency": "IDR"},
        }],
    });
    organiser.post("/event/update", &update).await.is(200);
    assert_eq!(app.ask(command.clone()).await, promised.into());

    let tickets = app.confirmed(&event, command.booking_id).await;
    let codes: HashSet<_> = tickets.iter().map(|ticket| ticket.code.clone()).collect();
    assert_eq!(codes.len(), 2);
    assert!(tickets.iter().all(|ticket| ticket.name == "VIP"));
    app.stop().await;
}

fn why(fact: &TicketFact) -> RejectReason {
    match fact {
        TicketFact::TicketsRejected(TicketsRejected { reason, .. }) => *reason,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn every_reason_to_reject_reaches_the_booking() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let made = async |changes| app.made(&organiser, &with(plan(10), changes)).await;
    let on_sale = made(json!({})).await;
    let draft = made(json!({"status": "draft"})).await;
    let cancelled = made(json!({})).await;
    let reason = with(cancelled.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &reason).await.is(202);
    let closed = made(json!({})).await;
    let close = json!([{"ticket_type_id": closed.types[0], "closed": true}]);
    let update = with(closed.named(), json!({"ticket_types": close}));
    organiser.post("/event/update", &update).await.is(200);
    let deleted = made(json!({})).await;
    organiser.post("/event/delete", &deleted.named()).await.is(204);

    let unknown = ReserveTickets { event_id: EventId(Uuid::now_v7()), ..on_sale.reserve(1) };
    let item = Item { ticket_type_id: TicketTypeId(Uuid::now_v7()), quantity: 1 };
    let unknown_type = ReserveTickets { items: vec![item], ..on_sale.reserve(1) };
    let other_total = Some(Money::new(749_999, Currency::Idr));
    for (command, reason) in [
        (unknown, RejectReason::EventNotFound),
        (unknown_type, RejectReason::EventNotFound),
        (draft.reserve(1), RejectReason::EventNotFound),
        (deleted.reserve(1), RejectReason::EventNotFound),
        (cancelled.reserve(1), RejectReason::EventCancelled),
        (closed.reserve(1), RejectReason::SalesClosed),
        (on_sale.reserve(11), RejectReason::OverLimit),
        (
            ReserveTickets { expected_total: other_total, ..on_sale.reserve(1) },
            RejectReason::PriceChanged,
        ),
    ] {
        let first = app.ask(command.clone()).await;
        assert_eq!(why(&first), reason);
        assert_eq!(app.ask(command).await, first, "the refusal is stored");
    }
    assert!(matches!(app.ask(on_sale.reserve(10)).await, TicketFact::TicketsReserved(_)));
    assert_eq!(why(&app.ask(on_sale.reserve(1)).await), RejectReason::SoldOut);
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_has_two_unpaid_holds_of_an_event_at_most_even_within_a_batch() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let first = event.reserve(1);
    let another = || ReserveTickets { user_id: first.user_id, ..event.reserve(1) };
    let (second, third) = (another(), another());
    app.send(&[first.clone().into(), second.clone().into(), third.clone().into()]).await;
    let rejected = &app.replies(third.booking_id, 1).await[0];
    assert_eq!(why(rejected), RejectReason::TooManyHolds);
    assert!(matches!(app.ask(event.reserve(1)).await, TicketFact::TicketsReserved(_)));

    app.ask(event.confirm(first.booking_id)).await;
    assert!(matches!(app.ask(another()).await, TicketFact::TicketsReserved(_)), "one is paid");
    assert_eq!(why(&app.ask(another()).await), RejectReason::TooManyHolds);
    app.ask(event.release(second.booking_id)).await;
    assert!(matches!(app.ask(another()).await, TicketFact::TicketsReserved(_)), "one is released");
    app.stop().await;
}

#[tokio::test]
async fn a_command_that_no_booking_can_mean_is_dead_lettered_and_nothing_waits_for_it() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let good = event.reserve(1);
    let nothing = ReserveTickets { items: Vec::new(), ..event.reserve(1) };
    let none_of_it = event.reserve(0);
    // Its booking has a hold of another event: only the stored state tells.
    let stray = ReserveTickets { event_id: EventId(Uuid::now_v7()), ..good.clone() };
    let last = event.reserve(1);
    // Alone: another event's command may come through another partition, and overtake it.
    assert!(matches!(app.ask(good.clone()).await, TicketFact::TicketsReserved(_)));
    let batch = [nothing, none_of_it, stray, last.clone()];
    app.send(&batch.map(EventCommand::from)).await;
    let replies = app.replies(last.booking_id, 1).await;
    assert!(matches!(replies[0], TicketFact::TicketsReserved(_)), "{replies:?}");
    let dead_letters = async || app.environment.dead_letters(EVENTS).await.len();
    eventually(dead_letters).is(3).await;
    assert_eq!(app.replies(good.booking_id, 1).await.len(), 1);
}
