//! A kind of ticket of an event: its price, its seats, and when it is on sale.

use karcis_kernel::{TicketTypeId, Timestamp};

use super::{Capacity, Details, PerBooking, Price, Stock, TicketName};

/// A kind of ticket of an event, such as "VIP".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketType {
    pub id: TicketTypeId,
    pub name: TicketName,
    /// Of one ticket in new bookings, in the event's currency.
    pub price: Price,
    pub stock: Stock,
    pub max_per_booking: PerBooking,
    /// When sales start; `None`: at once.
    pub sales_start: Option<Timestamp>,
    /// When sales end; `None`: when the event starts.
    pub sales_end: Option<Timestamp>,
    /// The organiser has stopped its sale.
    pub closed: bool,
}

/// A ticket type that an organiser adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicketType {
    /// Drawn by the adapter.
    pub id: TicketTypeId,
    pub name: TicketName,
    pub price: Price,
    pub capacity: Capacity,
    pub max_per_booking: PerBooking,
    /// When sales start; `None`: at once.
    pub sales_start: Option<Timestamp>,
    /// When sales end; `None`: when the event starts.
    pub sales_end: Option<Timestamp>,
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
    /// When its sale ends: when the event starts, unless another time before its end is set.
    pub fn sale_ends(&self, event: &Details) -> Timestamp {
        self.sales_end.map_or(event.starts_at, |end| end.min(event.over_at()))
    }

    /// Whether it is neither closed nor outside its sales window at `at`.
    pub fn is_on_sale(&self, event: &Details, at: Timestamp) -> bool {
        self.sales_start.is_none_or(|start| start <= at) && self.will_sell(event, at)
    }

    /// Whether it is, or will be, on sale at `at` or later.
    pub fn will_sell(&self, event: &Details, at: Timestamp) -> bool {
        !self.closed && at < self.sale_ends(event)
    }
}
