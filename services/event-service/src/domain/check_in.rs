//! What happens to a ticket at the door.

use karcis_kernel::{BookingId, EventId, Role, TicketCode, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

use super::{Editor, Gate, TicketStatus};

/// A ticket as the door finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorTicket {
    pub code: TicketCode,
    pub event_id: EventId,
    pub organiser_id: UserId,
    pub event_is_cancelled: bool,
    pub ticket_type_id: TicketTypeId,
    /// The ticket type's name.
    pub name: String,
    pub booking_id: BookingId,
    /// Whether its booking's hold is still sold.
    pub is_sold: bool,
    /// Its use, unless it has none or that was undone.
    pub used: Option<CheckIn>,
}

/// The one use of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// When the door let it in, by the door's clock if that says so.
    pub at: Timestamp,
    /// `None`: nobody recorded it.
    pub by: Option<UserId>,
    pub gate: Option<Gate>,
    /// Of the door's request, which may be sent again.
    pub id: Option<Uuid>,
}

/// What the door is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorResult {
    Admitted,
    /// It has been used before.
    Already,
    /// Its seat was released, or its event is cancelled.
    Cancelled,
    /// The ticket can be used again, as if it never was.
    Undone,
    /// No such ticket, or none that this door may see.
    Unknown,
}

impl DoorResult {
    pub const ALL: [Self; 5] =
        [Self::Admitted, Self::Already, Self::Cancelled, Self::Undone, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Already => "already",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
            Self::Unknown => "unknown",
        }
    }
}

impl Editor {
    /// Organisers admit to their own events, doors and admins to all.
    pub fn may_admit(self, organiser_id: UserId) -> bool {
        match self.role {
            Role::Admin | Role::Door => true,
            Role::Organiser => organiser_id == self.user_id,
            Role::Buyer | Role::Operator => false,
        }
    }
}

impl DoorTicket {
    /// The ticket after it was shown at the door, and what the door is told. The first use stands; its own
    /// request again is admitted again.
    pub fn check_in(&self, check_in: CheckIn) -> (DoorResult, Self) {
        let is_repeated = |used: &CheckIn| used.id.is_some() && used.id == check_in.id;
        let result = match (&self.used, self.status()) {
            (Some(used), _) if is_repeated(used) => DoorResult::Admitted,
            (_, TicketStatus::Cancelled) => DoorResult::Cancelled,
            (_, TicketStatus::Used) => DoorResult::Already,
            (_, TicketStatus::Valid) => {
                let used = Some(check_in);
                return (DoorResult::Admitted, Self { used, ..self.clone() });
            }
        };
        (result, self.clone())
    }

    /// The ticket as if it was never used, and what the door is told: again the same.
    pub fn undo(&self) -> (DoorResult, Self) {
        match (&self.used, self.status()) {
            (None, TicketStatus::Cancelled) => (DoorResult::Cancelled, self.clone()),
            _ => (DoorResult::Undone, Self { used: None, ..self.clone() }),
        }
    }

    fn status(&self) -> TicketStatus {
        door_status(self.is_sold && !self.event_is_cancelled, self.used.as_ref())
    }
}

/// What the door goes by: a ticket that is good no more, as its seat was released or its event is cancelled, does
/// not open it, used or not.
pub fn door_status(is_good: bool, used: Option<&CheckIn>) -> TicketStatus {
    match used {
        _ if !is_good => TicketStatus::Cancelled,
        Some(_) => TicketStatus::Used,
        None => TicketStatus::Valid,
    }
}

#[cfg(test)]
mod tests {
    use super::{DoorResult::*, *};

    fn check_in(id: u128) -> CheckIn {
        let id = (id > 0).then(|| Uuid::from_u128(id));
        CheckIn { at: Timestamp::UNIX_EPOCH, by: None, gate: None, id }
    }

    fn ticket(used: Option<CheckIn>, is_sold: bool, event_is_cancelled: bool) -> DoorTicket {
        DoorTicket {
            code: TicketCode::from_bits(1),
            event_id: EventId(Uuid::nil()),
            organiser_id: UserId(Uuid::nil()),
            event_is_cancelled,
            ticket_type_id: TicketTypeId(Uuid::nil()),
            name: "VIP".to_owned(),
            booking_id: BookingId(Uuid::nil()),
            is_sold,
            used,
        }
    }

    #[test]
    fn a_ticket_is_admitted_once_and_its_own_request_again() {
        for (used, is_sold, is_cancelled, id, expected, undone) in [
            (None, true, false, 0, Admitted, Undone),
            (None, true, false, 1, Admitted, Undone),
            (None, true, true, 1, Cancelled, Cancelled),
            (None, false, false, 1, Cancelled, Cancelled),
            (Some(0), true, false, 0, Already, Undone),
            (Some(0), true, false, 1, Already, Undone),
            (Some(1), true, false, 0, Already, Undone),
            (Some(1), true, false, 1, Admitted, Undone),
            (Some(1), true, false, 2, Already, Undone),
            (Some(1), false, false, 1, Admitted, Undone),
            (Some(1), false, false, 2, Cancelled, Undone),
            (Some(1), true, true, 2, Cancelled, Undone),
        ] {
            let before = ticket(used.map(check_in), is_sold, is_cancelled);
            let (result, after) = before.check_in(check_in(id));
            assert_eq!(result, expected, "{before:?} {id}");
            let is_first = before.used.is_none() && result == Admitted;
            let use_after = if is_first { Some(check_in(id)) } else { before.used.clone() };
            assert_eq!(after, DoorTicket { used: use_after, ..before.clone() });
            let (result, after) = before.undo();
            assert_eq!(result, undone, "{before:?}");
            assert_eq!(after, DoorTicket { used: None, ..before });
        }
    }

    #[test]
    fn organisers_admit_to_their_own_events_and_doors_to_all() {
        let (user_id, stranger) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        for (role, own, others) in [
            (Role::Buyer, false, false),
            (Role::Organiser, true, false),
            (Role::Admin, true, true),
            (Role::Operator, false, false),
            (Role::Door, true, true),
        ] {
            let editor = Editor { user_id, role };
            assert_eq!((editor.may_admit(user_id), editor.may_admit(stranger)), (own, others));
        }
    }
}
