//! The numbers of a ticket type, within their limits.

use karcis_kernel::Money;

/// A number outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a whole number from {least} to {most}")]
pub struct OutOfRange {
    least: i64,
    most: i64,
}

fn within(number: i64, least: i64, most: i64) -> Result<i64, OutOfRange> {
    if (least..=most).contains(&number) { Ok(number) } else { Err(OutOfRange { least, most }) }
}

/// What one ticket costs: 0 (free) to 10^12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(Money);

impl Price {
    /// The amount.
    pub fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Price {
    type Error = OutOfRange;

    fn try_from(money: Money) -> Result<Self, OutOfRange> {
        within(money.amount, 0, 1_000_000_000_000).map(|_| Self(money))
    }
}

/// How many tickets of a type there are: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity(u32);

impl Capacity {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Capacity {
    type Error = OutOfRange;

    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        within(number, 1, 1_000_000).map(|number| Self(number as u32))
    }
}

/// How many tickets of a type one booking may have: 1 to 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerBooking(u32);

impl PerBooking {
    /// What holds unless the organiser says otherwise.
    pub const DEFAULT: Self = Self(10);

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for PerBooking {
    type Error = OutOfRange;

    fn try_from(number: i64) -> Result<Self, OutOfRange> {
        within(number, 1, 1_000).map(|number| Self(number as u32))
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
