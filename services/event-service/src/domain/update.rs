//! An organiser's update of an event.

use karcis_kernel::{Currency, TicketTypeId, Timestamp, UserId};

use super::{
    CancelReason, Capacity, CapacityBelowSold, Description, Details, Event, EventOver, FieldError,
    NewTicketType, PerBooking, PerBuyer, Price, Stage, Status, TicketName, TicketType, TimeZone,
    Title, Venue,
    dates::{date_errors, past_errors},
    event::{count_error, has_namesake, mixed_currencies, repeated_name},
};

/// What to change of an event. `None` leaves a field unchanged; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct EventUpdate {
    /// The version that the organiser saw: another one is a conflict.
    pub version: Option<i64>,
    /// As it is: it changes elsewhere, or by itself.
    pub status: Option<Status>,
    /// As it is: it never changes.
    pub organiser_id: Option<UserId>,
    /// As it is: cancelling gives it.
    pub cancel_reason: Option<Option<String>>,
    pub title: Option<Title>,
    pub description: Option<Option<Description>>,
    pub venue: Option<Venue>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Option<Timestamp>>,
    pub time_zone: Option<TimeZone>,
    pub refundable_until: Option<Option<Timestamp>>,
    pub refundable_after_start: Option<bool>,
    /// For new bookings: nobody loses a seat.
    pub max_per_buyer: Option<Option<PerBuyer>>,
    /// Ticket types that are not listed are unchanged.
    pub ticket_types: Vec<TicketTypeEdit>,
}

/// An added or changed ticket type.
#[derive(Clone, Debug)]
pub enum TicketTypeEdit {
    Add(NewTicketType),
    Change(TicketTypeUpdate),
}

/// What to change of a ticket type. `None` leaves a field unchanged; `Some(None)` clears it.
#[derive(Clone, Debug)]
pub struct TicketTypeUpdate {
    pub id: TicketTypeId,
    pub name: Option<TicketName>,
    /// For new bookings.
    pub price: Option<Price>,
    pub capacity: Option<Capacity>,
    pub max_per_booking: Option<PerBooking>,
    pub sales_start: Option<Option<Timestamp>>,
    pub sales_end: Option<Option<Timestamp>>,
    pub closed: Option<bool>,
}

/// Why an event is not updated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRefusal {
    #[error("correct the named fields")]
    Invalid(Vec<FieldError>),
    #[error("the event is now at version {current}: fetch it and edit that")]
    VersionConflict { current: i64 },
    #[error(transparent)]
    Over(#[from] EventOver),
    #[error("the event has had bookings in {currency}: give its prices in {currency}")]
    CurrencyFrozen { currency: Currency },
    #[error(transparent)]
    CapacityBelowSold(#[from] CapacityBelowSold),
}

impl Event {
    /// The event after the update; `None` if that changes nothing. What can be corrected in the
    /// request is reported before what the event's state forbids.
    pub fn update(
        &self,
        update: EventUpdate,
        at: Timestamp,
    ) -> Result<Option<Self>, UpdateRefusal> {
        let version = update.version;
        let mut errors = self.fixed_field_errors(&update);
        let mut after = self.clone();
        let details = &mut after.details;
        set(&mut details.title, update.title);
        set(&mut details.description, update.description);
        set(&mut details.venue, update.venue);
        set(&mut details.starts_at, update.starts_at);
        set(&mut details.ends_at, update.ends_at);
        set(&mut details.time_zone, update.time_zone);
        let shown = self.details.refundable_until();
        set_unless_shown(&mut details.refundable_until, update.refundable_until, shown);
        set(&mut details.refundable_after_start, update.refundable_after_start);
        set(&mut details.max_per_buyer, update.max_per_buyer);
        if self.stage == Stage::Published && self.booked && details.moved_from(&self.details) {
            details.reopen_refunds(at);
        }
        let listed = after.list(update.ticket_types, &self.details);

        errors.extend(count_error(&after.ticket_types));
        errors.extend(self.name_errors(&after, &listed));
        errors.extend(self.new_date_errors(&after, &listed, at));
        errors.extend(listed.errors);
        let mixed = after.settle_currency(&listed.places);
        if !self.booked {
            errors.extend(mixed);
        }
        if !errors.is_empty() {
            return Err(UpdateRefusal::Invalid(errors));
        }
        if version.is_some_and(|seen| seen != self.version) {
            return Err(UpdateRefusal::VersionConflict { current: self.version });
        }
        if after == *self && listed.below_sold.is_none() {
            return Ok(None);
        }
        if self.stage.cancel_reason().is_some() {
            return Err(EventOver.into());
        }
        let in_another = |t: &TicketType| t.price.money().currency != self.currency;
        if self.booked && after.ticket_types.iter().any(in_another) {
            return Err(UpdateRefusal::CurrencyFrozen { currency: self.currency });
        }
        if let Some(below_sold) = listed.below_sold {
            return Err(below_sold.into());
        }
        after.version += 1;
        Ok(Some(after))
    }

    /// What cannot be changed is sent as it is, or not at all.
    fn fixed_field_errors(&self, update: &EventUpdate) -> Vec<FieldError> {
        let is_shown = |status: Status| match self.stage {
            Stage::Draft => status == Status::Draft,
            Stage::Published => matches!(status, Status::Published | Status::Ended),
            Stage::Cancelled(_) | Stage::CancelledDraft(_) => status == Status::Cancelled,
        };
        let mut errors = Vec::new();
        if update.status.is_some_and(|status| !is_shown(status)) {
            let message = "publish, unpublish or cancel the event (POST /event/publish, …) instead";
            errors.push(FieldError::new("status", message));
        }
        if update.organiser_id.is_some_and(|id| id != self.organiser_id) {
            errors.push(FieldError::new("organiser_id", "an event keeps its organiser"));
        }
        let reason = self.stage.cancel_reason().map(CancelReason::as_str);
        if update.cancel_reason.as_ref().is_some_and(|sent| sent.as_deref() != reason) {
            let message = match reason {
                None => "cancel the event (POST /event/cancel) to give its reason",
                Some(_) => "a cancelled event keeps its first reason",
            };
            errors.push(FieldError::new("cancel_reason", message));
        }
        errors
    }

    /// Listed types that are added or renamed and have the name of another.
    fn name_errors(&self, after: &Self, listed: &Listed) -> Vec<FieldError> {
        let is_new = |place: usize| {
            self.ticket_types.get(place).is_none_or(|t| t.name != after.ticket_types[place].name)
        };
        let places = listed.places.iter().enumerate();
        let new = places.filter_map(|(index, place)| Some((index, (*place)?)));
        new.filter(|(_, place)| is_new(*place) && has_namesake(&after.ticket_types, *place, is_new))
            .map(|(index, _)| repeated_name(index))
            .collect()
    }

    /// The dates that fit each other no longer after the update, whichever of them it changes. What is
    /// wrong since an older release does not stop the update of something else.
    fn new_date_errors(&self, after: &Self, listed: &Listed, at: Timestamp) -> Vec<FieldError> {
        let before = date_errors(&self.details, &self.ticket_types);
        let errors = date_errors(&after.details, &after.ticket_types);
        // A request that lists none means those of the event.
        let index = |place| match &listed.places[..] {
            [] => Some(place),
            places => places.iter().position(|p| *p == Some(place)),
        };
        let new = errors.into_iter().filter(|error| !before.contains(error));
        let mut errors: Vec<FieldError> =
            new.map(|error| error.listed(&after.ticket_types, index)).collect();
        if self.stage == Stage::Published {
            errors.extend(past_errors(&after.details, Some(&self.details), at));
        }
        errors
    }

    /// Changes and adds the listed ticket types of an event that was shown with these details.
    fn list(&mut self, edits: Vec<TicketTypeEdit>, shown: &Details) -> Listed {
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
                        let below_sold = self.ticket_types[place].update(update, shown).err();
                        listed.below_sold = listed.below_sold.or(below_sold);
                    } else {
                        let field = format!("ticket_types[{index}].ticket_type_id");
                        let message = "name each ticket type of this event once";
                        listed.errors.push(FieldError::new(field, message));
                    }
                    fresh
                }
            };
            listed.places.push(place);
        }
        listed
    }

    /// Takes the currency of the listed prices. Listed types that differ are errors, and so are
    /// unlisted ones, which keep the old currency.
    fn settle_currency(&mut self, places: &[Option<usize>]) -> Vec<FieldError> {
        let currency =
            |place: usize, event: &Self| event.ticket_types[place].price.money().currency;
        let listed = places.iter().enumerate().filter_map(|(i, place)| Some((i, (*place)?)));
        let Some((first, place)) = listed.clone().next() else { return Vec::new() };
        let settled = currency(place, self);
        let mut errors: Vec<FieldError> = listed
            .filter(|(_, place)| currency(*place, self) != settled)
            .map(|(i, _)| mixed_currencies(i))
            .collect();
        let all = 0..self.ticket_types.len();
        if errors.is_empty() && all.into_iter().any(|place| currency(place, self) != settled) {
            errors.push(mixed_currencies(first));
        }
        self.currency = settled;
        errors
    }
}

impl TicketType {
    fn update(
        &mut self,
        update: TicketTypeUpdate,
        shown: &Details,
    ) -> Result<(), CapacityBelowSold> {
        let shown_end = self.sale_ends(shown);
        set(&mut self.name, update.name);
        set(&mut self.price, update.price);
        set(&mut self.max_per_booking, update.max_per_booking);
        set(&mut self.sales_start, update.sales_start);
        set_unless_shown(&mut self.sales_end, update.sales_end, shown_end);
        set(&mut self.closed, update.closed);
        if let Some(capacity) = update.capacity {
            self.stock = self.stock.resize(capacity.get())?;
        }
        Ok(())
    }
}

/// The places of the listed types among all (`None`: invalid), and what is wrong with them.
#[derive(Default)]
struct Listed {
    places: Vec<Option<usize>>,
    errors: Vec<FieldError>,
    below_sold: Option<CapacityBelowSold>,
}

/// What was never set follows the event. Clients that send it back as it was shown do not set it.
fn set_unless_shown(
    field: &mut Option<Timestamp>,
    change: Option<Option<Timestamp>>,
    shown: Timestamp,
) {
    set(field, change.filter(|change| *change != Some(shown)));
}

fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}
