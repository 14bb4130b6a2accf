//! Money as a payment provider's own books show it, for the tests of payment-service and of a fleet.

/// What the provider's books say of the money of one booking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub captures: i64,
    /// In all, in the currency's units.
    pub captured: i64,
    pub refunds: i64,
    /// In all, in the currency's units.
    pub refunded: i64,
}

impl Ledger {
    /// Taken once and kept.
    pub fn captured_once(amount: i64) -> Self {
        Self { captures: 1, captured: amount, refunds: 0, refunded: 0 }
    }

    /// Taken once and refunded once.
    pub fn refunded_once(amount: i64) -> Self {
        Self { captures: 1, captured: amount, refunds: 1, refunded: amount }
    }

    /// What was taken and not refunded.
    pub fn kept(self) -> i64 {
        self.captured - self.refunded
    }
}
