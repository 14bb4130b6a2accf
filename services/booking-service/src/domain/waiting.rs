//! What a booking waits for, in a sentence for operators.

use karcis_kernel::Timestamp;

use super::{Booking, Message, Stage, Stuck};

impl Booking {
    /// What it waits for: whom, since how many sendings, and until when.
    pub fn waits_for(&self) -> String {
        match &self.stage {
            Stage::Awaiting { payable: true, .. } => {
                format!(
                    "the buyer to pay, until {}",
                    shown(self.due_at().unwrap_or(self.order.pay_by))
                )
            }
            Stage::Refunding { refunded: false, .. }
                if self.stuck == Some(Stuck::RefundRefused) =>
            {
                "an operator: the provider refuses the refund".to_owned()
            }
            Stage::Confirmed { .. } => "nothing: the buyer has the tickets".to_owned(),
            Stage::Rejected { .. } | Stage::Cancelled { .. } => {
                format!("nothing: it has ended ({})", self.reason().unwrap_or("without a reason"))
            }
            _ => self.answers(),
        }
    }

    /// The answers to its pending commands.
    fn answers(&self) -> String {
        let pending: Vec<_> = self.pending().iter().map(asked).collect();
        let mut text = pending.join(" and ");
        if let Some(resend) = self.next_resend {
            let times = match resend.attempt {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            text += &format!("; sent {times}, next at {}", shown(resend.at));
        }
        if let Some(due_at) = self.due_at() {
            text += &format!("; it is cancelled at {}", shown(due_at));
        }
        text
    }
}

fn asked(command: &Message) -> String {
    let whom = match command {
        Message::ReserveTickets | Message::ConfirmTickets | Message::ReleaseTickets => {
            "event-service"
        }
        _ => "payment-service",
    };
    format!("{whom} to answer {}", command.name())
}

fn shown(at: Timestamp) -> String {
    at.format("%FT%TZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::samples::{booking, stage},
        *,
    };

    #[test]
    fn each_stage_says_whom_it_waits_for() {
        let sent = "; sent once, next at 2030-01-01T12:00:00Z";
        let due = "; it is cancelled at 2030-01-01T12:10:00Z";
        let answer = |command: &str| format!("{command}{sent}");
        let cases = [
            ("reserving", answer("event-service to answer ReserveTickets") + due),
            ("awaiting", answer("payment-service to answer RequestPayment") + due),
            ("awaiting(payable)", "the buyer to pay, until 2030-01-01T12:10:00Z".to_owned()),
            ("cancelling(D)", answer("payment-service to answer CancelPayment")),
            ("confirming", answer("event-service to answer ConfirmTickets")),
            ("releasing(P)", answer("event-service to answer ReleaseTickets")),
            (
                "refunding(B)",
                answer(
                    "payment-service to answer RefundPayment and event-service to answer \
                     ReleaseTickets",
                ),
            ),
            ("refunding(B released)", answer("payment-service to answer RefundPayment")),
            ("confirmed", "nothing: the buyer has the tickets".to_owned()),
            ("rejected", "nothing: it has ended (sold_out)".to_owned()),
            ("cancelled(E refunded)", "nothing: it has ended (event_cancelled)".to_owned()),
        ];
        for (name, waits_for) in cases {
            assert_eq!(booking(stage(name)).waits_for(), waits_for, "{name}");
        }
        let refused = Some(Stuck::RefundRefused);
        let refused = Booking { stuck: refused, ..booking(stage("refunding(B)")) };
        assert_eq!(refused.waits_for(), "an operator: the provider refuses the refund");
    }
}
