//! A sold seat, and what its code is good for at the door.

use karcis_kernel::{EventId, TicketCode, TicketTypeId};

use super::EventSnapshot;

/// One sold seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub code: TicketCode,
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
}

/// A ticket as its code shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedTicket {
    pub event_id: EventId,
    /// The event as it is now or, if it is gone or unreadable, as it was when the seat was held.
    pub event: EventSnapshot,
    /// The ticket type's name.
    pub name: String,
    pub is_used: bool,
    /// Whether its booking's hold is still sold.
    pub is_sold: bool,
    /// Why its event is cancelled, if it is.
    pub cancel_reason: Option<String>,
}

/// Whether a ticket opens the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStatus {
    Valid,
    /// It has opened the door once.
    Used,
    /// Its seat was released, or its event is cancelled.
    Cancelled,
}

impl TicketStatus {
    pub const ALL: [Self; 3] = [Self::Valid, Self::Used, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Used => "used",
            Self::Cancelled => "cancelled",
        }
    }
}

impl IssuedTicket {
    /// Whether it opens the door. What was used stays used.
    pub fn status(&self) -> TicketStatus {
        if self.is_used {
            TicketStatus::Used
        } else if self.is_sold && self.cancel_reason.is_none() {
            TicketStatus::Valid
        } else {
            TicketStatus::Cancelled
        }
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::TimeZone;

    #[test]
    fn a_ticket_is_valid_while_it_is_unused_and_sold_and_its_event_takes_place() {
        use TicketStatus::*;
        for (is_used, is_sold, event_is_cancelled, status) in [
            (false, true, false, Valid),
            (false, true, true, Cancelled),
            (false, false, false, Cancelled),
            (false, false, true, Cancelled),
            (true, true, false, Used),
            (true, true, true, Used),
            (true, false, false, Used),
            (true, false, true, Used),
        ] {
            let ticket = IssuedTicket {
                event_id: EventId(Uuid::nil()),
                event: EventSnapshot {
                    title: "Konser".to_owned(),
                    venue: "Istora".to_owned(),
                    starts_at: Timestamp::UNIX_EPOCH,
                    time_zone: TimeZone::named("Asia/Jakarta"),
                },
                name: "VIP".to_owned(),
                is_used,
                is_sold,
                cancel_reason: event_is_cancelled.then(|| "rain".to_owned()),
            };
            assert_eq!(ticket.status(), status, "{ticket:?}");
        }
    }
}
