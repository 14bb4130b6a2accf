//! Answers a batch of booking-service's commands: decided one at a time, read and written together.

use std::collections::{BTreeMap, hash_map::Entry};

use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp};

use super::ports::{Books, HoldChange, Reply, StockChange, Stocks, StoreError};
use crate::domain::{
    Answer, Command, Decision, Event, Hold, OutOfBalance, Stock, UnpaidHolds, confirm, release,
    reserve,
};

/// How often a batch is decided again because its events were edited meanwhile.
const ROUNDS: usize = 10;

/// What commands are decided by, besides the stock.
pub struct Terms<'a> {
    /// How many unpaid holds a buyer may have for an event.
    pub most_unpaid: u32,
    /// The time.
    pub at: Timestamp,
    /// Draws a new ticket code.
    pub mint: &'a (dyn Fn() -> TicketCode + Sync),
}

/// Why a batch was not answered.
#[derive(Debug, thiserror::Error)]
pub enum TakeCommandsError {
    /// A command does not fit what is stored for its booking.
    #[error("booking {booking}: {why}")]
    Unfit {
        /// The booking.
        booking: BookingId,
        /// What does not fit.
        why: &'static str,
    },
    /// An event was edited as often as it was decided on.
    #[error("an event keeps changing")]
    KeepsChanging,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers every command and returns the answers that changed a hold. Repeating a batch changes
/// nothing and gives the stored answers again.
pub async fn take_commands(
    stocks: &dyn Stocks,
    commands: &[&Command],
    terms: &Terms<'_>,
) -> Result<Vec<Answer>, TakeCommandsError> {
    let mut open = commands.to_vec();
    let mut news = Vec::new();
    for _ in 0..ROUNDS {
        let mut batch = Batch::new(stocks.load(&open).await?);
        for command in &open {
            batch.take(command, terms)?;
        }
        let (changes, decided) = batch.finish();
        let conflicts = stocks.commit(changes, terms.at).await?;
        let written = decided.into_iter().filter(|(event_id, _)| !conflicts.contains(event_id));
        news.extend(written.map(|(_, answer)| answer));
        open.retain(|command| conflicts.contains(&command.address().event_id));
        if open.is_empty() {
            return Ok(news);
        }
    }
    Err(TakeCommandsError::KeepsChanging)
}

/// The books while a batch is worked off, and what it has changed in them.
struct Batch {
    books: Books,
    changes: BTreeMap<EventId, Changes>,
    decided: Vec<(EventId, Answer)>,
}

/// How an event and its holds were before, and the answers. Ordered by id, so that two instances
/// write rows of the same keys in the same order.
struct Changes {
    was_booked: bool,
    stocks: Vec<(TicketTypeId, Stock)>,
    holds: BTreeMap<BookingId, Option<Hold>>,
    replies: Vec<Reply>,
}

impl Changes {
    fn of(event: Option<&(Event, i64)>) -> Self {
        Self {
            was_booked: event.is_some_and(|(event, _)| event.booked),
            stocks: event.map(|(event, _)| stocks(event).collect()).unwrap_or_default(),
            holds: BTreeMap::new(),
            replies: Vec::new(),
        }
    }
}

impl Batch {
    fn new(books: Books) -> Self {
        Self { books, changes: BTreeMap::new(), decided: Vec::new() }
    }

    fn take(&mut self, command: &Command, terms: &Terms<'_>) -> Result<(), TakeCommandsError> {
        let to = command.address();
        let unfit = |why| TakeCommandsError::Unfit { booking: to.booking_id, why };
        let before = match self.books.holds.get(&to.booking_id) {
            Some((event_id, _)) if *event_id != to.event_id => {
                return Err(unfit("its hold is of another event"));
            }
            hold => hold.map(|(_, hold)| hold.clone()),
        };
        let event = self.books.events.get(&to.event_id);
        self.changes.entry(to.event_id).or_insert_with(|| Changes::of(event));
        let decision = self
            .decide(command, before.as_ref(), terms)
            .map_err(|OutOfBalance| unfit("its hold does not match the stock of its event"))?;
        if let Some(after) = &decision.hold {
            count_unpaid(&mut self.books, to.event_id, before.as_ref(), after);
            self.books.holds.insert(to.booking_id, (to.event_id, after.clone()));
            self.decided.push((to.event_id, decision.answer.clone()));
        }
        if let Some(changes) = self.changes.get_mut(&to.event_id) {
            if decision.hold.is_some() {
                changes.holds.entry(to.booking_id).or_insert(before);
            }
            changes.replies.push(Reply { to, answer: decision.answer });
        }
        Ok(())
    }

    fn decide(
        &mut self,
        command: &Command,
        hold: Option<&Hold>,
        terms: &Terms<'_>,
    ) -> Result<Decision, OutOfBalance> {
        let event_id = command.address().event_id;
        let event = self.books.events.get_mut(&event_id).map(|(event, _)| event);
        match command {
            Command::Reserve(request) => {
                let key = (event_id, request.user_id);
                let now = self.books.unpaid.get(&key).copied().unwrap_or(0);
                let unpaid = UnpaidHolds { now, most: terms.most_unpaid };
                Ok(reserve(event, hold, unpaid, request, terms.at))
            }
            Command::Confirm(_) => confirm(event, hold, &mut || (terms.mint)()),
            Command::Release(_) => release(event, hold),
        }
    }

    /// What to write per event, and the answers that changed a hold.
    fn finish(mut self) -> (Vec<StockChange>, Vec<(EventId, Answer)>) {
        let mut written = Vec::with_capacity(self.changes.len());
        for (event_id, changes) in self.changes {
            let event = self.books.events.get(&event_id);
            let holds = changes.holds.into_iter().filter_map(|(booking_id, before)| {
                let (_, after) = self.books.holds.remove(&booking_id)?;
                Some(HoldChange { booking_id, before, after })
            });
            let now = event.into_iter().flat_map(|(event, _)| stocks(event));
            let moved = now.filter(|stock| !changes.stocks.contains(stock));
            written.push(StockChange {
                event_id,
                loaded: event.map(|(_, stock_version)| *stock_version),
                first_booked: event.is_some_and(|(e, _)| e.booked && !changes.was_booked),
                stocks: moved.collect(),
                holds: holds.collect(),
                replies: changes.replies,
            });
        }
        (written, self.decided)
    }
}

fn stocks(event: &Event) -> impl Iterator<Item = (TicketTypeId, Stock)> {
    event.ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type.stock))
}

/// Keeps a buyer's count of unpaid holds right for the rest of the batch.
fn count_unpaid(books: &mut Books, event_id: EventId, before: Option<&Hold>, after: &Hold) {
    if let Some(Hold::Held(reservation)) = before
        && let Entry::Occupied(mut count) = books.unpaid.entry((event_id, reservation.user_id))
    {
        *count.get_mut() = count.get().saturating_sub(1);
    }
    if let Hold::Held(reservation) = after {
        *books.unpaid.entry((event_id, reservation.user_id)).or_insert(0) += 1;
    }
}
