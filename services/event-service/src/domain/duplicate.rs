//! A copy of an event for another date.

use chrono::TimeDelta;
use karcis_kernel::{EventId, TicketTypeId, Timestamp};

use super::{Details, Event, Stage, Stock, TicketType};

/// 9999-12-31T00:00:00Z: up to here a year has four digits in every time zone.
const END_S: i64 = 253_402_214_400;

/// A date of the copy that nobody could write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a time with which all dates of the event are in the years 1970 to 9999")]
pub struct OutOfCalendar;

impl Event {
    /// A draft of the same organiser that starts at `starts_at`, all its dates as far from that as here. All its
    /// seats are free, and ticket types that are closed here are open: their sale begins again.
    pub fn duplicate(
        &self,
        id: EventId,
        starts_at: Timestamp,
        draw_id: &dyn Fn() -> TicketTypeId,
    ) -> Result<Self, OutOfCalendar> {
        let by = starts_at - self.details.starts_at;
        let shift = |date: Option<Timestamp>| date.map(|date| shifted(date, by)).transpose();
        let types = self.ticket_types.iter().map(|of| {
            Ok(TicketType {
                id: draw_id(),
                stock: Stock::new(of.stock.capacity()),
                sales_start: shift(of.sales_start)?,
                sales_end: shift(of.sales_end)?,
                closed: false,
                ..of.clone()
            })
        });
        Ok(Self {
            id,
            version: 1,
            stage: Stage::Draft,
            details: Details {
                starts_at,
                ends_at: shift(self.details.ends_at)?,
                refundable_until: shift(self.details.refundable_until)?,
                reopened_until: None,
                ..self.details.clone()
            },
            ticket_types: types.collect::<Result<_, _>>()?,
            booked: false,
            ..self.clone()
        })
    }
}

fn shifted(date: Timestamp, by: TimeDelta) -> Result<Timestamp, OutOfCalendar> {
    let date = date.checked_add_signed(by);
    date.filter(|date| (0..END_S).contains(&date.timestamp())).ok_or(OutOfCalendar)
}
