//! The seats of one ticket type, each of them free, held or sold.

/// capacity = free + held + sold; none of them is below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stock {
    capacity: u32,
    held: u32,
    sold: u32,
}

/// Fewer seats are free than requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too few seats are free")]
pub struct SoldOut;

/// A capacity below what is held and sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a capacity of at least {taken}, which are held or sold")]
pub struct CapacityBelowSold {
    /// Held and sold together.
    pub taken: u32,
}

/// A hold and its event's stock contradict each other: an operator has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hold does not match the stock of its event")]
pub struct StockMismatch;

impl Stock {
    /// So many seats, all free.
    pub fn new(capacity: u32) -> Self {
        Self { capacity, held: 0, sold: 0 }
    }

    /// The stock with these stored numbers.
    pub fn restore(capacity: u32, held: u32, sold: u32) -> Result<Self, StockMismatch> {
        match held.checked_add(sold) {
            Some(taken) if taken <= capacity => Ok(Self { capacity, held, sold }),
            _ => Err(StockMismatch),
        }
    }

    pub fn capacity(self) -> u32 {
        self.capacity
    }

    /// Seats held for bookings that are under way.
    pub fn held(self) -> u32 {
        self.held
    }

    pub fn sold(self) -> u32 {
        self.sold
    }

    /// Seats left.
    pub fn free(self) -> u32 {
        self.capacity - self.held - self.sold
    }

    /// free → held.
    pub fn hold(self, seats: u32) -> Result<Self, SoldOut> {
        if seats > self.free() {
            return Err(SoldOut);
        }
        Ok(Self { held: self.held + seats, ..self })
    }

    /// held → sold.
    pub fn sell(self, seats: u32) -> Result<Self, StockMismatch> {
        let held = self.held.checked_sub(seats).ok_or(StockMismatch)?;
        Ok(Self { held, sold: self.sold + seats, ..self })
    }

    /// held → free.
    pub fn release_held(self, seats: u32) -> Result<Self, StockMismatch> {
        let held = self.held.checked_sub(seats).ok_or(StockMismatch)?;
        Ok(Self { held, ..self })
    }

    /// sold → free.
    pub fn release_sold(self, seats: u32) -> Result<Self, StockMismatch> {
        let sold = self.sold.checked_sub(seats).ok_or(StockMismatch)?;
        Ok(Self { sold, ..self })
    }

    /// The same held and sold seats of another capacity.
    pub fn resize(self, capacity: u32) -> Result<Self, CapacityBelowSold> {
        let taken = self.held + self.sold;
        if capacity < taken {
            return Err(CapacityBelowSold { taken });
        }
        Ok(Self { capacity, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_of_every_small_stock_keeps_the_sum_or_is_refused() {
        for (capacity, held, sold, seats) in numbers_up_to(4) {
            let Ok(stock) = Stock::restore(capacity, held, sold) else {
                assert!(held + sold > capacity);
                continue;
            };
            assert_eq!(stock.free() + held + sold, capacity);
            let numbers = |stock: Stock| (stock.free(), stock.held(), stock.sold());
            let free = stock.free();

            let holding = stock.hold(seats).map(numbers).ok();
            assert_eq!(holding, (seats <= free).then(|| (free - seats, held + seats, sold)));
            let selling = stock.sell(seats).map(numbers).ok();
            assert_eq!(selling, (seats <= held).then(|| (free, held - seats, sold + seats)));
            let releasing_held = stock.release_held(seats).map(numbers).ok();
            assert_eq!(releasing_held, (seats <= held).then(|| (free + seats, held - seats, sold)));
            let releasing_sold = stock.release_sold(seats).map(numbers).ok();
            assert_eq!(releasing_sold, (seats <= sold).then(|| (free + seats, held, sold - seats)));
            let resizing = stock.resize(seats).map(numbers).ok();
            assert_eq!(resizing, (seats >= held + sold).then(|| (seats - held - sold, held, sold)));
        }
    }

    fn numbers_up_to(most: u32) -> impl Iterator<Item = (u32, u32, u32, u32)> {
        let all = move || 0..=most;
        all().flat_map(move |a| {
            all().flat_map(move |b| all().flat_map(move |c| all().map(move |d| (a, b, c, d))))
        })
    }
}
