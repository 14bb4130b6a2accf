//! An event, and what its organiser does with it.

use karcis_kernel::{Currency, EventId, Role, Timestamp, UserId};

use super::{
    CancelReason, Description, NewTicketType, OutOfBalance, Stock, TicketType, TimeZone, Title,
    Venue,
};

/// How many ticket types an event has at most.
pub const MOST_TICKET_TYPES: usize = 20;

/// An event that tickets are sold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Counts edits, never sales; the first is 1.
    pub version: i64,
    /// Whose event it is.
    pub organiser_id: UserId,
    /// How far its organiser has brought it.
    pub stage: Stage,
    /// What people read about it.
    pub details: Details,
    /// What all its prices are in.
    pub currency: Currency,
    /// What is sold: 1 to 20 types.
    pub ticket_types: Vec<TicketType>,
    /// Whether a seat of it was ever held, even if only for a while.
    pub booked: bool,
}

/// What people read about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What it is called.
    pub title: Title,
    /// What it is about.
    pub description: Option<Description>,
    /// Where it takes place.
    pub venue: Venue,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends, if that is known.
    pub ends_at: Option<Timestamp>,
    /// The venue's time zone.
    pub time_zone: TimeZone,
    /// Until when a booking may be cancelled for its money; `None`: until the event starts.
    pub refundable_until: Option<Timestamp>,
}

/// How far an organiser has brought an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Only its organiser sees it.
    Draft,
    /// Tickets can be booked.
    Published,
    /// It does not take place.
    Cancelled(CancelReason),
}

/// What an event looks like at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Only its organiser sees it.
    Draft,
    /// Tickets can be booked.
    Published,
    /// It does not take place.
    Cancelled,
    /// It was published and is over.
    Ended,
}

/// An event as an organiser asks for it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id, minted by the adapter.
    pub id: EventId,
    /// Whose it will be.
    pub organiser_id: UserId,
    /// What people read.
    pub details: Details,
    /// What is sold.
    pub ticket_types: Vec<NewTicketType>,
    /// Whether it can be booked at once.
    pub publish: bool,
}

/// What is wrong with one field of what an organiser asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Its path, such as `ticket_types[0].sales_end`.
    pub field: String,
    /// What to do.
    pub message: &'static str,
}

/// It is cancelled or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is cancelled or over")]
pub struct EventOver;

/// Why an event is not taken back into a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpublishRefused {
    /// It is cancelled or has ended.
    #[error(transparent)]
    Over(#[from] EventOver),
    /// Its buyers have to keep seeing it.
    #[error(transparent)]
    HasBookings(#[from] EventHasBookings),
}

/// It had a booking, and its buyers have to keep seeing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event has had bookings: cancel it instead")]
pub struct EventHasBookings;

/// Somebody who edits events.
#[derive(Clone, Copy, Debug)]
pub struct Editor {
    /// Who it is.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
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
    /// Until when a booking may be cancelled for its money.
    pub fn refundable_until(&self) -> Timestamp {
        self.refundable_until.unwrap_or(self.starts_at)
    }

    /// From when on the event is over. Without a known end that is its start, the last thing
    /// known of it.
    pub fn over_at(&self) -> Timestamp {
        self.ends_at.unwrap_or(self.starts_at)
    }
}

impl Event {
    /// A new event. Published at once it has to be one to come.
    pub fn create(new: NewEvent, at: Timestamp) -> Result<Self, Vec<Flaw>> {
        let types: Vec<TicketType> = new.ticket_types.into_iter().map(Into::into).collect();
        let mut flaws = flaws(&new.details, &types);
        let listed = types.iter().enumerate();
        flaws.extend(listed.clone().filter_map(|(i, t)| window_flaw(i, t, &new.details)));
        let currency = types.first().map(|first| first.price.money().currency);
        let mixed = listed.filter(|(_, t)| Some(t.price.money().currency) != currency);
        flaws.extend(mixed.map(|(i, _)| mixed_currencies(i)));
        if new.publish && new.details.over_at() <= at {
            flaws.push(Flaw { field: "starts_at".to_owned(), message: "give a time to come" });
        }
        match currency {
            Some(currency) if flaws.is_empty() => Ok(Self {
                id: new.id,
                version: 1,
                organiser_id: new.organiser_id,
                stage: if new.publish { Stage::Published } else { Stage::Draft },
                details: new.details,
                currency,
                ticket_types: types,
                booked: false,
            }),
            _ => Err(flaws),
        }
    }

    /// What it looks like at `at`.
    pub fn status(&self, at: Timestamp) -> Status {
        match self.stage {
            Stage::Draft => Status::Draft,
            Stage::Cancelled(_) => Status::Cancelled,
            Stage::Published if self.details.over_at() <= at => Status::Ended,
            Stage::Published => Status::Published,
        }
    }

    /// Makes it bookable. `None`: it is already.
    pub fn publish(&self, at: Timestamp) -> Result<Option<Self>, EventOver> {
        match self.stage {
            Stage::Draft if at < self.details.over_at() => Ok(Some(self.edited(Stage::Published))),
            Stage::Published if self.status(at) == Status::Published => Ok(None),
            Stage::Draft | Stage::Published | Stage::Cancelled(_) => Err(EventOver),
        }
    }

    /// Takes it back into a draft. `None`: it is one already.
    pub fn unpublish(&self, at: Timestamp) -> Result<Option<Self>, UnpublishRefused> {
        match self.status(at) {
            Status::Draft => Ok(None),
            Status::Cancelled | Status::Ended => Err(EventOver.into()),
            Status::Published if self.booked => Err(EventHasBookings.into()),
            Status::Published => Ok(Some(self.edited(Stage::Draft))),
        }
    }

    /// Calls it off, even when it is over: an event that never took place is paid back. `None`:
    /// it is called off already, and its first reason stands.
    pub fn cancel(&self, reason: CancelReason) -> Option<Self> {
        match self.stage {
            Stage::Cancelled(_) => None,
            Stage::Draft | Stage::Published => Some(self.edited(Stage::Cancelled(reason))),
        }
    }

    /// Whether it may vanish.
    pub fn check_delete(&self) -> Result<(), EventHasBookings> {
        if self.booked { Err(EventHasBookings) } else { Ok(()) }
    }

    /// Moves the seats of these types, all or none.
    pub(super) fn move_seats<E>(
        &mut self,
        seats: impl Iterator<Item = (karcis_kernel::TicketTypeId, u32)> + Clone,
        mut step: impl FnMut(Stock, u32) -> Result<Stock, E>,
    ) -> Result<(), E>
    where
        E: From<OutOfBalance>,
    {
        let mut moved = Vec::new();
        for (id, quantity) in seats {
            let index = self.ticket_types.iter().position(|t| t.id == id).ok_or(OutOfBalance)?;
            moved.push((index, step(self.ticket_types[index].stock, quantity)?));
        }
        for (index, stock) in moved {
            self.ticket_types[index].stock = stock;
        }
        Ok(())
    }

    fn edited(&self, stage: Stage) -> Self {
        Self { stage, version: self.version + 1, ..self.clone() }
    }
}

/// What is wrong with an event as a whole.
pub(super) fn flaws(details: &Details, types: &[TicketType]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if details.ends_at.is_some_and(|end| end <= details.starts_at) {
        flaws.push(Flaw { field: "ends_at".to_owned(), message: "give a time after starts_at" });
    }
    if !(1..=MOST_TICKET_TYPES).contains(&types.len()) {
        let message = "an event has 1 to 20 ticket types";
        flaws.push(Flaw { field: "ticket_types".to_owned(), message });
    }
    flaws
}

/// What is wrong with the sales window of the `index`th listed type.
pub(super) fn window_flaw(index: usize, of: &TicketType, details: &Details) -> Option<Flaw> {
    let (field, message) = of.window_flaw(details.starts_at)?;
    Some(Flaw { field: format!("ticket_types[{index}].{field}"), message })
}

/// The `index`th listed type's price is in another currency than the rest.
pub(super) fn mixed_currencies(index: usize) -> Flaw {
    let message = "give all prices of the event in one currency";
    Flaw { field: format!("ticket_types[{index}].price.currency"), message }
}
