//! What an answer to a finished booking's last command should be, and what says that a participant
//! disagrees.

use super::{Booking, Input, Message, Stage};

/// Who answers a booking's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Participant {
    EventService,
    PaymentService,
}

/// What an answer says of the end that its booking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub by: Participant,
    /// How it contradicts the end; `None` if it agrees.
    pub contradiction: Option<String>,
}

impl Booking {
    /// The commands that a finished booking sent last and that change nothing when they are repeated: their
    /// answers say what the participants have. None of a rejected booking: should event-service have lost
    /// it, ReserveTickets would hold seats. Of a confirmed one none to payment-service: should that have
    /// lost the payment, RequestPayment would have it paid once more, and CancelPayment give it back.
    pub fn last_commands(&self) -> Vec<Message> {
        match self.stage {
            Stage::Confirmed { .. } => vec![Message::ConfirmTickets],
            Stage::Cancelled { refunded: true, .. } => {
                vec![Message::RefundPayment, Message::ReleaseTickets]
            }
            Stage::Cancelled { .. } if self.had_payment() => {
                vec![Message::CancelPayment, Message::ReleaseTickets]
            }
            Stage::Cancelled { .. } => vec![Message::ReleaseTickets],
            _ => vec![],
        }
    }

    fn had_payment(&self) -> bool {
        self.reservation().is_some_and(|reservation| !reservation.is_free())
    }

    /// What this answer says of the end that the booking came to; `None` if it may be a late one of an
    /// earlier stage, or if the booking has not ended.
    pub fn compare(&self, answer: &Input) -> Option<Comparison> {
        let by = match answer {
            Input::TicketsReserved(_)
            | Input::TicketsRejected(_)
            | Input::TicketsConfirmed(_)
            | Input::ConfirmRefused
            | Input::TicketsReleased => Participant::EventService,
            Input::PaymentRequested
            | Input::PaymentSucceeded
            | Input::PaymentFailed
            | Input::PaymentCancelled
            | Input::PaymentRefunded
            | Input::RefundRefused => Participant::PaymentService,
            _ => return None,
        };
        let contradiction = self.contradiction(answer);
        let says_something = contradiction.is_some() || self.agrees(answer);
        says_something.then_some(Comparison { by, contradiction })
    }

    /// Whether this answer, which does not contradict, is the one that the booking's end asks for.
    fn agrees(&self, answer: &Input) -> bool {
        matches!(
            (&self.stage, answer),
            (Stage::Confirmed { .. }, Input::TicketsConfirmed(_) | Input::PaymentSucceeded)
                | (Stage::Rejected { .. }, Input::TicketsRejected(_))
                | (Stage::Cancelled { .. }, Input::TicketsReleased)
                | (Stage::Cancelled { refunded: true, .. }, Input::PaymentRefunded)
                | (
                    Stage::Cancelled { refunded: false, .. },
                    Input::PaymentCancelled | Input::PaymentFailed
                )
        )
    }

    fn contradiction(&self, answer: &Input) -> Option<String> {
        let is_free = self.reservation().is_none_or(|reservation| reservation.is_free());
        let is_contradicted = match (&self.stage, answer) {
            (Stage::Confirmed { tickets, .. }, Input::TicketsConfirmed(issued)) => {
                let codes = |of: &[super::Ticket]| {
                    let mut codes: Vec<_> = of.iter().map(|ticket| ticket.code.clone()).collect();
                    codes.sort_unstable();
                    codes
                };
                if codes(tickets) == codes(issued) {
                    return None;
                }
                return Some("confirmed, but event-service has other tickets".to_owned());
            }
            (
                Stage::Confirmed { .. },
                Input::TicketsRejected(_)
                | Input::ConfirmRefused
                | Input::TicketsReleased
                | Input::PaymentFailed
                | Input::PaymentCancelled
                | Input::PaymentRefunded
                | Input::RefundRefused,
            )
            | (
                Stage::Rejected { .. },
                Input::TicketsReserved(_)
                | Input::TicketsConfirmed(_)
                | Input::PaymentRequested
                | Input::PaymentSucceeded
                | Input::PaymentRefunded,
            )
            | (
                Stage::Cancelled { refunded: true, .. },
                Input::PaymentFailed | Input::PaymentCancelled,
            )
            | (
                Stage::Cancelled { refunded: false, .. },
                Input::PaymentSucceeded | Input::PaymentRefunded | Input::RefundRefused,
            ) => true,
            (Stage::Cancelled { refunded: false, .. }, Input::TicketsConfirmed(_)) => !is_free,
            _ => false,
        };
        is_contradicted
            .then(|| format!("{}, but the answer is {}", self.stage.name(), answer.name()))
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::TicketCode;

    use super::{
        super::{
            Ticket,
            tests::samples::{booking, noon, reservation, stage, tickets},
        },
        *,
    };

    /// Every answer of a participant.
    fn answers() -> Vec<Input> {
        vec![
            Input::TicketsReserved(reservation(100, noon())),
            Input::TicketsRejected(crate::domain::RejectReason::SoldOut),
            Input::TicketsConfirmed(tickets()),
            Input::ConfirmRefused,
            Input::TicketsReleased,
            Input::PaymentRequested,
            Input::PaymentSucceeded,
            Input::PaymentFailed,
            Input::PaymentCancelled,
            Input::PaymentRefunded,
            Input::RefundRefused,
        ]
    }

    #[test]
    fn every_answer_to_an_ended_booking_agrees_contradicts_or_is_late() {
        // Per end the answers that contradict it and those that agree; all others may be late.
        let table = [
            (
                "confirmed",
                "TicketsRejected ConfirmRefused TicketsReleased PaymentFailed PaymentCancelled \
                 PaymentRefunded RefundRefused",
                "TicketsConfirmed PaymentSucceeded",
            ),
            (
                "rejected",
                "TicketsReserved TicketsConfirmed PaymentRequested PaymentSucceeded PaymentRefunded",
                "TicketsRejected",
            ),
            (
                "cancelled(B refunded)",
                "PaymentFailed PaymentCancelled",
                "TicketsReleased PaymentRefunded",
            ),
            (
                "cancelled(D)",
                "TicketsConfirmed PaymentSucceeded PaymentRefunded RefundRefused",
                "TicketsReleased PaymentFailed PaymentCancelled",
            ),
            (
                "cancelled(B free)",
                "PaymentSucceeded PaymentRefunded RefundRefused",
                "TicketsReleased PaymentFailed PaymentCancelled",
            ),
        ];
        for (name, contradicting, agreeing) in table {
            let booking = booking(stage(name));
            let found = |contradicts: bool| {
                let says = |answer: &Input| Some(booking.compare(answer)?.contradiction.is_some());
                let all = answers();
                let those = all.iter().filter(|answer| says(answer) == Some(contradicts));
                those.map(Input::name).collect::<Vec<_>>().join(" ")
            };
            assert_eq!((&*found(true), &*found(false)), (contradicting, agreeing), "{name}");
        }
        for name in ["reserving", "awaiting", "cancelling(D)", "confirming", "refunding(B)"] {
            let booking = booking(stage(name));
            assert!(answers().iter().all(|it| booking.compare(it).is_none()), "{name}");
        }
    }

    #[test]
    fn other_tickets_than_the_buyers_contradict() {
        let confirmed = booking(stage("confirmed"));
        let other = Ticket { code: TicketCode::from_bits(6), ..tickets()[0].clone() };
        let other = Input::TicketsConfirmed([other].into());
        let said = "confirmed, but event-service has other tickets";
        assert_eq!(confirmed.contradiction(&other).as_deref(), Some(said));
        let none = Input::TicketsConfirmed([].into());
        assert!(confirmed.contradiction(&none).is_some());
    }

    #[test]
    fn only_commands_that_change_nothing_are_repeated() {
        for (name, commands) in [
            ("confirmed", "ConfirmTickets"),
            ("cancelled(D)", "CancelPayment ReleaseTickets"),
            ("cancelled(B free)", "ReleaseTickets"),
            ("cancelled(B refunded)", "RefundPayment ReleaseTickets"),
            ("rejected", ""),
            ("confirming", ""),
        ] {
            let booking = booking(stage(name));
            let last = booking.last_commands();
            let last: Vec<&str> = last.iter().map(Message::name).collect();
            assert_eq!(last.join(" "), commands, "{name}");
        }
    }
}
