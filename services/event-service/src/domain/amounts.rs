//! The numbers of a ticket type, within their limits.

use karcis_kernel::Money;

/// A number outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a whole number from {min} to {max}")]
pub struct OutOfRange {
    min: i64,
    max: i64,
}

fn within(number: i64, min: i64, max: i64) -> Result<i64, OutOfRange> {
    if (min..=max).contains(&number) { Ok(number) } else { Err(OutOfRange { min, max }) }
}

/// What one ticket costs; 0 is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(Money);

impl Price {
    pub const MIN: i64 = 0;
    pub const MAX: i64 = 1_000_000_000_000;

    pub fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Price {
    type Error = OutOfRange;

    fn try_from(money: Money) -> Result<Self, OutOfRange> {
        within(money.amount, Self::MIN, Self::MAX).map(|_| Self(money))
    }
}

/// How many tickets of a type there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity(u32);

impl Capacity {
    pub const MIN: i64 = 1;
    pub const MAX: i64 = 1_000_000;

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Capacity {
    type Error = OutOfRange;

    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        within(number, Self::MIN, Self::MAX).map(|number| Self(number as u32))
    }
}

/// How many tickets of a type one booking may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerBooking(u32);

impl PerBooking {
    pub const MIN: i64 = 1;
    pub const MAX: i64 = 1_000;
    /// Unless the organiser says otherwise.
    pub const DEFAULT: Self = Self(10);

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for PerBooking {
    type Error = OutOfRange;

    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        within(number, Self::MIN, Self::MAX).map(|number| Self(number as u32))
    }
}

/// How many seats of an event one buyer may have, held and sold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerBuyer(u32);

impl PerBuyer {
    pub const MIN: i64 = 1;
    /// As many as a ticket type can have.
    pub const MAX: i64 = Capacity::MAX;

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for PerBuyer {
    type Error = OutOfRange;

    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        within(number, Self::MIN, Self::MAX).map(|number| Self(number as u32))
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::Currency;

    use super::*;

    #[test]
    fn the_limits_are_inside() {
        for (number, capacity, per_booking) in [
            (-1, false, false),
            (0, false, false),
            (1, true, true),
            (1_000, true, true),
            (1_001, true, false),
            (1_000_000, true, false),
            (1_000_001, false, false),
            (i64::MAX, false, false),
        ] {
            assert_eq!(Capacity::try_from(number).is_ok(), capacity, "{number}");
            assert_eq!(PerBooking::try_from(number).is_ok(), per_booking, "{number}");
            assert_eq!(PerBuyer::try_from(number).is_ok(), capacity, "{number}");
        }
        for (amount, good) in
            [(-1, false), (0, true), (10_i64.pow(12), true), (10_i64.pow(12) + 1, false)]
        {
            assert_eq!(
                Price::try_from(Money::new(amount, Currency::Idr)).is_ok(),
                good,
                "{amount}"
            );
        }
    }
}
