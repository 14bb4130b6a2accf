//! Amounts as Stripe counts them, which is neither as people pay nor always as ISO 4217 says.

use karcis_kernel::{Currency, Money};

/// The amount in Stripe's unit of its currency; `None` if there is no such number.
pub(super) fn in_minor_units(money: Money) -> Option<i64> {
    let more = decimals(money.currency).checked_sub(money.currency.decimals())?;
    money.amount.checked_mul(10_i64.checked_pow(more)?)
}

/// An amount in Stripe's unit of its currency, as people pay it.
pub(super) fn of_minor_units(amount: i64, currency: Currency) -> Money {
    let more = decimals(currency).saturating_sub(currency.decimals());
    Money::new(amount / 10_i64.pow(more), currency)
}

/// How many decimals Stripe counts (docs.stripe.com/currencies). A currency of three, of which we have none,
/// has to be rounded to the nearest ten besides.
fn decimals(currency: Currency) -> u32 {
    match currency {
        Currency::Jpy => 0,
        // Rupiah have two there, although nobody pays sen.
        Currency::Idr | Currency::Usd | Currency::Eur | Currency::Sgd | Currency::Myr => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_have_sen_at_stripe_and_yen_have_no_cents() {
        for (amount, currency, expected) in [
            (750_000, Currency::Idr, Some(75_000_000)),
            (5_000, Currency::Jpy, Some(5_000)),
            (1_999, Currency::Usd, Some(1_999)),
            (1_999, Currency::Eur, Some(1_999)),
            (1_999, Currency::Sgd, Some(1_999)),
            (1_999, Currency::Myr, Some(1_999)),
            (i64::MAX / 10, Currency::Idr, None),
        ] {
            let money = Money::new(amount, currency);
            assert_eq!(in_minor_units(money), expected, "{currency}");
            assert!(expected.is_none_or(|it| of_minor_units(it, currency) == money), "{currency}");
        }
    }
}
