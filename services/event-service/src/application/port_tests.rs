//! What every implementation of the ports does, as functions that its tests call: for Postgres in
//! `adapters/postgres`, for stores in memory in `tools/simulation`. Each wants a store without events.

use std::{collections::HashSet, time::Duration};

use karcis_kernel::{
    BookingId, Currency, EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId,
};
use uuid::Uuid;

use super::{
    announce_cancelled, cancel_event,
    ports::{CancelledEvents, EventFact, Events, StockSnapshot, Stocks},
    take_commands,
    take_commands::DecisionContext,
};
use crate::domain::{
    Command, Details, Editor, Event, Hold, HoldRef, NewEvent, NewTicketType, PerBooking, Reserve,
    TimeZone,
};

const EVENT: EventId = EventId(Uuid::from_u128(2));
const BUYER: UserId = UserId(Uuid::from_u128(3));
const TICKET_TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(4));
const ORGANISER: UserId = UserId(Uuid::from_u128(5));

fn noon() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().expect("a time")
}

fn event() -> Event {
    let text = |text: &str| text.to_owned();
    let new = NewEvent {
        id: EVENT,
        organiser_id: ORGANISER,
        details: Details {
            title: text("Concert").try_into().expect("a title"),
            description: None,
            venue: text("Hall").try_into().expect("a venue"),
            starts_at: noon() + Duration::from_secs(30 * 86_400),
            ends_at: None,
            time_zone: TimeZone::named("Asia/Jakarta"),
            refundable_until: None,
            refundable_after_start: false,
            reopened_until: None,
            max_per_buyer: Some(5.try_into().expect("a limit")),
        },
        ticket_types: vec![NewTicketType {
            id: TICKET_TYPE,
            name: text("VIP").try_into().expect("a name"),
            price: Money::new(100, Currency::Idr).try_into().expect("a price"),
            capacity: 3.try_into().expect("a capacity"),
            max_per_booking: PerBooking::DEFAULT,
            sales_start: None,
            sales_end: None,
            closed: false,
        }],
        publish: true,
    };
    Event::create(new, noon()).expect("a valid event")
}

fn hold(number: u128, event_id: EventId) -> HoldRef {
    HoldRef { booking_id: BookingId(Uuid::from_u128(number)), event_id }
}

fn reserve(number: u128, event_id: EventId) -> Command {
    let items = vec![(TICKET_TYPE, 1)].try_into().expect("valid items");
    let hold = hold(number, event_id);
    Command::Reserve(Reserve { hold, user_id: BUYER, items, expected_total: None })
}

async fn take(stocks: &dyn Stocks, command: &Command) {
    let mint = || TicketCode::from_bits(7);
    let context = DecisionContext { max_unpaid_holds: 9, at: noon(), mint: &mint };
    let taken = take_commands(stocks, &[command], &context).await.expect("it is taken");
    assert_eq!(taken.open, Vec::<usize>::new(), "{command:?}");
}

async fn load(stocks: &dyn Stocks, command: &Command) -> StockSnapshot {
    stocks.load(&[command]).await.expect("the store answers")
}

/// Held and sold seats of the event.
async fn taken(stocks: &dyn Stocks) -> (u32, u32) {
    let stored = load(stocks, &reserve(1, EVENT)).await;
    let stock = stored.events[&EVENT].0.ticket_types[0].stock;
    (stock.held(), stock.sold())
}

/// Holds, stock and what a buyer has go together.
pub async fn a_hold_goes_with_its_stock(events: &dyn Events, stocks: &dyn Stocks) {
    assert!(events.add(&event(), None, None).await.expect("the store answers"));
    let stored = load(stocks, &reserve(1, EVENT)).await;
    assert_eq!(stored.events[&EVENT].0, event());
    assert!(stored.holds.is_empty());

    take(stocks, &reserve(1, EVENT)).await;
    let stored = load(stocks, &reserve(1, EVENT)).await;
    let (of, held) = &stored.holds[&hold(1, EVENT).booking_id];
    let Hold::Held(reservation) = held else { panic!("{held:?}") };
    assert_eq!((*of, reservation.seat_count()), (EVENT, 1));
    assert_eq!(taken(stocks).await, (1, 0));
    let buyer = stored.buyers[&(EVENT, BUYER)];
    assert_eq!((buyer.unpaid, buyer.seats), (1, 1));

    take(stocks, &Command::Confirm(hold(1, EVENT))).await;
    let stored = load(stocks, &reserve(1, EVENT)).await;
    let Hold::Sold(_, tickets) = &stored.holds[&hold(1, EVENT).booking_id].1 else { panic!() };
    assert_eq!((tickets.len(), tickets[0].code.bits()), (1, 7));
    assert_eq!(taken(stocks).await, (0, 1));

    take(stocks, &Command::Release(hold(1, EVENT))).await;
    assert_eq!(taken(stocks).await, (0, 0));
    let stored = load(stocks, &reserve(1, EVENT)).await;
    assert_eq!(stored.holds[&hold(1, EVENT).booking_id].1, Hold::Released);
    assert!(stored.events[&EVENT].0.booked, "it had a booking");
}

/// What was decided on an older stock is not written.
pub async fn a_change_is_written_if_nothing_came_between(events: &dyn Events, stocks: &dyn Stocks) {
    let late = Late(stocks);
    assert!(events.add(&event(), None, None).await.expect("the store answers"));
    let hold = async || take(stocks, &reserve(2, EVENT)).await;
    assert_eq!(late.reserve(1, EVENT, hold).await, HashSet::from([EVENT]), "a hold came between");
    let edit = async || {
        let locked = events.lock(EVENT).await.expect("the store answers").expect("it is there");
        let same = locked.event().clone();
        locked.save(&same, Some(EventFact::Updated)).await.expect("the store answers");
    };
    assert_eq!(late.reserve(1, EVENT, edit).await, HashSet::from([EVENT]), "an edit came between");
    let locked = events.lock(EVENT).await.expect("the store answers");
    assert_eq!(late.reserve(1, EVENT, async || ()).await, HashSet::from([EVENT]), "it is locked");
    drop(locked);
    // A dropped transaction ends a moment later.
    while !late.reserve(1, EVENT, async || ()).await.is_empty() {}
    assert_eq!(taken(stocks).await, (2, 0));

    let unknown = EventId(Uuid::from_u128(6));
    let first = async || take(stocks, &reserve(3, unknown)).await;
    assert_eq!(late.reserve(3, unknown, first).await, HashSet::from([unknown]), "it has a hold");
}

/// A cancelled event is announced until its seats are free, each time by one.
pub async fn a_cancelled_event_is_announced_until_it_is_free(
    events: &dyn Events,
    stocks: &dyn Stocks,
    cancelled: &dyn CancelledEvents,
) {
    assert!(events.add(&event(), None, None).await.expect("the store answers"));
    take(stocks, &reserve(1, EVENT)).await;
    let editor = Editor { user_id: ORGANISER, role: karcis_kernel::Role::Organiser };
    let reason = "rain".to_owned().try_into().expect("a reason");
    cancel_event(events, editor, EVENT, reason, noon()).await.expect("it is cancelled");
    let due = async |after_s| {
        let at = noon() + Duration::from_secs(after_s);
        let due = cancelled.due(at, 10).await.expect("the store answers");
        due.into_iter().map(|it| (it.announced, it.taken)).collect::<Vec<_>>()
    };
    assert_eq!(due(1).await, []);
    assert_eq!(due(2).await, [(1, 1)]);
    let at = noon() + Duration::from_secs(2);
    let rejected = announce_cancelled(cancelled, at, 10).await.expect("the store answers");
    assert!(rejected.is_empty());
    assert_eq!(due(5).await, [], "it is announced");
    assert_eq!(due(6).await, [(2, 1)]);
    take(stocks, &Command::Release(hold(1, EVENT))).await;
    let at = noon() + Duration::from_secs(6);
    announce_cancelled(cancelled, at, 10).await.expect("the store answers");
    assert_eq!(due(1_000).await, [], "its seats are free");
}

/// Commits decisions after something came between.
struct Late<'a>(&'a dyn Stocks);

impl Late<'_> {
    /// The conflicts of a reservation that is decided before `between` and committed after it.
    async fn reserve(
        &self,
        number: u128,
        event_id: EventId,
        between: impl AsyncFnOnce(),
    ) -> HashSet<EventId> {
        use super::ports::{HoldChange, StockChange};
        use crate::domain::{BuyerHolds, reserve as decide};
        let command = reserve(number, event_id);
        let Command::Reserve(request) = &command else { return HashSet::new() };
        let mut stored = load(self.0, &command).await;
        between().await;
        let buyer = BuyerHolds { unpaid: 0, max_unpaid: 9, seats: 0 };
        let event = stored.events.get_mut(&event_id);
        let loaded = event.as_ref().map(|(_, version)| *version);
        let mut event = event.map(|(event, _)| event);
        let time_zone = event.as_ref().map(|event| event.details.time_zone);
        let decision = decide(event.as_deref_mut(), None, buyer, request, noon());
        let change = StockChange {
            event_id,
            loaded,
            time_zone,
            first_booked: false,
            stocks: event.iter().map(|it| (TICKET_TYPE, it.ticket_types[0].stock)).collect(),
            holds: vec![HoldChange {
                booking_id: request.hold.booking_id,
                before: None,
                after: decision.hold.expect("the hold is new"),
            }],
            replies: vec![(request.hold, decision.reply)],
        };
        self.0.commit(vec![change], noon()).await.expect("the store answers")
    }
}
