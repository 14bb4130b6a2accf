//! A buyer asks for the tickets again.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, decide_and_commit};
use karcis_kernel::{BookingId, Timestamp, UserId};

use super::{
    Bookings, Sent,
    unit_of_work::{UnitOfWork, commit_unit, load_unit},
};
use crate::domain::{Message, Stage};

/// Why no tickets are sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ResendTicketsError {
    /// There is no such booking, or another buyer has it.
    #[error("there is no such booking")]
    NotFound,
    #[error("the booking has no tickets")]
    NotConfirmed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Has the tickets of the buyer's confirmed booking sent once more. The booking stays as it is.
pub async fn resend_tickets(
    bookings: &dyn Bookings,
    at: Timestamp,
    buyer: UserId,
    id: BookingId,
) -> Result<(), ResendTicketsError> {
    let decider = ResendTickets { bookings, at, buyer };
    decide_and_commit(&decider, &[id]).await?.pop().ok_or(ResendTicketsError::NotFound)
}

struct ResendTickets<'a> {
    bookings: &'a dyn Bookings,
    at: Timestamp,
    buyer: UserId,
}

#[async_trait]
impl Decider for ResendTickets<'_> {
    type Job = BookingId;
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    type Output = ();
    type Error = ResendTicketsError;

    fn key(&self, id: &BookingId) -> BookingId {
        *id
    }

    async fn load(&self, ids: &[&BookingId], _round: u32) -> Result<UnitOfWork, StoreError> {
        load_unit(self.bookings, ids.iter().copied().copied()).await
    }

    fn decide(&self, unit: &mut UnitOfWork, id: &BookingId) -> Result<(), ResendTicketsError> {
        let change = match unit.get_mut(id) {
            Some(Ok(change)) if change.after.order.buyer == self.buyer => change,
            Some(Err(unreadable)) => return Err(StoreError::from(unreadable.clone()).into()),
            Some(Ok(_)) | None => return Err(ResendTicketsError::NotFound),
        };
        if !matches!(change.after.stage, Stage::Confirmed { .. }) {
            return Err(ResendTicketsError::NotConfirmed);
        }
        let message = Message::TicketMailRequested(self.at);
        change.messages.push(Sent { message, attempt: 1 });
        Ok(())
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        commit_unit(self.bookings, unit).await
    }
}
