//! What an event has sold, as its organiser sees it.

use chrono::NaiveDate;
use karcis_kernel::{Money, TicketTypeId};

use super::{Event, Stock};

/// An event's sales at a moment.
#[derive(Clone, Debug)]
pub struct Sales {
    pub event: Event,
    /// From 1 on; it rises with each change of the event's stock.
    pub version: i64,
    /// In the order of the event's ticket types.
    pub ticket_types: Vec<TicketTypeSales>,
    /// Days on which something was sold or given back, the last first.
    pub days: Vec<DaySales>,
}

/// What is sold of one ticket type.
#[derive(Clone, Debug)]
pub struct TicketTypeSales {
    pub id: TicketTypeId,
    pub name: String,
    pub stock: Stock,
    /// How many of its tickets have opened the door.
    pub used: u32,
    /// For what is sold now.
    pub revenue: Money,
}

/// What was sold and given back on a day in the event's time zone.
#[derive(Clone, Debug)]
pub struct DaySales {
    pub day: NaiveDate,
    pub sold: i64,
    pub refunded: i64,
    /// For what was sold on this day.
    pub revenue: Money,
    /// For what was given back on this day.
    pub refunds: Money,
}
