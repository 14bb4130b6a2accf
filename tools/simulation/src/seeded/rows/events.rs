//! event-service's tables, as its `adapters/postgres` reads and writes them.

use std::collections::{BTreeMap, HashMap, HashSet};

use karcis_database::KeyUse;
use karcis_event_service::{
    application::{Announcement, BuyerCount, CancelledEvent, StockChange},
    domain::{Command, Event, Hold},
};
use karcis_kernel::{BookingId, Bug, EventId, Timestamp, UserId};

#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    pub(crate) event: Event,
    pub(crate) stock_version: i64,
    /// How many times it was announced as cancelled, and when that is due again.
    pub(crate) announced: u32,
    pub(crate) announce_at: Option<Timestamp>,
    /// Whether an edit has it locked.
    pub(crate) is_locked: bool,
}

#[derive(Debug, Default)]
pub(crate) struct EventRows {
    events: BTreeMap<EventId, EventRow>,
    holds: BTreeMap<BookingId, (EventId, Hold)>,
    of_buyer: HashMap<(EventId, UserId), Vec<BookingId>>,
    keys: Vec<KeyUse>,
}

impl EventRows {
    pub(crate) fn get(&self, id: EventId) -> Option<&EventRow> {
        self.events.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: EventId) -> Option<&mut EventRow> {
        self.events.get_mut(&id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &EventRow> {
        self.events.values()
    }

    pub(crate) fn hold(&self, booking: BookingId) -> Option<&Hold> {
        self.holds.get(&booking).map(|(_, hold)| hold)
    }

    pub(crate) fn holds(&self) -> impl Iterator<Item = (BookingId, EventId, &Hold)> {
        self.holds.iter().map(|(booking, (event, hold))| (*booking, *event, hold))
    }

    /// `load.rs`, its three statements.
    pub(crate) fn load_events(&self, commands: &[&Command]) -> HashMap<EventId, (Event, i64)> {
        let ids = commands.iter().map(|command| command.hold().event_id);
        let rows = ids.filter_map(|id| self.events.get(&id));
        rows.map(|row| (row.event.id, (row.event.clone(), row.stock_version))).collect()
    }

    pub(crate) fn load_holds(&self, commands: &[&Command]) -> HashMap<BookingId, (EventId, Hold)> {
        let ids = commands.iter().map(|command| command.hold().booking_id);
        ids.filter_map(|id| Some((id, self.holds.get(&id)?.clone()))).collect()
    }

    pub(crate) fn count_for_buyers(
        &self,
        commands: &[&Command],
    ) -> HashMap<(EventId, UserId), BuyerCount> {
        let buyers = commands.iter().filter_map(|command| match command {
            Command::Reserve(reserve) => Some((reserve.hold.event_id, reserve.user_id)),
            Command::Confirm(_) | Command::Release(_) => None,
        });
        buyers.map(|buyer| (buyer, self.count(buyer))).collect()
    }

    fn count(&self, buyer: (EventId, UserId)) -> BuyerCount {
        let mut count = BuyerCount::default();
        for (_, hold) in self.of_buyer.get(&buyer).into_iter().flatten().map(|id| &self.holds[id]) {
            if let Hold::Held(reservation) | Hold::Sold(reservation, _) = hold {
                count.unpaid += u32::from(matches!(hold, Hold::Held(_)));
                count.seats += reservation.seat_count();
            }
        }
        count
    }

    /// How many seats the booking holds or has bought; `None` if none.
    pub(crate) fn seats(&self, booking: BookingId) -> Option<usize> {
        match self.hold(booking)? {
            Hold::Held(reservation) | Hold::Sold(reservation, _) => {
                Some(reservation.seat_count() as usize)
            }
            Hold::Released | Hold::Rejected(_) => None,
        }
    }

    /// `commit.rs`: writes the changes of events that are as they were loaded, and returns the other events.
    /// `is_locked` says which rows another transaction has.
    pub(crate) fn commit(
        &mut self,
        mut changes: Vec<StockChange>,
        mut is_locked: impl FnMut(EventId) -> bool,
    ) -> (Vec<StockChange>, HashSet<EventId>) {
        let mut conflicts: HashSet<EventId> =
            changes.iter().map(|change| change.event_id).collect();
        changes.retain(|change| match self.events.get(&change.event_id) {
            Some(row) => {
                let is_seen = Some(row.stock_version) == change.loaded;
                (is_seen || Bug::VersionCheckSkipped.is_planted())
                    && !row.is_locked
                    && !is_locked(change.event_id)
            }
            None => change.loaded.is_none(),
        });
        let mut new = changes.iter().flat_map(|it| &it.holds).filter(|hold| hold.before.is_none());
        if new.any(|hold| self.holds.contains_key(&hold.booking_id)) {
            return (vec![], conflicts);
        }
        for change in &changes {
            conflicts.remove(&change.event_id);
            self.write(change);
        }
        (changes, conflicts)
    }

    fn write(&mut self, change: &StockChange) {
        for hold in &change.holds {
            if let (None, Hold::Held(reservation)) = (&hold.before, &hold.after) {
                let buyer = (change.event_id, reservation.user_id);
                self.of_buyer.entry(buyer).or_default().push(hold.booking_id);
            }
            self.holds.insert(hold.booking_id, (change.event_id, hold.after.clone()));
        }
        let Some(row) = self.events.get_mut(&change.event_id) else { return };
        if change.holds.is_empty() {
            return;
        }
        row.stock_version += 1;
        row.event.booked |= change.first_booked;
        for (id, stock) in &change.stocks {
            if let Some(kind) = row.event.ticket_types.iter_mut().find(|kind| kind.id == *id) {
                kind.stock = *stock;
            }
        }
    }

    /// `events.rs`.
    pub(crate) fn key_use(&self, key: &KeyUse) -> Option<KeyUse> {
        self.keys.iter().find(|used| used.key == key.key).cloned()
    }

    /// `false`: the key is used.
    pub(crate) fn add(&mut self, event: &Event, key: Option<&KeyUse>) -> bool {
        if key.is_some_and(|key| self.key_use(key).is_some()) {
            return false;
        }
        self.keys.extend(key.cloned());
        let event = event.clone();
        let row =
            EventRow { event, stock_version: 0, announced: 0, announce_at: None, is_locked: false };
        self.events.insert(row.event.id, row);
        true
    }

    pub(crate) fn delete(&mut self, id: EventId) {
        self.events.remove(&id);
    }

    /// `load.rs`.
    pub(crate) fn due(&self, at: Timestamp, limit: u16) -> Vec<CancelledEvent> {
        let rows = self.events.values().filter(|row| row.announce_at.is_some_and(|due| due <= at));
        let mut due: Vec<_> = rows.collect();
        due.sort_by_key(|row| (row.announce_at, row.event.id));
        let cancelled = due.into_iter().take(limit.into()).filter_map(|row| {
            let stocks = row.event.ticket_types.iter().map(|kind| kind.stock);
            Some(CancelledEvent {
                id: row.event.id,
                reason: row.event.stage.cancel_reason()?.clone(),
                announced: row.announced,
                taken: stocks.map(|stock| u64::from(stock.held() + stock.sold())).sum(),
            })
        });
        cancelled.collect()
    }

    pub(crate) fn next_announcement(&self) -> Option<Timestamp> {
        self.events.values().filter_map(|row| row.announce_at).min()
    }

    /// `commit.rs`: returns the events that are announced again.
    pub(crate) fn announce(&mut self, announcements: &[Announcement]) -> Vec<EventId> {
        let mut again = vec![];
        for Announcement { event, next } in announcements {
            let row = self.events.get_mut(&event.id);
            let Some(row) = row.filter(|it| it.announced == event.announced && !it.is_locked)
            else {
                continue;
            };
            row.announced += 1;
            row.announce_at = *next;
            again.extend(next.map(|_| event.id));
        }
        again
    }
}
