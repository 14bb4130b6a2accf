//! What event-service, payment-service and the provider do in a world.

use karcis_event_service::domain as event;
use karcis_kernel::TicketCode;
use karcis_payment_service::domain as payment;
use payment::{AttemptOutcome, Outcome, RefundKind, RefundOutcome, State};

use super::{
    Rules, Scenario,
    messages::Message,
    samples::{self, BOOKING, BUYER, PAYMENT, RIVAL, RIVAL_BOOKING},
    world::{Violation, World, require},
};

/// As many unpaid holds as both buyers could ever have.
const NO_LIMIT: event::BuyerHolds = event::BuyerHolds { unpaid: 0, max_unpaid: 2, seats: 0 };

impl World {
    pub(crate) fn with_event_command(
        &self,
        rules: &Rules,
        command: Message,
    ) -> Result<Self, Violation> {
        let once = self.decided_by_event_service(rules, command)?;
        let twice = once.decided_by_event_service(rules, command)?;
        let unchanged = (once.hold, once.event.ticket_types, once.sent, once.minted)
            == (twice.hold.clone(), twice.event.ticket_types.clone(), twice.sent, twice.minted);
        require(unchanged, || format!("{command:?} twice is not {command:?} once"))?;
        Ok(twice)
    }

    fn decided_by_event_service(&self, rules: &Rules, command: Message) -> Result<Self, Violation> {
        let mut next = self.clone();
        let (event, hold) = (Some(&mut next.event), self.hold.as_ref());
        let mut minted = self.minted;
        let mut mint = || {
            minted += 1;
            TicketCode::from_bits(minted.into())
        };
        let decision = match command {
            Message::ReserveTickets => {
                let request = samples::reserve(BOOKING, BUYER);
                (rules.reserve)(event, hold, NO_LIMIT, &request, samples::now())
            }
            Message::ConfirmTickets => {
                (rules.confirm)(event, hold, &mut mint).map_err(|error| error.to_string())?
            }
            _ => (rules.release)(event, hold).map_err(|error| error.to_string())?,
        };
        next.minted = minted;
        next.hold = decision.hold.or(next.hold);
        let reply = match decision.reply {
            event::Reply::Reserved(reservation) => {
                next.contents.reservation = Some(reservation);
                Message::TicketsReserved
            }
            event::Reply::Rejected(why) => {
                next.contents.rejection = Some(why);
                Message::TicketsRejected
            }
            event::Reply::Confirmed(tickets) => {
                let told = next.contents.tickets.get_or_insert_with(|| tickets.clone());
                require(*told == tickets, || "a booking gets other tickets".to_owned())?;
                Message::TicketsConfirmed
            }
            event::Reply::ConfirmRefused => Message::ConfirmRefused,
            event::Reply::Released => Message::TicketsReleased,
        };
        next.sent = next.sent.with([reply]);
        Ok(next)
    }

    pub(crate) fn with_rivals_reservation(&self, rules: &Rules) -> Self {
        let mut next = self.clone();
        let request = samples::reserve(RIVAL_BOOKING, RIVAL);
        let decision = (rules.reserve)(
            Some(&mut next.event),
            self.rival.as_ref(),
            NO_LIMIT,
            &request,
            samples::now(),
        );
        next.rival = decision.hold.or(next.rival);
        next
    }

    pub(crate) fn with_rivals_release(&self, rules: &Rules) -> Result<Self, Violation> {
        let mut next = self.clone();
        let decision = (rules.release)(Some(&mut next.event), self.rival.as_ref());
        next.rival = decision.map_err(|error| error.to_string())?.hold.or(next.rival);
        Ok(next)
    }

    pub(crate) fn with_payment_command(
        &self,
        rules: &Rules,
        command: Message,
    ) -> Result<Self, Violation> {
        let command = match command {
            Message::RequestPayment => payment::Command::Request {
                booking_id: BOOKING,
                terms: payment::Terms::new(BUYER, self.total()?, samples::order().pay_by)
                    .map_err(|error| error.to_string())?,
            },
            Message::CancelPayment => payment::Command::Cancel { booking_id: BOOKING },
            _ => payment::Command::Refund { booking_id: BOOKING },
        };
        self.with_verdict((rules.take)(self.payment.as_ref(), &command, PAYMENT))
    }

    fn total(&self) -> Result<karcis_kernel::Money, Violation> {
        let reservation = self.contents.reservation.as_ref();
        reservation.map(|reservation| reservation.total).ok_or_else(|| "no price".to_owned())
    }

    fn with_verdict(&self, verdict: payment::Verdict) -> Result<Self, Violation> {
        let (entry, fact) = match verdict {
            payment::Verdict::Changed(entry, fact) => (Some(*entry), fact),
            payment::Verdict::Answered(fact) => (self.payment.clone(), Some(fact)),
            payment::Verdict::Unchanged => (self.payment.clone(), None),
            payment::Verdict::Alert => {
                return Err("a refund of a payment that holds no money".to_owned());
            }
        };
        let reply = fact.and_then(|fact| match fact {
            payment::Fact::Requested { .. } => Some(Message::PaymentRequested),
            payment::Fact::Succeeded { .. } => Some(Message::PaymentSucceeded),
            payment::Fact::Failed { .. } => Some(Message::PaymentFailed),
            payment::Fact::Cancelled => Some(Message::PaymentCancelled),
            payment::Fact::Refunded { .. } => Some(Message::PaymentRefunded),
            payment::Fact::RefundRefused { .. } => Some(Message::RefundRefused),
            payment::Fact::Reversed { .. } => None,
        });
        Ok(Self { payment: entry, sent: self.sent.with(reply), ..self.clone() })
    }

    /// What buyer, operator and provider can do to the payment.
    pub(crate) fn payment_steps(
        &self,
        rules: &Rules,
        scenario: Scenario,
    ) -> Result<Vec<Self>, Violation> {
        let Some(payment) = self.payment.as_ref().and_then(payment::PaymentRecord::payment) else {
            return Ok(vec![]);
        };
        let mut next = Vec::new();
        let number = payment.attempts.len();
        if number < scenario.attempts
            && let Ok(started) =
                (rules.start)(payment, samples::attempt_id(number), samples::now(), "tok")
        {
            let payment = Some(payment::PaymentRecord::Payment(started));
            next.push(Self { payment, ..self.clone() });
        }
        if payment.state == State::Open {
            next.push(self.with_payment_command(rules, Message::CancelPayment)?);
        }
        for number in 0..payment.attempts.len() {
            next.extend(self.provider_steps(rules, payment, number)?);
        }
        for kind in refunds(payment) {
            // One that was refused is done by an operator.
            next.push(self.with_refund(rules, payment, kind, &RefundOutcome::Done)?);
        }
        for (kind, _) in (rules.due_refunds)(payment) {
            let refused = RefundOutcome::Refused { reason: "account_closed".to_owned() };
            next.push(self.with_refund(rules, payment, kind, &refused)?);
        }
        Ok(next)
    }

    /// What the provider can do about one attempt: capture, decline, void, and say so or not.
    fn provider_steps(
        &self,
        rules: &Rules,
        payment: &payment::Payment,
        number: usize,
    ) -> Result<Vec<Self>, Violation> {
        use AttemptOutcome::{Declined, Voided};
        let captured = self.provider.captured & (1 << number) != 0;
        let mut next = Vec::new();
        match &payment.attempts[number].outcome {
            None if captured => {
                next.push(self.with_outcome(rules, payment, number, &Outcome::Approved)?);
            }
            None => {
                let mut lost = self.clone();
                lost.provider.captured |= 1 << number;
                next.push(lost);
                let mut outcomes = vec![Outcome::Approved, declined("insufficient_funds")];
                outcomes.push(declined("stolen_card"));
                if matches!(payment.state, State::Processing { cancel_wanted: true, .. }) {
                    outcomes.push(Outcome::Voided);
                }
                for outcome in outcomes {
                    next.push(self.with_outcome(rules, payment, number, &outcome)?);
                }
            }
            // It said no, and takes the money after all.
            Some(Declined(_) | Voided) if !captured => {
                next.push(self.with_outcome(rules, payment, number, &Outcome::Approved)?);
            }
            Some(_) => {}
        }
        Ok(next)
    }

    pub(crate) fn with_outcome(
        &self,
        rules: &Rules,
        payment: &payment::Payment,
        number: usize,
        outcome: &Outcome,
    ) -> Result<Self, Violation> {
        let verdict = (rules.resolve)(payment, samples::attempt_id(number), outcome);
        let mut next = self.with_verdict(verdict)?;
        if *outcome == Outcome::Approved {
            next.provider.captured |= 1 << number;
        }
        Ok(next)
    }

    pub(crate) fn with_refund(
        &self,
        rules: &Rules,
        payment: &payment::Payment,
        kind: RefundKind,
        outcome: &RefundOutcome,
    ) -> Result<Self, Violation> {
        let mut next = self.with_verdict((rules.record_refund)(payment, kind, outcome))?;
        if *outcome == RefundOutcome::Done {
            next.provider.refunded += 1;
        }
        Ok(next)
    }
}

/// The refunds and reversals that are not done, refused ones too.
pub(crate) fn refunds(payment: &payment::Payment) -> Vec<RefundKind> {
    let requested = matches!(payment.state, State::Refunding { .. });
    let reversals = payment
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.outcome, Some(AttemptOutcome::Reversing { .. })))
        .map(|attempt| RefundKind::Reversal(attempt.id));
    requested.then_some(RefundKind::Requested).into_iter().chain(reversals).collect()
}

fn declined(code: &str) -> Outcome {
    let kind = payment::DeclineKind::Soft;
    Outcome::Declined(payment::Decline { kind, code: code.to_owned() })
}
