//! Everything that the services know of one booking, and every world that one event makes of it.

use std::sync::Arc;

use karcis_booking_service::domain as booking;
use karcis_event_service::domain as event;
use karcis_payment_service::domain as payment;

use super::{
    Rules, Scenario,
    messages::{COMMANDS, Message, Messages, REPLIES, command},
    samples,
};

/// A rule that does not hold, in words.
pub(crate) type Violation = String;

/// One booking in all three services, at the provider and on its way between them.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) booking: booking::Booking,
    pub(crate) event: event::Event,
    pub(crate) hold: Option<event::Hold>,
    /// Another booking's hold of the same seat.
    pub(crate) rival: Option<event::Hold>,
    pub(crate) payment: Option<payment::PaymentRecord>,
    pub(crate) provider: Provider,
    pub(crate) sent: Messages,
    pub(crate) contents: Contents,
    /// How many ticket codes were minted.
    pub(crate) minted: u8,
    /// Whether the buyer was told that the booking is being cancelled.
    pub(crate) cancel_accepted: bool,
    /// Whether somebody released the hold in event-service by mistake.
    pub(crate) released_by_mistake: bool,
}

/// The provider's own books: attempts by their number as bits, and amounts in whole orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Provider {
    pub(crate) captured: u8,
    pub(crate) refunded: u8,
}

impl Provider {
    /// How often the order's amount is with the provider.
    pub(crate) fn net(self) -> i64 {
        i64::from(self.captured.count_ones()) - i64::from(self.refunded)
    }
}

/// What the replies say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) reservation: Option<Arc<event::Reservation>>,
    pub(crate) tickets: Option<Arc<[event::Ticket]>>,
    pub(crate) rejection: Option<event::RejectReason>,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let transition = booking::create(samples::order(), samples::context().resends);
        Self {
            sent: Messages::default().with(transition.messages.iter().filter_map(command)),
            booking: plain(transition.booking),
            event: samples::event(scenario),
            hold: None,
            rival: None,
            payment: None,
            provider: Provider::default(),
            contents: Contents::default(),
            minted: 0,
            cancel_accepted: false,
            released_by_mistake: false,
        }
    }

    /// Whether the organiser has cancelled the event.
    pub(crate) fn is_event_cancelled(&self) -> bool {
        matches!(self.event.stage, event::Stage::Cancelled(_))
    }

    /// Whether booking-service knows that the event is put off.
    pub(crate) fn is_moved(&self) -> bool {
        self.booking.event.is_some()
    }

    /// What the reconciler asks about a booking that has ended changes nothing.
    fn check_reconciler(&self, rules: &Rules) -> Result<(), Violation> {
        for command in self.booking.last_commands().iter().filter_map(command) {
            let asked = self.with_command(rules, command)?;
            let stays = self.hold == asked.hold
                && self.payment == asked.payment
                && self.event.ticket_types == asked.event.ticket_types;
            require(stays, || format!("{command:?} of an ended booking changes something"))?;
        }
        Ok(())
    }

    /// Every world that one event can make of this one.
    pub(crate) fn next(&self, rules: &Rules, scenario: Scenario) -> Result<Vec<Self>, Violation> {
        self.check_reconciler(rules)?;
        let mut next = Vec::new();
        for message in self.sent.of(&COMMANDS) {
            next.push(self.with_command(rules, message)?);
        }
        for message in self.sent.of(&REPLIES) {
            next.push(self.with_input(rules, &self.input(message)?)?);
        }
        next.push(self.with_input(rules, &booking::Input::Cancel)?);
        next.push(self.with_input(rules, &booking::Input::CancelByOperator)?);
        if self.booking.due_at().is_some() {
            next.push(self.with_input(rules, &booking::Input::Due)?);
        }
        if self.is_event_cancelled() {
            next.push(self.with_input(rules, &booking::Input::EventCancelled)?);
        }
        if scenario.is_moved {
            let event = Some(Arc::new(samples::put_off()));
            let booking = booking::Booking { event, ..self.booking.clone() };
            next.push(Self { booking, ..self.clone() });
            next.push(self.with_input(rules, &booking::Input::EventChanged)?);
        }
        next.extend(self.payment_steps(rules, scenario)?);
        next.push(Self { event: samples::cancelled(&self.event), ..self.clone() });
        next.push(self.with_rivals_reservation(rules));
        next.push(self.with_rivals_release(rules)?);
        if matches!(self.hold, Some(event::Hold::Held(_))) {
            let released = self.with_command(rules, Message::ReleaseTickets)?;
            next.push(Self { sent: self.sent, released_by_mistake: true, ..released });
        }
        Ok(next)
    }

    /// The world after the booking took this input, which may change nothing.
    pub(crate) fn with_input(
        &self,
        rules: &Rules,
        input: &booking::Input,
    ) -> Result<Self, Violation> {
        let is_cancel = matches!(input, booking::Input::Cancel | booking::Input::CancelByOperator);
        let transition = match (rules.decide)(&self.booking, samples::context(), input) {
            booking::Verdict::Transition(transition) => transition,
            booking::Verdict::Ignored => {
                // The reconciler would take it for a difference, and only a mistake is one.
                let contradiction = self.booking.compare(input).and_then(|it| it.contradiction);
                require(contradiction.is_none() || self.released_by_mistake, || {
                    format!("{contradiction:?}")
                })?;
                let cancel_accepted = self.cancel_accepted || is_cancel;
                return Ok(Self { cancel_accepted, ..self.clone() });
            }
            booking::Verdict::Refused(refusal) => {
                let is_open = refusal == booking::Refusal::RefundWindowClosed && self.is_moved();
                require(!is_open, || "a cancel is refused inside the refund window".to_owned())?;
                return Ok(self.clone());
            }
            booking::Verdict::Resend(_) => return Ok(self.clone()),
        };
        if *input == booking::Input::EventChanged {
            self.check_told(&transition)?;
        }
        let commands: Vec<Message> = transition.messages.iter().filter_map(command).collect();
        let twice = commands.iter().find(|command| self.sent.contains(**command));
        require(twice.is_none(), || format!("{twice:?} is sent a second time"))?;
        let pending: Vec<Message> =
            transition.booking.pending().iter().filter_map(command).collect();
        require(commands.iter().all(|sent| pending.contains(sent)), || {
            format!("{commands:?} are sent, but {pending:?} are pending")
        })?;
        require(pending.is_empty() == transition.booking.next_resend.is_none(), || {
            format!("{pending:?} are pending, but resent: {:?}", transition.booking.next_resend)
        })?;
        Ok(Self {
            booking: plain(transition.booking),
            sent: self.sent.with(commands),
            cancel_accepted: self.cancel_accepted || is_cancel,
            ..self.clone()
        })
    }

    /// Who is told of a move is told once, and the saga stays where it is.
    fn check_told(&self, transition: &booking::Transition) -> Result<(), Violation> {
        let (before, after) = (&self.booking, &transition.booking);
        let is_moved = |message: &booking::Message| {
            matches!(message, booking::Message::BookingEventChanged { .. })
        };
        let is_told = transition.messages.len() == 1 && transition.messages.iter().all(is_moved);
        require(is_told, || format!("a move sends {:?}", transition.messages))?;
        require(before.event_version < after.event_version, || "told twice".to_owned())?;
        let waits = |booking: &booking::Booking| (booking.due_at(), booking.next_resend);
        let stays = before.stage == after.stage && waits(before) == waits(after);
        require(stays, || "a move of the event moves the saga".to_owned())
    }

    /// What this reply tells booking-service.
    pub(crate) fn input(&self, reply: Message) -> Result<booking::Input, Violation> {
        use booking::Input;
        let missing = || format!("{reply:?} was never sent");
        Ok(match reply {
            Message::TicketsReserved => {
                let reservation = self.contents.reservation.as_ref().ok_or_else(missing)?;
                Input::TicketsReserved(samples::reservation(reservation))
            }
            Message::TicketsRejected => {
                Input::TicketsRejected(match self.contents.rejection.ok_or_else(missing)? {
                    event::RejectReason::EventCancelled => booking::RejectReason::EventCancelled,
                    event::RejectReason::SoldOut => booking::RejectReason::SoldOut,
                    _ => booking::RejectReason::SalesClosed,
                })
            }
            Message::TicketsConfirmed => {
                let tickets = self.contents.tickets.as_ref().ok_or_else(missing)?;
                Input::TicketsConfirmed(samples::tickets(tickets))
            }
            Message::ConfirmRefused => Input::ConfirmRefused,
            Message::TicketsReleased => Input::TicketsReleased,
            Message::PaymentRequested => Input::PaymentRequested,
            Message::PaymentSucceeded => Input::PaymentSucceeded,
            Message::PaymentFailed => Input::PaymentFailed,
            Message::PaymentCancelled => Input::PaymentCancelled,
            Message::PaymentRefunded => Input::PaymentRefunded,
            Message::RefundRefused => Input::RefundRefused,
            command => return Err(format!("{command:?} is no reply")),
        })
    }

    /// The world after this command reached the service that it is for.
    pub(crate) fn with_command(&self, rules: &Rules, command: Message) -> Result<Self, Violation> {
        match command {
            Message::ReserveTickets | Message::ConfirmTickets | Message::ReleaseTickets => {
                self.with_event_command(rules, command)
            }
            _ => self.with_payment_command(rules, command),
        }
    }
}

/// An error with these words unless the condition holds.
pub(crate) fn require(holds: bool, violation: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation()) }
}

/// Without the version, which differs between equal states.
fn plain(booking: booking::Booking) -> booking::Booking {
    booking::Booking { version: 0, ..booking }
}
