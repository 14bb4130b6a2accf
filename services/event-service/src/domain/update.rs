//! What an organiser changes about an event.

use karcis_kernel::{Currency, TicketTypeId, Timestamp};

use super::{
    Capacity, CapacityBelowSold, Description, Event, EventOver, Flaw, NewTicketType, PerBooking,
    Price, Stage, TicketName, TicketType, TimeZone, Title, Venue,
    event::{flaws, mixed_currencies, window_flaw},
};

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct EventUpdate {
    /// The version the organiser saw.
    pub version: Option<i64>,
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Option<Description>>,
    /// A new venue.
    pub venue: Option<Venue>,
    /// A new start.
    pub starts_at: Option<Timestamp>,
    /// A new end.
    pub ends_at: Option<Option<Timestamp>>,
    /// A new time zone.
    pub time_zone: Option<TimeZone>,
    /// A new last moment to cancel for the money.
    pub refundable_until: Option<Option<Timestamp>>,
    /// Ticket types to change or add; types that are not listed stay as they are.
    pub ticket_types: Vec<TicketTypeEdit>,
}

/// One listed ticket type.
#[derive(Clone, Debug)]
pub enum TicketTypeEdit {
    /// One more.
    Add(NewTicketType),
    /// Change one.
    Change(TicketTypeUpdate),
}

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Debug)]
pub struct TicketTypeUpdate {
    /// Which one.
    pub id: TicketTypeId,
    /// A new name.
    pub name: Option<TicketName>,
    /// A new price, for new bookings.
    pub price: Option<Price>,
    /// A new capacity.
    pub capacity: Option<Capacity>,
    /// A new limit.
    pub max_per_booking: Option<PerBooking>,
    /// A new start of sales.
    pub sales_start: Option<Option<Timestamp>>,
    /// A new end of sales.
    pub sales_end: Option<Option<Timestamp>>,
    /// Stop or resume its sale.
    pub closed: Option<bool>,
}

/// Why an event stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRefused {
    /// What would come out is no proper event.
    #[error("correct the named fields")]
    Flawed(Vec<Flaw>),
    /// It was edited since the organiser saw it.
    #[error("the event is now at version {current}: fetch it and edit that")]
    VersionConflict {
        /// The version it has.
        current: i64,
    },
    /// It is cancelled.
    #[error(transparent)]
    Over(#[from] EventOver),
    /// Buyers have paid or will pay in the currency it has.
    #[error("the event has had bookings in {currency}: give its prices in {currency}")]
    CurrencyFrozen {
        /// The currency it has.
        currency: Currency,
    },
    /// More seats are held and sold than would be left.
    #[error(transparent)]
    CapacityBelowSold(#[from] CapacityBelowSold),
}

impl Event {
    /// The event after the update; `None` if that changes nothing. What people could correct in
    /// the request itself is reported before what the event's state forbids.
    pub fn update(&self, update: EventUpdate) -> Result<Option<Self>, UpdateRefused> {
        let version = update.version;
        let mut after = self.clone();
        let details = &mut after.details;
        set(&mut details.title, update.title);
        set(&mut details.description, update.description);
        set(&mut details.venue, update.venue);
        set(&mut details.starts_at, update.starts_at);
        set(&mut details.ends_at, update.ends_at);
        set(&mut details.time_zone, update.time_zone);
        set(&mut details.refundable_until, update.refundable_until);
        let listed = after.list(update.ticket_types);

        let mut flaws = flaws(&after.details, &after.ticket_types);
        flaws.extend(listed.flaws);
        flaws.extend(listed.places.iter().enumerate().filter_map(|(i, place)| {
            window_flaw(i, &after.ticket_types[(*place)?], &after.details)
        }));
        let mixed = after.settle_currency(&listed.places);
        if !self.booked {
            flaws.extend(mixed);
        }
        if !flaws.is_empty() {
            return Err(UpdateRefused::Flawed(flaws));
        }
        if version.is_some_and(|seen| seen != self.version) {
            return Err(UpdateRefused::VersionConflict { current: self.version });
        }
        if matches!(self.stage, Stage::Cancelled(_)) {
            return Err(EventOver.into());
        }
        let in_another = |t: &TicketType| t.price.money().currency != self.currency;
        if self.booked && after.ticket_types.iter().any(in_another) {
            return Err(UpdateRefused::CurrencyFrozen { currency: self.currency });
        }
        if let Some(refused) = listed.below_sold {
            return Err(refused.into());
        }
        if after == *self {
            return Ok(None);
        }
        after.version += 1;
        Ok(Some(after))
    }

    /// Changes and adds what is listed.
    fn list(&mut self, edits: Vec<TicketTypeEdit>) -> Listed {
        let mut listed = Listed::default();
        for (index, edit) in edits.into_iter().enumerate() {
            let place = match edit {
                TicketTypeEdit::Add(new) => {
                    self.ticket_types.push(new.into());
                    Some(self.ticket_types.len() - 1)
                }
                TicketTypeEdit::Change(update) => {
                    let place = self.ticket_types.iter().position(|t| t.id == update.id);
                    let fresh = place.filter(|place| !listed.places.contains(&Some(*place)));
                    if let Some(place) = fresh {
                        let refused = self.ticket_types[place].update(update).err();
                        listed.below_sold = listed.below_sold.or(refused);
                    } else {
                        let field = format!("ticket_types[{index}].ticket_type_id");
                        let message = "name each ticket type of this event once";
                        listed.flaws.push(Flaw { field, message });
                    }
                    fresh
                }
            };
            listed.places.push(place);
        }
        listed
    }

    /// Takes the currency of the listed prices; the listed types that differ are flaws, as is
    /// an unlisted one, which keeps the old currency.
    fn settle_currency(&mut self, places: &[Option<usize>]) -> Vec<Flaw> {
        let currency =
            |place: usize, event: &Self| event.ticket_types[place].price.money().currency;
        let listed = places.iter().enumerate().filter_map(|(i, place)| Some((i, (*place)?)));
        let Some((first, place)) = listed.clone().next() else { return Vec::new() };
        let settled = currency(place, self);
        let mut flaws: Vec<Flaw> = listed
            .filter(|(_, place)| currency(*place, self) != settled)
            .map(|(i, _)| mixed_currencies(i))
            .collect();
        let all = 0..self.ticket_types.len();
        if flaws.is_empty() && all.into_iter().any(|place| currency(place, self) != settled) {
            flaws.push(mixed_currencies(first));
        }
        self.currency = settled;
        flaws
    }
}

impl TicketType {
    fn update(&mut self, update: TicketTypeUpdate) -> Result<(), CapacityBelowSold> {
        set(&mut self.name, update.name);
        set(&mut self.price, update.price);
        set(&mut self.max_per_booking, update.max_per_booking);
        set(&mut self.sales_start, update.sales_start);
        set(&mut self.sales_end, update.sales_end);
        set(&mut self.closed, update.closed);
        if let Some(capacity) = update.capacity {
            self.stock = self.stock.resize(capacity.get())?;
        }
        Ok(())
    }
}

/// Where the listed types are now (`None`: flawed), and what is wrong with them.
#[derive(Default)]
struct Listed {
    places: Vec<Option<usize>>,
    flaws: Vec<Flaw>,
    below_sold: Option<CapacityBelowSold>,
}

fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}
