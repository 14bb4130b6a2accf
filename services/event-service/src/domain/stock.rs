//! The seats of one ticket type, each of them free, held or sold.

/// capacity = free + held + sold, none of them below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stock {
    capacity: u32,
    held: u32,
    sold: u32,
}

/// Fewer seats are free than asked for.
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

/// A hold and its event's stock tell different stories: an operator has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hold does not match the stock of its event")]
pub struct OutOfBalance;

impl Stock {
    /// All of it free.
    pub fn new(capacity: u32) -> Self {
        Self { capacity, held: 0, sold: 0 }
    }

    /// As it was stored.
    pub fn restore(capacity: u32, held: u32, sold: u32) -> Result<Self, OutOfBalance> {
        match held.checked_add(sold) {
            Some(taken) if taken <= capacity => Ok(Self { capacity, held, sold }),
            _ => Err(OutOfBalance),
        }
    }

    /// All seats.
    pub fn capacity(self) -> u32 {
        self.capacity
    }

    /// Seats held for bookings that are under way.
    pub fn held(self) -> u32 {
        self.held
    }

    /// Seats sold.
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
    pub fn sell(self, seats: u32) -> Result<Self, OutOfBalance> {
        let held = self.held.checked_sub(seats).ok_or(OutOfBalance)?;
        Ok(Self { held, sold: self.sold + seats, ..self })
    }

    /// held → free.
    pub fn give_up(self, seats: u32) -> Result<Self, OutOfBalance> {
        let held = self.held.checked_sub(seats).ok_or(OutOfBalance)?;
        Ok(Self { held, ..self })
    }

    /// sold → free.
    pub fn take_back(self, seats: u32) -> Result<Self, OutOfBalance> {
        let sold = self.sold.checked_sub(seats).ok_or(OutOfBalance)?;
        Ok(Self { sold, ..self })
    }

    /// More or fewer free seats.
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
            let giving_up = stock.give_up(seats).map(numbers).ok();
            assert_eq!(giving_up, (seats <= held).then(|| (free + seats, held - seats, sold)));
            let taking_back = stock.take_back(seats).map(numbers).ok();
            assert_eq!(taking_back, (seats <= sold).then(|| (free + seats, held, sold - seats)));
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
