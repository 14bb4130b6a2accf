//! An event, and what its organiser does with it.

use std::borrow::Cow;

use chrono::TimeDelta;
use karcis_kernel::{Currency, EventId, Role, TicketTypeId, Timestamp, UserId, same_to_people};

use super::{
    CancelReason, Description, NewTicketType, PerBuyer, Stock, StockMismatch, TicketType, TimeZone,
    Title, Venue,
    dates::{date_errors, past_errors},
};

/// How many ticket types an event can have.
pub const MAX_TICKET_TYPES: usize = 20;

/// How long buyers may give their tickets back after the event has moved.
const REOPENED: TimeDelta = TimeDelta::days(7);

/// An event that tickets are sold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    /// Counts edits, never sales; the first is 1.
    pub version: i64,
    pub organiser_id: UserId,
    pub stage: Stage,
    pub details: Details,
    /// Of all its prices.
    pub currency: Currency,
    /// 1 to [`MAX_TICKET_TYPES`].
    pub ticket_types: Vec<TicketType>,
    /// Whether a seat of it was ever held.
    pub booked: bool,
}

/// What people read about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub title: Title,
    pub description: Option<Description>,
    pub venue: Venue,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub time_zone: TimeZone,
    /// Until when a booking may be cancelled for a refund; `None`: until the event starts.
    pub refundable_until: Option<Timestamp>,
    /// Whether that may be after the event starts.
    pub refundable_after_start: bool,
    /// Until when a booking may at least be cancelled, as the event has moved; at most until it starts.
    pub reopened_until: Option<Timestamp>,
    /// How many seats one buyer may have, held and sold together; `None`: any number.
    pub max_per_buyer: Option<PerBuyer>,
}

/// What a buyer sees of an event at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSnapshot {
    pub title: String,
    pub venue: String,
    pub starts_at: Timestamp,
    pub time_zone: TimeZone,
}

/// What an organiser has made of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Only its organiser sees it.
    Draft,
    /// Tickets can be booked.
    Published,
    Cancelled(CancelReason),
    /// It was a draft then: still only its organiser sees it.
    CancelledDraft(CancelReason),
}

impl Stage {
    /// Whether everybody may see it.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Published | Self::Cancelled(_) => true,
            Self::Draft | Self::CancelledDraft(_) => false,
        }
    }

    /// Why it is cancelled, if it is.
    pub fn cancel_reason(&self) -> Option<&CancelReason> {
        match self {
            Self::Cancelled(reason) | Self::CancelledDraft(reason) => Some(reason),
            Self::Draft | Self::Published => None,
        }
    }
}

/// An event's stage as it appears at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Draft,
    Published,
    Cancelled,
    /// It was published and is over.
    Ended,
}

/// An event that an organiser creates.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Drawn by the adapter.
    pub id: EventId,
    pub organiser_id: UserId,
    pub details: Details,
    pub ticket_types: Vec<NewTicketType>,
    /// Whether it is published at once.
    pub publish: bool,
}

/// What is wrong with one field of an organiser's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Its path, such as `ticket_types[0].sales_end`.
    pub field: String,
    pub message: Cow<'static, str>,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The event is cancelled or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is cancelled or over")]
pub struct EventOver;

/// Why an event does not become a draft again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpublishRefusal {
    #[error(transparent)]
    Over(#[from] EventOver),
    #[error(transparent)]
    HasBookings(#[from] EventHasBookings),
}

/// The event had a booking, and its buyers have to keep seeing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event has had bookings: cancel it instead")]
pub struct EventHasBookings;

/// A person who wants to edit an event.
#[derive(Clone, Copy, Debug)]
pub struct Editor {
    pub user_id: UserId,
    pub role: Role,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Published, Self::Draft, Self::Cancelled, Self::Ended];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }
}

impl Editor {
    /// Organisers edit their own events, admins all.
    pub fn may_edit(self, event: &Event) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Organiser => event.organiser_id == self.user_id,
            Role::Buyer | Role::Operator | Role::Door => false,
        }
    }
}

impl Details {
    /// Until when a booking may be cancelled for a refund.
    pub fn refundable_until(&self) -> Timestamp {
        let set = self.refundable_until.unwrap_or(self.starts_at);
        self.reopened_until.map_or(set, |reopened| set.max(reopened.min(self.starts_at)))
    }

    /// Buyers may cancel again: the event has moved at `at`.
    pub(super) fn reopen_refunds(&mut self, at: Timestamp) {
        self.reopened_until = self.reopened_until.max(Some(at + REOPENED));
    }

    /// Whether it is at another time or place than `before`.
    pub(super) fn moved_from(&self, before: &Self) -> bool {
        (self.starts_at, &self.venue) != (before.starts_at, &before.venue)
    }

    /// What a buyer sees of the event now.
    pub fn snapshot(&self) -> EventSnapshot {
        EventSnapshot {
            title: self.title.to_string(),
            venue: self.venue.to_string(),
            starts_at: self.starts_at,
            time_zone: self.time_zone,
        }
    }

    /// From when on the event is over: its end, or its start while its end is not known.
    pub fn over_at(&self) -> Timestamp {
        self.ends_at.unwrap_or(self.starts_at)
    }
}

impl Event {
    /// The new event, or everything that is wrong with it. An event that is over is not published.
    pub fn create(new: NewEvent, at: Timestamp) -> Result<Self, Vec<FieldError>> {
        let types: Vec<TicketType> = new.ticket_types.into_iter().map(Into::into).collect();
        let mut errors = Vec::from_iter(count_error(&types));
        let repeated = (0..types.len()).filter(|place| has_namesake(&types, *place, |_| true));
        errors.extend(repeated.map(repeated_name));
        errors
            .extend(date_errors(&new.details, &types).into_iter().map(|e| e.listed(&types, Some)));
        let currency = types.first().map(|first| first.price.money().currency);
        let mixed =
            types.iter().enumerate().filter(|(_, t)| Some(t.price.money().currency) != currency);
        errors.extend(mixed.map(|(i, _)| mixed_currencies(i)));
        if new.publish {
            errors.extend(past_errors(&new.details, None, at));
        }
        match currency {
            Some(currency) if errors.is_empty() => Ok(Self {
                id: new.id,
                version: 1,
                organiser_id: new.organiser_id,
                stage: if new.publish { Stage::Published } else { Stage::Draft },
                details: new.details,
                currency,
                ticket_types: types,
                booked: false,
            }),
            _ => Err(errors),
        }
    }

    /// The stage as it appears at `at`.
    pub fn status(&self, at: Timestamp) -> Status {
        match self.stage {
            Stage::Draft => Status::Draft,
            Stage::Cancelled(_) | Stage::CancelledDraft(_) => Status::Cancelled,
            Stage::Published if self.details.over_at() <= at => Status::Ended,
            Stage::Published => Status::Published,
        }
    }

    /// The published event; `None`: it is published already.
    pub fn publish(&self, at: Timestamp) -> Result<Option<Self>, EventOver> {
        match self.stage {
            Stage::Draft if at < self.details.over_at() => Ok(Some(self.edited(Stage::Published))),
            Stage::Published if self.status(at) == Status::Published => Ok(None),
            _ => Err(EventOver),
        }
    }

    /// The event as a draft again; `None`: it is a draft already.
    pub fn unpublish(&self, at: Timestamp) -> Result<Option<Self>, UnpublishRefusal> {
        match self.status(at) {
            Status::Draft => Ok(None),
            Status::Cancelled | Status::Ended => Err(EventOver.into()),
            Status::Published if self.booked => Err(EventHasBookings.into()),
            Status::Published => Ok(Some(self.edited(Stage::Draft))),
        }
    }

    /// The cancelled event; `None`: it is cancelled already, and its first reason stands. An event
    /// that is over can be cancelled too: if it never took place, it is refunded.
    pub fn cancel(&self, reason: CancelReason) -> Option<Self> {
        match self.stage {
            Stage::Cancelled(_) | Stage::CancelledDraft(_) => None,
            Stage::Draft => Some(self.edited(Stage::CancelledDraft(reason))),
            Stage::Published => Some(self.edited(Stage::Cancelled(reason))),
        }
    }

    /// Whether it may be deleted.
    pub fn check_delete(&self) -> Result<(), EventHasBookings> {
        if self.booked { Err(EventHasBookings) } else { Ok(()) }
    }

    /// Changes the stock of these ticket types by these quantities, all or none.
    pub(super) fn change_stock<E>(
        &mut self,
        seats: impl Iterator<Item = (TicketTypeId, u32)>,
        mut change: impl FnMut(Stock, u32) -> Result<Stock, E>,
    ) -> Result<(), E>
    where
        E: From<StockMismatch>,
    {
        let mut changed = Vec::new();
        for (id, quantity) in seats {
            let index = self.ticket_types.iter().position(|t| t.id == id).ok_or(StockMismatch)?;
            changed.push((index, change(self.ticket_types[index].stock, quantity)?));
        }
        for (index, stock) in changed {
            self.ticket_types[index].stock = stock;
        }
        Ok(())
    }

    fn edited(&self, stage: Stage) -> Self {
        Self { stage, version: self.version + 1, ..self.clone() }
    }
}

/// The event has no ticket types, or too many.
pub(super) fn count_error(types: &[TicketType]) -> Option<FieldError> {
    let is_wrong = !(1..=MAX_TICKET_TYPES).contains(&types.len());
    is_wrong.then(|| FieldError::new("ticket_types", "an event has 1 to 20 ticket types"))
}

/// Whether another ticket type has this one's name for people. Of two that are both new, the second has.
pub(super) fn has_namesake(
    types: &[TicketType],
    place: usize,
    is_new: impl Fn(usize) -> bool,
) -> bool {
    let name = |place: usize| same_to_people(types[place].name.as_str());
    let others = (0..types.len()).filter(|other| *other != place);
    let mut standing = others.filter(|other| *other < place || !is_new(*other));
    standing.any(|other| name(other) == name(place))
}

/// The `index`th listed type has the name of another.
pub(super) fn repeated_name(index: usize) -> FieldError {
    let message = "the event has a ticket type of this name: change that one, or give another name";
    FieldError::new(format!("ticket_types[{index}].name"), message)
}

/// The `index`th listed type's price is in another currency than the rest.
pub(super) fn mixed_currencies(index: usize) -> FieldError {
    let field = format!("ticket_types[{index}].price.currency");
    FieldError::new(field, "give all prices of the event in one currency")
}
