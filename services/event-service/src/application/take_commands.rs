//! Carries out a batch of booking-service's commands: decided one at a time, read and written
//! together.

use std::collections::{BTreeMap, HashSet, hash_map::Entry};

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, decide_batch};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp};

use super::ports::{BuyerCount, HoldChange, StockChange, StockSnapshot, Stocks};
use crate::domain::{
    BuyerHolds, Command, Decision, Event, Hold, HoldRef, Reply, Stock, StockMismatch, confirm,
    release, reserve,
};

/// What commands are decided on, besides the stock.
pub struct DecisionContext<'a> {
    /// How many unpaid holds a buyer may have of an event.
    pub max_unpaid_holds: u32,
    pub at: Timestamp,
    /// Draws a new ticket code.
    pub mint: &'a (dyn Fn() -> TicketCode + Sync),
}

/// Why a batch was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum TakeCommandsError {
    /// A command contradicts what is stored for its booking.
    #[error("booking {booking_id}: {reason}")]
    Mismatch { booking_id: BookingId, reason: &'static str },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a batch.
#[derive(Default)]
pub struct Taken {
    /// The replies that changed a hold.
    pub replies: Vec<Reply>,
    /// The indexes of the commands that are not carried out, as others have the stock of their events
    /// locked: all commands of these events.
    pub open: Vec<usize>,
}

/// Replies to every command, but for those of locked events. Repeating a batch changes nothing and sends
/// the stored replies again.
pub async fn take_commands(
    stocks: &dyn Stocks,
    commands: &[&Command],
    context: &DecisionContext<'_>,
) -> Result<Taken, TakeCommandsError> {
    let mut taken = Taken::default();
    let replies = decide_batch(&TakeCommands { stocks, context }, commands).await?;
    for (index, reply) in replies.into_iter().enumerate() {
        match reply {
            Some(reply) => taken.replies.extend(reply),
            None => taken.open.push(index),
        }
    }
    Ok(taken)
}

struct TakeCommands<'a> {
    stocks: &'a dyn Stocks,
    context: &'a DecisionContext<'a>,
}

#[async_trait]
impl<'a> Decider for TakeCommands<'a> {
    type Job = &'a Command;
    type Key = EventId;
    type UnitOfWork = UnitOfWork;
    /// The reply, if it changed the hold.
    type Output = Option<Reply>;
    type Error = TakeCommandsError;

    fn key(&self, command: &&'a Command) -> EventId {
        command.hold().event_id
    }

    async fn load(&self, commands: &[&&'a Command], _: u32) -> Result<UnitOfWork, StoreError> {
        let commands: Vec<&Command> = commands.iter().map(|command| **command).collect();
        let stock = self.stocks.load(&commands).await?;
        Ok(UnitOfWork { stock, changes: BTreeMap::new() })
    }

    fn decide(
        &self,
        unit: &mut UnitOfWork,
        command: &&'a Command,
    ) -> Result<Option<Reply>, TakeCommandsError> {
        unit.decide(command, self.context)
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<EventId>, StoreError> {
        self.stocks.commit(unit.into_changes(), self.context.at).await
    }
}

/// What was loaded for a batch, and what its commands have changed so far.
struct UnitOfWork {
    stock: StockSnapshot,
    /// In the order of the ids, so that two instances write the same rows in the same order.
    changes: BTreeMap<EventId, EventChange>,
}

/// How an event and its holds were before the batch, and the replies.
struct EventChange {
    was_booked: bool,
    stocks: Vec<(TicketTypeId, Stock)>,
    holds: BTreeMap<BookingId, Option<Hold>>,
    replies: Vec<(HoldRef, Reply)>,
}

impl EventChange {
    fn none(event: Option<&(Event, i64)>) -> Self {
        Self {
            was_booked: event.is_some_and(|(event, _)| event.booked),
            stocks: event.map(|(event, _)| stocks(event).collect()).unwrap_or_default(),
            holds: BTreeMap::new(),
            replies: Vec::new(),
        }
    }
}

impl UnitOfWork {
    /// Returns the reply if it changed the hold.
    fn decide(
        &mut self,
        command: &Command,
        context: &DecisionContext<'_>,
    ) -> Result<Option<Reply>, TakeCommandsError> {
        let hold = command.hold();
        let unreadable = [hold.event_id.0, hold.booking_id.0];
        if let Some(row) = unreadable.iter().find_map(|id| self.stock.unreadable.get(id)) {
            return Err(StoreError::from(row.clone()).into());
        }
        let mismatch = |reason| TakeCommandsError::Mismatch { booking_id: hold.booking_id, reason };
        let before = match self.stock.holds.get(&hold.booking_id) {
            Some((event_id, _)) if *event_id != hold.event_id => {
                return Err(mismatch("its hold is of another event"));
            }
            stored => stored.map(|(_, stored)| stored.clone()),
        };
        let event = self.stock.events.get(&hold.event_id);
        let change = self.changes.entry(hold.event_id).or_insert_with(|| EventChange::none(event));
        let Decision { hold: after, reply } =
            decide(&mut self.stock, command, before.as_ref(), context)
                .map_err(|StockMismatch| mismatch("its hold does not match its event's stock"))?;
        change.replies.push((hold, reply.clone()));
        let Some(after) = after else { return Ok(None) };
        count_for_buyer(&mut self.stock, hold.event_id, before.as_ref(), &after);
        self.stock.holds.insert(hold.booking_id, (hold.event_id, after));
        change.holds.entry(hold.booking_id).or_insert(before);
        Ok(Some(reply))
    }

    /// What to write, by event.
    fn into_changes(mut self) -> Vec<StockChange> {
        let mut changes = Vec::with_capacity(self.changes.len());
        for (event_id, change) in self.changes {
            let event = self.stock.events.get(&event_id);
            let holds = change.holds.into_iter().filter_map(|(booking_id, before)| {
                let (_, after) = self.stock.holds.remove(&booking_id)?;
                Some(HoldChange { booking_id, before, after })
            });
            let now = event.into_iter().flat_map(|(event, _)| stocks(event));
            let changed = now.filter(|stock| !change.stocks.contains(stock));
            changes.push(StockChange {
                event_id,
                loaded: event.map(|(_, stock_version)| *stock_version),
                time_zone: event.map(|(event, _)| event.details.time_zone),
                first_booked: event.is_some_and(|(e, _)| e.booked && !change.was_booked),
                stocks: changed.collect(),
                holds: holds.collect(),
                replies: change.replies,
            });
        }
        changes
    }
}

fn decide(
    stock: &mut StockSnapshot,
    command: &Command,
    hold: Option<&Hold>,
    context: &DecisionContext<'_>,
) -> Result<Decision, StockMismatch> {
    let event_id = command.hold().event_id;
    let event = stock.events.get_mut(&event_id).map(|(event, _)| event);
    match command {
        Command::Reserve(request) => {
            let count = stock.buyers.get(&(event_id, request.user_id)).copied();
            let BuyerCount { unpaid, seats } = count.unwrap_or_default();
            let buyer = BuyerHolds { unpaid, max_unpaid: context.max_unpaid_holds, seats };
            Ok(reserve(event, hold, buyer, request, context.at))
        }
        Command::Confirm(_) => confirm(event, hold, &mut || (context.mint)()),
        Command::Release(_) => release(event, hold),
    }
}

fn stocks(event: &Event) -> impl Iterator<Item = (TicketTypeId, Stock)> {
    event.ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type.stock))
}

/// Keeps what a buyer has right for the rest of the batch.
fn count_for_buyer(
    stock: &mut StockSnapshot,
    event_id: EventId,
    before: Option<&Hold>,
    after: &Hold,
) {
    if let Some(Hold::Held(reservation) | Hold::Sold(reservation, _)) = before
        && let Entry::Occupied(mut count) = stock.buyers.entry((event_id, reservation.user_id))
    {
        let unpaid = u32::from(matches!(before, Some(Hold::Held(_))));
        let count = count.get_mut();
        count.unpaid = count.unpaid.saturating_sub(unpaid);
        count.seats = count.seats.saturating_sub(reservation.seat_count());
    }
    if let Hold::Held(reservation) | Hold::Sold(reservation, _) = after {
        let count = stock.buyers.entry((event_id, reservation.user_id)).or_default();
        count.unpaid += u32::from(matches!(after, Hold::Held(_)));
        count.seats += reservation.seat_count();
    }
}
