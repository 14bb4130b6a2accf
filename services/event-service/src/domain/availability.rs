//! What a list of events shows of each: the lowest price, and how many seats are left.

use karcis_kernel::{Money, Timestamp};

use super::{Event, Stage, TicketType};

/// How many seats can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// More than a tenth.
    Many,
    /// A tenth at most.
    Few,
    /// None, of what is on sale.
    SoldOut,
    /// Nothing is on sale, or what is left will be later.
    NotOnSale,
}

impl Availability {
    pub const ALL: [Self; 4] = [Self::Many, Self::Few, Self::SoldOut, Self::NotOnSale];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::Few => "few",
            Self::SoldOut => "sold_out",
            Self::NotOnSale => "not_on_sale",
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

    /// How many seats are left of the ticket types that are on sale.
    pub fn availability(&self, at: Timestamp) -> Availability {
        let sum = |seats: fn(&TicketType) -> u32| -> u64 {
            self.on_sale(at).map(|t| u64::from(seats(t))).sum()
        };
        let (free, capacity) = (sum(|t| t.stock.free()), sum(|t| t.stock.capacity()));
        match free {
            0 if capacity == 0 || self.on_sale_at(at).is_some() => Availability::NotOnSale,
            0 => Availability::SoldOut,
            free if free * 10 <= capacity => Availability::Few,
            _ => Availability::Many,
        }
    }

    /// When seats can be booked, if none can now.
    pub fn on_sale_at(&self, at: Timestamp) -> Option<Timestamp> {
        if self.on_sale(at).any(|t| t.stock.free() > 0) {
            return None;
        }
        let later = self.sellable(at).filter(|t| t.stock.free() > 0);
        later.filter_map(|t| t.sales_start).filter(|start| *start > at).min()
    }

    fn on_sale(&self, at: Timestamp) -> impl Iterator<Item = &TicketType> {
        self.sellable(at).filter(move |t| t.is_on_sale(&self.details, at))
    }

    /// What can be booked now or later.
    fn sellable(&self, at: Timestamp) -> impl Iterator<Item = &TicketType> {
        let published = self.stage == Stage::Published;
        self.ticket_types.iter().filter(move |t| published && t.will_sell(&self.details, at))
    }
}
