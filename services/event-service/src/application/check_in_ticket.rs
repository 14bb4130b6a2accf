//! A door lets a ticket in, or takes that back.

use karcis_database::StoreError;
use karcis_kernel::{EventId, TicketCode};

use super::ports::Doors;
use crate::domain::{CheckIn, DoorResult, DoorTicket, Editor};

/// What the door is told, with the ticket unless that is unknown to it.
pub struct CheckedIn {
    pub result: DoorResult,
    pub ticket: Option<DoorTicket>,
}

/// Returns what the door is told. Of many doors at once one is told that the ticket is admitted. To the door of
/// `event_id`, tickets of other events are unknown. `check_in` is the use to record; without it, the recorded one
/// is undone.
pub async fn check_in_ticket(
    doors: &dyn Doors,
    by: Editor,
    code: &TicketCode,
    event_id: Option<EventId>,
    check_in: Option<CheckIn>,
) -> Result<CheckedIn, StoreError> {
    let is_known = |ticket: &DoorTicket| {
        by.may_admit(ticket.organiser_id) && event_id.is_none_or(|id| id == ticket.event_id)
    };
    let locked = doors.lock(code).await?;
    let Some(locked) = locked.filter(|locked| is_known(locked.ticket())) else {
        return Ok(CheckedIn { result: DoorResult::Unknown, ticket: None });
    };
    let (result, ticket) = match check_in {
        Some(check_in) => locked.ticket().check_in(check_in),
        None => locked.ticket().undo(),
    };
    if ticket != *locked.ticket() {
        locked.save(&ticket).await?;
    }
    Ok(CheckedIn { result, ticket: Some(ticket) })
}
