//! Between domain and wire: what is published of accounts, and what is read of bookings.

use karcis_contracts::{BookingFact, ProfileUpdated, UserErased, UserFact, UserRegistered};
use karcis_messaging::Outgoing;

use crate::domain::{AccountChange, Notification, NotificationKind};

/// The message that publishes this change. It says nothing personal.
pub(crate) fn encode(change: AccountChange) -> Outgoing {
    let fact: UserFact = match change {
        AccountChange::Registered(account) => {
            UserRegistered { user_id: account.user_id, role: account.role }.into()
        }
        AccountChange::Updated(account) => ProfileUpdated {
            user_id: account.user_id,
            role: account.role,
            version: account.version,
        }
        .into(),
        AccountChange::Erased(user_id) => UserErased { user_id }.into(),
    };
    Outgoing::new(&fact)
}

/// The notification that this fact asks for.
pub(crate) fn notification(fact: BookingFact) -> Notification {
    let (booking_id, user_id, event_id, kind, reason) = match fact {
        BookingFact::BookingCreated(fact) => {
            (fact.booking_id, fact.user_id, fact.event_id, NotificationKind::Created, None)
        }
        BookingFact::BookingConfirmed(fact) => {
            (fact.booking_id, fact.user_id, fact.event_id, NotificationKind::Confirmed, None)
        }
        BookingFact::BookingRejected(fact) => {
            let reason = Some(fact.reason);
            (fact.booking_id, fact.user_id, fact.event_id, NotificationKind::Rejected, reason)
        }
        BookingFact::BookingCancelled(fact) => {
            let reason = Some(fact.reason);
            (fact.booking_id, fact.user_id, fact.event_id, NotificationKind::Cancelled, reason)
        }
    };
    Notification { booking_id, kind, user_id, event_id, reason }
}
