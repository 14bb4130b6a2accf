//! What must hold after every commit. The numbers are those of the rules in docs/proof.md.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use karcis_booking_service::domain::{Booking, Stage};
use karcis_database::RequestKey;
use karcis_event_service::domain::{Hold, Ticket};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId};
use karcis_payment_service::domain::{Payment, PaymentRecord, State, due_refunds};
use uuid::Uuid;

use super::rows::Tables;

/// The rules, in the order of their numbers, which begin at 1.
pub const RULES: [&str; 15] = [
    "free + held + sold = capacity, none below zero",
    "confirmed: the seats are sold, and it is free or charged once",
    "rejected: nothing is held, nothing was charged",
    "seats are released while money is captured: it is on its way back, and at rest it is back",
    "a booking is charged once at most, and the provider's books are the payments'",
    "what has ended stays, versions rise, an accepted cancel is never confirmed",
    "no seats without a booking that is under way or confirmed",
    "every saga ends",
    "a cancelled event ends with nothing held, nothing sold, nothing confirmed",
    "a repeated command changes nothing and is answered as before",
    "what is read again, or lost with its topic, changes nothing",
    "a process that stops or stands still does no harm, and its work goes on elsewhere",
    "one key is one booking and one charge",
    "one bad row or message delays nobody else",
    "at rest nothing waits, nothing is dead-lettered, what was accepted exists, and its buyer was told",
];

/// A rule that does not hold: its number, and what breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its place in [`RULES`].
    pub rule: u8,
    pub what: String,
}

/// An error of this rule unless the condition holds.
pub(crate) fn require(
    rule: u8,
    holds: bool,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { rule, what: what() }) }
}

/// What was seen before, to be compared with what is now.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    bookings: BTreeMap<BookingId, SeenBooking>,
    holds: HashMap<BookingId, Hold>,
    payments: HashMap<BookingId, (i64, State)>,
    /// By ticket type: how many seats all holds together hold, and how many they have bought.
    taken: HashMap<TicketTypeId, (u32, u32)>,
    codes: HashSet<TicketCode>,
    /// Bookings whose buyers were told that they are cancelled.
    cancels: HashSet<BookingId>,
    /// By a request's key: the ids of all that its repetitions could have made, bookings or attempts.
    drawn: BTreeMap<RequestKey, Vec<Uuid>>,
    /// What a request's key was answered with.
    answered: BTreeMap<RequestKey, BookingId>,
    /// Bookings whose buyers were told that they are accepted.
    accepted: BTreeSet<BookingId>,
}

#[derive(Debug)]
struct SeenBooking {
    version: i64,
    stage: &'static str,
    is_over: bool,
}

impl Checks {
    /// The buyer was told that the booking is cancelled; returns whether for the first time.
    pub(crate) fn cancel_accepted(&mut self, id: BookingId) -> bool {
        self.cancels.insert(id)
    }

    /// Whether the buyer was told that the booking is cancelled.
    pub(crate) fn is_cancel_accepted(&self, id: BookingId) -> bool {
        self.cancels.contains(&id)
    }

    /// A request under this key may make this.
    pub(crate) fn drew(&mut self, key: RequestKey, id: Uuid) {
        self.drawn.entry(key).or_default().push(id);
    }

    /// A request was answered with this booking.
    pub(crate) fn accept(
        &mut self,
        key: Option<RequestKey>,
        id: BookingId,
    ) -> Result<(), Violation> {
        self.accepted.insert(id);
        let Some(key) = key else { return Ok(()) };
        let first = *self.answered.entry(key).or_insert(id);
        require(13, first == id, || "one key is answered with two bookings".to_owned())
    }

    /// The bookings that were accepted.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = BookingId> {
        self.accepted.iter().copied()
    }

    /// What requests of one key could have made, for each key.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = &[Uuid]> {
        self.drawn.values().map(Vec::as_slice)
    }

    /// Everything that must hold of one booking in all services and at the provider.
    pub(crate) fn booking(&mut self, tables: &Tables, id: BookingId) -> Result<(), Violation> {
        self.hold_changes(tables, id)?;
        self.payment_changes(tables, id)?;
        let hold = tables.events.hold(id);
        let is_taken = matches!(hold, Some(Hold::Held(_) | Hold::Sold(..)));
        let Some(booking) = tables.bookings.get(id) else {
            return require(7, !is_taken, || "seats without a booking".to_owned());
        };
        self.booking_changes(booking)?;
        money(tables, booking, is_taken)?;
        let (captured, _) = tables.provider.sums(id);
        match &booking.stage {
            Stage::Confirmed { reservation, tickets } => {
                require(6, !self.cancels.contains(&id), || {
                    "an accepted cancel is confirmed".to_owned()
                })?;
                confirmed(tables, id, reservation.total.amount)?;
                let Some(Hold::Sold(_, sold)) = hold else { return Ok(()) };
                let shown: Vec<_> = tickets.iter().map(|ticket| &ticket.code).collect();
                let sold: Vec<_> = sold.iter().map(|ticket| &ticket.code).collect();
                require(10, shown == sold, || {
                    "the buyer has other tickets than were sold".to_owned()
                })
            }
            Stage::Rejected { .. } => {
                require(3, !is_taken, || "rejected, and holds seats".to_owned())?;
                require(3, captured == 0, || "rejected, and was charged".to_owned())
            }
            Stage::Cancelled { .. } => {
                require(7, !is_taken, || "cancelled, and holds seats".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn booking_changes(&mut self, booking: &Booking) -> Result<(), Violation> {
        let (id, stage, version) = (booking.order.id, booking.stage.name(), booking.version);
        let is_over = matches!(booking.stage, Stage::Rejected { .. } | Stage::Cancelled { .. });
        if let Some(seen) = self.bookings.get(&id) {
            require(6, version >= seen.version, || {
                format!("version {} becomes {version}", seen.version)
            })?;
            let is_same = stage == seen.stage;
            require(6, is_same || version > seen.version, || {
                "a stage without a version".to_owned()
            })?;
            require(6, is_same || !seen.is_over, || format!("{} becomes {stage}", seen.stage))?;
        }
        self.bookings.insert(id, SeenBooking { version, stage, is_over });
        Ok(())
    }

    /// The table of holds: held, sold and released follow one another, and nothing is sold twice.
    fn hold_changes(&mut self, tables: &Tables, id: BookingId) -> Result<(), Violation> {
        let Some(now) = tables.events.hold(id) else { return Ok(()) };
        let before = self.holds.get(&id);
        if before == Some(now) {
            return Ok(());
        }
        let follows = match (before, now) {
            (None, Hold::Held(_) | Hold::Released | Hold::Rejected(_)) => true,
            (Some(Hold::Held(held)), Hold::Sold(sold, _)) => held == sold,
            (Some(Hold::Held(_) | Hold::Sold(..)), Hold::Released) => true,
            _ => false,
        };
        require(10, follows, || format!("the hold {before:?} becomes {now:?}"))?;
        if let Hold::Sold(_, tickets) = now {
            let is_new = tickets.iter().all(|Ticket { code, .. }| self.codes.insert(code.clone()));
            require(10, is_new, || "a ticket code is minted twice".to_owned())?;
        }
        if let Some(before) = self.holds.get(&id).cloned() {
            self.count(&before, false);
        }
        self.count(now, true);
        self.holds.insert(id, now.clone());
        Ok(())
    }

    fn count(&mut self, hold: &Hold, is_added: bool) {
        let (Hold::Held(reservation) | Hold::Sold(reservation, _)) = hold else { return };
        for (kind, seats) in reservation.seats() {
            let (held, sold) = self.taken.entry(kind).or_default();
            let count = if matches!(hold, Hold::Held(_)) { held } else { sold };
            *count = if is_added { *count + seats } else { count.saturating_sub(seats) };
        }
    }

    fn payment_changes(&mut self, tables: &Tables, id: BookingId) -> Result<(), Violation> {
        let Some(payment) = tables.payments.payment(id) else { return Ok(()) };
        let (captured, refunded) = tables.provider.sums(id);
        let amount = payment.terms.amount().amount;
        require(5, captured - refunded <= amount, || "charged twice".to_owned())?;
        require(5, payment.captured.amount <= captured, || {
            "booked money that never came".to_owned()
        })?;
        require(5, payment.refunded.amount <= refunded, || {
            "booked a refund that never went".to_owned()
        })?;
        let unresolved =
            payment.attempts.iter().filter(|attempt| attempt.outcome.is_none()).count();
        require(5, unresolved <= 1, || "two attempts without an outcome".to_owned())?;
        if let Some((version, state)) = self.payments.get(&id) {
            require(6, payment.version >= *version, || "a payment's version falls".to_owned())?;
            let is_over =
                matches!(state, State::Failed { .. } | State::Cancelled | State::Refunded);
            let (then, now) = (state.status().as_str(), payment.state.status().as_str());
            require(6, !is_over || then == now, || format!("the payment's {then} becomes {now}"))?;
        }
        self.payments.insert(id, (payment.version, payment.state.clone()));
        Ok(())
    }

    /// The event's stock says what its holds say. Call it after its changed holds were looked at.
    pub(crate) fn stock(&self, tables: &Tables, event: EventId) -> Result<(), Violation> {
        let Some(row) = tables.events.get(event) else { return Ok(()) };
        for kind in &row.event.ticket_types {
            let (held, sold) = self.taken.get(&kind.id).copied().unwrap_or_default();
            let stock = kind.stock;
            require(1, (stock.held(), stock.sold()) == (held, sold), || {
                format!("{stock:?}, but holds have {held} held and {sold} sold")
            })?;
            require(1, held + sold <= stock.capacity(), || format!("oversold: {stock:?}"))?;
        }
        Ok(())
    }
}

/// Money that is with the provider belongs to a booking, or is on its way back.
fn money(tables: &Tables, booking: &Booking, is_taken: bool) -> Result<(), Violation> {
    let id = booking.order.id;
    let (captured, refunded) = tables.provider.sums(id);
    require(5, refunded <= captured, || "more money went back than came".to_owned())?;
    let record = tables.payments.get(id);
    let is_known = record.is_some_and(|record| matches!(record, PaymentRecord::Payment(_)));
    require(5, captured == 0 || is_known, || "charged without a payment".to_owned())?;
    let asked = matches!(booking.stage, Stage::Refunding { refunded: false, .. });
    let payment = tables.payments.payment(id);
    // Money that comes after all is unknown until a webhook tells of it, or an operator has the provider asked.
    let is_unknown = tables.provider.is_late(id)
        && payment.is_some_and(|payment| payment.captured.amount < captured);
    let under_way = asked || is_unknown || payment.is_some_and(is_owed);
    require(4, captured == refunded || is_taken || under_way, || {
        "seats are released while money is captured, and no refund is under way".to_owned()
    })
}

/// Whether money of the payment is to go back, which the provider may refuse.
pub(crate) fn is_owed(payment: &Payment) -> bool {
    matches!(payment.state, State::Refunding { .. }) || !due_refunds(payment).is_empty()
}

fn confirmed(tables: &Tables, id: BookingId, total: i64) -> Result<(), Violation> {
    let is_sold = matches!(tables.events.hold(id), Some(Hold::Sold(..)));
    require(2, is_sold, || "confirmed without seats that are sold".to_owned())?;
    let (captured, refunded) = tables.provider.sums(id);
    let net = captured - refunded;
    require(2, net == total, || format!("confirmed for {total}, and {net} is captured"))
}
