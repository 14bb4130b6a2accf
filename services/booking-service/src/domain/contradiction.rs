//! What an answer to a finished booking's last command should be, and what says that a participant
//! disagrees.

use super::{Booking, Input, Message, Stage};

impl Booking {
    /// The commands that a finished booking sent last and that change nothing when they are repeated: their
    /// answers say what the participants have. None of a rejected booking: should event-service have lost
    /// it, ReserveTickets would hold seats.
    pub fn last_commands(&self) -> Vec<Message> {
        match self.stage {
            Stage::Confirmed { .. } => vec![Message::ConfirmTickets],
            Stage::Cancelled { refunded: true, .. } => {
                vec![Message::RefundPayment, Message::ReleaseTickets]
            }
            Stage::Cancelled { .. } => vec![Message::ReleaseTickets],
            _ => vec![],
        }
    }

    /// How this answer contradicts the end that the booking came to; `None` if it agrees, may be a late one
    /// of an earlier stage, or if the booking has not ended.
    pub fn contradiction(&self, answer: &Input) -> Option<String> {
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
    fn every_answer_to_an_ended_booking_agrees_or_contradicts() {
        // Per end the answers that contradict it; all others may come, some of them late.
        let table = [
            (
                "confirmed",
                "TicketsRejected ConfirmRefused TicketsReleased PaymentFailed PaymentCancelled \
                 PaymentRefunded RefundRefused",
            ),
            (
                "rejected",
                "TicketsReserved TicketsConfirmed PaymentRequested PaymentSucceeded PaymentRefunded",
            ),
            ("cancelled(B refunded)", "PaymentFailed PaymentCancelled"),
            ("cancelled(D)", "TicketsConfirmed PaymentSucceeded PaymentRefunded RefundRefused"),
            ("cancelled(B free)", "PaymentSucceeded PaymentRefunded RefundRefused"),
        ];
        for (name, expected) in table {
            let booking = booking(stage(name));
            let found: Vec<&str> = answers()
                .iter()
                .filter(|answer| booking.contradiction(answer).is_some())
                .map(Input::name)
                .collect();
            assert_eq!(found.join(" "), expected, "{name}");
        }
        for name in ["reserving", "awaiting", "cancelling(D)", "confirming", "refunding(B)"] {
            let booking = booking(stage(name));
            assert!(answers().iter().all(|it| booking.contradiction(it).is_none()), "{name}");
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
            ("cancelled(D)", "ReleaseTickets"),
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
