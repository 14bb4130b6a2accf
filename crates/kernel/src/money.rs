//! Money in the unit that people pay with: rupiah and yen are whole, the others are in cents.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The currencies Karcis sells in. An amount counts the unit people pay with (ISO's exponent
/// for IDR is 2, but nobody pays sen).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
pub enum Currency {
    /// Rupiah, whole.
    Idr,
    /// Yen, whole.
    Jpy,
    /// US cents.
    Usd,
    /// Euro cents.
    Eur,
    /// Singapore cents.
    Sgd,
    /// Malaysian sen.
    Myr,
}

impl Currency {
    /// The ISO 4217 code, such as `IDR`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idr => "IDR",
            Self::Jpy => "JPY",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Sgd => "SGD",
            Self::Myr => "MYR",
        }
    }

    /// How many digits of an amount are a fraction of what people call the currency.
    pub fn decimals(self) -> u32 {
        match self {
            Self::Idr | Self::Jpy => 0,
            Self::Usd | Self::Eur | Self::Sgd | Self::Myr => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a text that names no [`Currency`].
#[derive(Debug, thiserror::Error)]
#[error("give one of IDR, JPY, USD, EUR, SGD, MYR")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        [Self::Idr, Self::Jpy, Self::Usd, Self::Eur, Self::Sgd, Self::Myr]
            .into_iter()
            .find(|currency| currency.as_str() == text)
            .ok_or(UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(text: String) -> Result<Self, UnknownCurrency> {
        text.parse()
    }
}

/// An amount in the unit people pay `currency` with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Whole units or cents, as the currency says.
    #[schema(minimum = 0, examples(1_500_000))]
    pub amount: i64,
    /// What the amount is of.
    pub currency: Currency,
}

/// The error for amounts of two currencies, or a result that no `i64` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give amounts of one currency that add up below 2^63")]
pub struct CurrencyMismatch;

impl Money {
    /// This amount, in the unit that people pay `currency` with.
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The amount 0.
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whether the amount is 0.
    pub fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum, if the currencies are the same and an `i64` holds it.
    pub fn plus(self, other: Self) -> Result<Self, CurrencyMismatch> {
        if self.currency != other.currency {
            return Err(CurrencyMismatch);
        }
        let amount = self.amount.checked_add(other.amount).ok_or(CurrencyMismatch)?;
        Ok(Self::new(amount, self.currency))
    }

    /// `quantity` times this, if an `i64` holds it.
    pub fn times(self, quantity: u32) -> Result<Self, CurrencyMismatch> {
        let amount = self.amount.checked_mul(i64::from(quantity)).ok_or(CurrencyMismatch)?;
        Ok(Self::new(amount, self.currency))
    }
}
