//! The saga with models of its participants, in every order of events: each reachable state is
//! visited and checked.
//!
//! A message that was sent can be delivered at any later time, any number of times, or never: this
//! covers every delay, order, repetition and loss. Each state is also tried with all messages in
//! flight thrown away, to see that resends bring the saga to its end.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::samples::{context, noon, order, resends, reservation, tickets};
use crate::domain::*;

/// event-service's hold of the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Hold {
    None,
    Held,
    Sold,
    Released,
    Rejected,
}

/// payment-service's payment of the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Payment {
    None,
    Open,
    Processing { to_be_cancelled: bool },
    Succeeded,
    Failed,
    Cancelled,
    Refunding,
    Refunded,
}

/// A command or reply, as a bit of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Reserve,
    Confirm,
    Release,
    Request,
    Cancel,
    Refund,
    Reserved,
    Rejected,
    Confirmed,
    ConfirmRefused,
    Released,
    Requested,
    Succeeded,
    Failed,
    Cancelled,
    Refunded,
    RefundRefused,
}

use Wire::*;

const COMMANDS: [Wire; 6] = [Reserve, Confirm, Release, Request, Cancel, Refund];
const REPLIES: [Wire; 11] = [
    Reserved,
    Rejected,
    Confirmed,
    ConfirmRefused,
    Released,
    Requested,
    Succeeded,
    Failed,
    Cancelled,
    Refunded,
    RefundRefused,
];

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, Hash)]
struct Sent(u32);

impl Sent {
    fn has(self, wire: Wire) -> bool {
        self.0 & (1 << wire as u32) != 0
    }

    fn and(self, wires: impl IntoIterator<Item = Wire>) -> Self {
        Self(wires.into_iter().fold(self.0, |set, wire| set | 1 << wire as u32))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    booking: Booking,
    hold: Hold,
    payment: Payment,
    event_cancelled: bool,
    sent: Sent,
}

/// The conditions of one run: a price, and whether a cancellation still gives the money back.
#[derive(Clone, Copy, Debug)]
struct Conditions {
    price: i64,
    refundable: bool,
}

fn command(message: &Message) -> Option<Wire> {
    Some(match message {
        Message::ReserveTickets => Reserve,
        Message::ConfirmTickets => Confirm,
        Message::ReleaseTickets => Release,
        Message::RequestPayment { .. } => Request,
        Message::CancelPayment => Cancel,
        Message::RefundPayment => Refund,
        _ => return None,
    })
}

fn input(reply: Wire, conditions: Conditions) -> Input {
    let last_moment = noon() - TimeDelta::seconds(i64::from(!conditions.refundable));
    match reply {
        Reserved => Input::TicketsReserved(reservation(conditions.price, last_moment)),
        Rejected => Input::TicketsRejected(RejectReason::SoldOut),
        Confirmed => Input::TicketsConfirmed(tickets()),
        ConfirmRefused => Input::ConfirmRefused,
        Released => Input::TicketsReleased,
        Requested => Input::PaymentRequested,
        Succeeded => Input::PaymentSucceeded,
        Failed => Input::PaymentFailed,
        Cancelled => Input::PaymentCancelled,
        Refunded => Input::PaymentRefunded,
        RefundRefused => Input::RefundRefused,
        command => panic!("{command:?} is no reply"),
    }
}

/// What event-service does on a command: the possible holds after it, each with its answer.
fn hold_after(hold: Hold, command: Wire, event_cancelled: bool) -> Vec<(Hold, Wire)> {
    match (command, hold) {
        (Reserve, Hold::None) if event_cancelled => vec![(Hold::Rejected, Rejected)],
        (Reserve, Hold::None) => vec![(Hold::Held, Reserved), (Hold::Rejected, Rejected)],
        (Reserve, Hold::Held | Hold::Sold) => vec![(hold, Reserved)],
        (Reserve, Hold::Released | Hold::Rejected) => vec![(hold, Rejected)],
        (Confirm, Hold::Held | Hold::Sold) => vec![(Hold::Sold, Confirmed)],
        (Confirm, _) => vec![(hold, ConfirmRefused)],
        (Release, _) => vec![(Hold::Released, Released)],
        _ => vec![],
    }
}

/// What payment-service does on a command: the payment after it, and its answer if it has one.
fn payment_after(payment: Payment, command: Wire) -> (Payment, Option<Wire>) {
    use Payment as P;
    match (command, payment) {
        (Request, P::None) => (P::Open, Some(Requested)),
        (Request, P::Open | P::Processing { .. }) => (payment, Some(Requested)),
        (Cancel, P::None | P::Open) => (P::Cancelled, Some(Cancelled)),
        (Cancel, P::Processing { .. }) => (P::Processing { to_be_cancelled: true }, None),
        (Request | Cancel, P::Succeeded) => (payment, Some(Succeeded)),
        (Request | Cancel, P::Failed) => (payment, Some(Failed)),
        (Request | Cancel, P::Cancelled) => (payment, Some(Cancelled)),
        (Request | Cancel | Refund, P::Refunded) => (payment, Some(Refunded)),
        (Refund, P::Succeeded) => (P::Refunding, None),
        (Refund, P::None | P::Open | P::Processing { .. } | P::Failed | P::Cancelled) => {
            panic!("a refund of a {payment:?} payment")
        }
        _ => (payment, None),
    }
}

/// What buyer, provider and operator can do to a payment without a command.
fn payment_changes(payment: Payment) -> Vec<(Payment, Option<Wire>)> {
    use Payment as P;
    match payment {
        P::Open => {
            vec![(P::Processing { to_be_cancelled: false }, None), (P::Cancelled, Some(Cancelled))]
        }
        P::Processing { to_be_cancelled } => {
            let declined =
                if to_be_cancelled { (P::Cancelled, Some(Cancelled)) } else { (P::Open, None) };
            vec![(P::Succeeded, Some(Succeeded)), (P::Failed, Some(Failed)), declined]
        }
        P::Refunding => vec![(P::Refunded, Some(Refunded)), (P::Refunding, Some(RefundRefused))],
        _ => vec![],
    }
}

impl World {
    fn new() -> Self {
        let to = create(order(), resends());
        let sent = Sent::default().and(to.messages.iter().filter_map(command));
        let (hold, payment) = (Hold::None, Payment::None);
        Self { booking: plain(to.booking), hold, payment, event_cancelled: false, sent }
    }

    /// The world after this input, which may change nothing.
    fn with_input(&self, input: &Input) -> Self {
        let Verdict::Transition(to) = decide(&self.booking, context(noon()), input) else {
            return self.clone();
        };
        assert!(!self.booking.status().is_last() || to.booking.status().is_last());
        assert!(!is_end(&self.booking), "{:?} changed an end", input.name());
        let commands: Vec<Wire> = to.messages.iter().filter_map(command).collect();
        for command in &commands {
            assert!(!self.sent.has(*command), "{command:?} is sent a second time");
        }
        let pending: Vec<Wire> = to.booking.pending().iter().filter_map(command).collect();
        assert!(commands.iter().all(|sent| pending.contains(sent)), "what is sent is pending");
        assert_eq!(pending.is_empty(), to.booking.next_resend.is_none());
        let sent = self.sent.and(commands);
        Self { booking: plain(to.booking), sent, ..self.clone() }
    }

    /// Every world that one event can make of this one.
    fn next(&self, conditions: Conditions) -> Vec<Self> {
        let mut next = vec![self.with_input(&Input::Cancel)];
        for reply in REPLIES.into_iter().filter(|reply| self.sent.has(*reply)) {
            next.push(self.with_input(&input(reply, conditions)));
        }
        for command in COMMANDS.into_iter().filter(|command| self.sent.has(*command)) {
            next.extend(self.commanded(command));
        }
        for (payment, reply) in payment_changes(self.payment) {
            next.push(Self { payment, sent: self.sent.and(reply), ..self.clone() });
        }
        if self.booking.due_at().is_some() {
            next.push(self.with_input(&Input::Due));
        }
        if self.event_cancelled {
            next.push(self.with_input(&Input::EventCancelled));
        }
        next.push(Self { event_cancelled: true, ..self.clone() });
        if self.hold == Hold::Held {
            // An operator's mistake, which must not cost a buyer money.
            next.push(Self { hold: Hold::Released, ..self.clone() });
        }
        next
    }

    fn commanded(&self, command: Wire) -> Vec<Self> {
        if matches!(command, Reserve | Confirm | Release) {
            return hold_after(self.hold, command, self.event_cancelled)
                .into_iter()
                .map(|(hold, reply)| Self { hold, sent: self.sent.and([reply]), ..self.clone() })
                .collect();
        }
        let (payment, reply) = payment_after(self.payment, command);
        vec![Self { payment, sent: self.sent.and(reply), ..self.clone() }]
    }

    fn check(&self, conditions: Conditions) {
        use Payment as P;
        let free = conditions.price == 0;
        match &self.booking.stage {
            Stage::Rejected { .. } | Stage::Cancelled { .. } => {
                assert!(!matches!(self.hold, Hold::Held | Hold::Sold), "seats are kept: {self:?}");
                let paid_back =
                    matches!(self.payment, P::None | P::Failed | P::Cancelled | P::Refunded);
                assert!(paid_back, "money is kept: {self:?}");
                let went_back = self.booking.refund().is_some_and(|refund| refund.done);
                assert_eq!(went_back, self.payment == P::Refunded, "wrong refund: {self:?}");
            }
            Stage::Confirmed { .. } => {
                assert_eq!(self.hold, Hold::Sold, "a ticket without a seat: {self:?}");
                assert_eq!(self.payment == P::Succeeded, !free, "unpaid: {self:?}");
            }
            _ => {}
        }
        if self.hold == Hold::Sold && !free {
            let paid = matches!(self.payment, P::Succeeded | P::Refunding | P::Refunded);
            assert!(paid, "sold without money: {self:?}");
        }
    }

    /// Loses every message in flight. Resends, the deadline and the provider must then bring the
    /// saga to its end, without the buyer.
    fn heals(&self, conditions: Conditions) {
        let mut world = Self { sent: Sent::default(), ..self.clone() };
        for _ in 0..12 {
            if is_end(&world.booking) || matches!(world.booking.stage, Stage::Confirmed { .. }) {
                return world.check(conditions);
            }
            for command in world.booking.pending().iter().filter_map(command) {
                world = world.commanded(command).swap_remove(0);
            }
            if matches!(world.payment, Payment::Processing { .. } | Payment::Refunding) {
                let (payment, reply) = payment_changes(world.payment)[0];
                world = Self { payment, sent: world.sent.and(reply), ..world };
            }
            let sent = std::mem::take(&mut world.sent);
            for reply in REPLIES.into_iter().filter(|reply| sent.has(*reply)) {
                let after = world.with_input(&input(reply, conditions));
                world = Self { sent: Sent::default(), ..after };
            }
            if world.booking.due_at().is_some() {
                let after = world.with_input(&Input::Due);
                world = Self { sent: Sent::default(), ..after };
            }
        }
        panic!("never ends: {self:?}, got to {world:?}");
    }
}

/// Without what counts or only informs, so that equal states are equal.
fn plain(booking: Booking) -> Booking {
    Booking { version: 0, stuck: None, ..booking }
}

fn is_end(booking: &Booking) -> bool {
    matches!(booking.stage, Stage::Rejected { .. } | Stage::Cancelled { .. })
}

fn explore(conditions: Conditions) -> HashSet<World> {
    let mut seen = HashSet::from([World::new()]);
    let mut healed = HashSet::new();
    let mut frontier = vec![World::new()];
    while let Some(world) = frontier.pop() {
        world.check(conditions);
        let without_messages = World { sent: Sent::default(), ..world.clone() };
        if healed.insert(without_messages) {
            world.heals(conditions);
        }
        for next in world.next(conditions) {
            if !seen.contains(&next) {
                seen.insert(next.clone());
                frontier.push(next);
            }
        }
    }
    seen
}

#[test]
fn no_order_repetition_or_loss_of_messages_costs_money_or_seats_and_every_booking_ends() {
    for price in [100, 0] {
        for refundable in [true, false] {
            let worlds = explore(Conditions { price, refundable });
            let visited: HashSet<&str> =
                worlds.iter().map(|world| world.booking.stage.name()).collect();
            let expected = if price == 0 { 6 } else { 9 };
            assert_eq!(visited.len(), expected, "not every stage was visited: {visited:?}");
            assert!(worlds.len() > 100, "only {} worlds", worlds.len());
        }
    }
}
