//! A kind of ticket of an event: its price, its seats, and when it is on sale.

use karcis_kernel::{TicketTypeId, Timestamp};

use super::{Capacity, PerBooking, Price, Stock, TicketName};

/// A kind of ticket, such as "VIP".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketType {
    /// Its id.
    pub id: TicketTypeId,
    /// Its name.
    pub name: TicketName,
    /// What one ticket costs in new bookings, in the event's currency.
    pub price: Price,
    /// Its seats.
    pub stock: Stock,
    /// How many one booking may have.
    pub max_per_booking: PerBooking,
    /// When sales start; `None`: at once.
    pub sales_start: Option<Timestamp>,
    /// When sales end; `None`: when the event starts.
    pub sales_end: Option<Timestamp>,
    /// Whether the organiser stopped its sale.
    pub closed: bool,
}

/// A ticket type as an organiser asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicketType {
    /// Its id, minted by the adapter.
    pub id: TicketTypeId,
    /// Its name.
    pub name: TicketName,
    /// What one ticket costs.
    pub price: Price,
    /// How many there are.
    pub capacity: Capacity,
    /// How many one booking may have.
    pub max_per_booking: PerBooking,
    /// When sales start; `None`: at once.
    pub sales_start: Option<Timestamp>,
    /// When sales end; `None`: when the event starts.
    pub sales_end: Option<Timestamp>,
    /// Whether it is not for sale.
    pub closed: bool,
}

impl From<NewTicketType> for TicketType {
    fn from(new: NewTicketType) -> Self {
        Self {
            id: new.id,
            name: new.name,
            price: new.price,
            stock: Stock::new(new.capacity.get()),
            max_per_booking: new.max_per_booking,
            sales_start: new.sales_start,
            sales_end: new.sales_end,
            closed: new.closed,
        }
    }
}

impl TicketType {
    /// When its sale ends at the latest: with the start of the event.
    pub fn sale_ends(&self, event_starts: Timestamp) -> Timestamp {
        self.sales_end.map_or(event_starts, |end| end.min(event_starts))
    }

    /// Whether it can be booked at `at`, as far as time goes.
    pub fn is_on_sale(&self, event_starts: Timestamp, at: Timestamp) -> bool {
        self.sales_start.is_none_or(|start| start <= at) && self.will_sell(event_starts, at)
    }

    /// Whether it can be booked at `at` or later.
    pub fn will_sell(&self, event_starts: Timestamp, at: Timestamp) -> bool {
        !self.closed && at < self.sale_ends(event_starts)
    }

    /// What is wrong with its sales window, as (field, what to do).
    pub(super) fn window_flaw(
        &self,
        event_starts: Timestamp,
    ) -> Option<(&'static str, &'static str)> {
        match (self.sales_start, self.sales_end) {
            (_, Some(end)) if end > event_starts => {
                Some(("sales_end", "give a time not after starts_at"))
            }
            (Some(start), Some(end)) if start >= end => {
                Some(("sales_end", "give a time after sales_start"))
            }
            (Some(start), None) if start >= event_starts => {
                Some(("sales_start", "give a time before starts_at"))
            }
            _ => None,
        }
    }
}
