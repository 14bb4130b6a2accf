//! What a list of events shows of each: the lowest price, and how many seats are left.

use karcis_kernel::{Money, Timestamp};

use super::{Event, Stage, TicketType};

/// How many seats are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// More than a tenth.
    Many,
    /// A tenth at most.
    Few,
    /// None that can still be booked.
    SoldOut,
}

impl Availability {
    pub const ALL: [Self; 3] = [Self::Many, Self::Few, Self::SoldOut];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::Few => "few",
            Self::SoldOut => "sold_out",
        }
    }
}

impl Event {
    /// The lowest price of what can be booked now or later; if nothing can, of all ticket types.
    pub fn lowest_price(&self, at: Timestamp) -> Money {
        let lowest = |types: &mut dyn Iterator<Item = &TicketType>| {
            types.map(|t| t.price.money().amount).min()
        };
        let amount = lowest(&mut self.sellable(at).filter(|t| t.stock.free() > 0))
            .or_else(|| lowest(&mut self.ticket_types.iter()));
        Money::new(amount.unwrap_or(0), self.currency)
    }

    /// How many seats are left of the ticket types that can be booked now or later.
    pub fn availability(&self, at: Timestamp) -> Availability {
        let sum = |seats: fn(&TicketType) -> u32| -> u64 {
            self.sellable(at).map(|t| u64::from(seats(t))).sum()
        };
        let (free, capacity) = (sum(|t| t.stock.free()), sum(|t| t.stock.capacity()));
        match free {
            0 => Availability::SoldOut,
            free if free * 10 <= capacity => Availability::Few,
            _ => Availability::Many,
        }
    }

    fn sellable(&self, at: Timestamp) -> impl Iterator<Item = &TicketType> {
        let cancelled = matches!(self.stage, Stage::Cancelled(_));
        let starts = self.details.starts_at;
        self.ticket_types.iter().filter(move |t| !cancelled && t.will_sell(starts, at))
    }
}
