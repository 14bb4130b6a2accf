//! Settings, parsed once at boot from flags and the environment.

use std::time::Duration;

use karcis_http::{KeysConfig, Rate};
use karcis_schemas::BOOKING;
use karcis_service::{ReconcileConfig, ServiceConfig};

/// booking-service: takes orders and sees each one through.
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    #[command(flatten)]
    pub service: ServiceConfig<{ BOOKING.port }>,
    #[command(flatten)]
    pub keys: KeysConfig,
    #[command(flatten)]
    pub reconcile: ReconcileConfig,
    /// How many bookings an account may create at once, and the time in which as many more may be.
    #[arg(long, env = "KARCIS_RATE_LIMIT_BOOKINGS", default_value = "60/1m", value_name = "RATE")]
    pub rate_limit_bookings: Rate,
    /// How often the tickets of a booking are sent again.
    #[arg(
        long,
        env = "KARCIS_RATE_LIMIT_TICKET_MAILS",
        default_value = "3/1h",
        value_name = "RATE"
    )]
    pub rate_limit_ticket_mails: Rate,
    /// Whether only buyers who have shown to read their e-mail address may book.
    #[arg(long, env = "KARCIS_REQUIRE_VERIFIED_EMAIL", default_value_t = false, value_name = "BOOL",
        action = clap::ArgAction::Set)]
    pub require_verified_email: bool,
    /// How long a buyer has to pay, such as 15m; after that the booking is undone.
    #[arg(long, env = "KARCIS_PAYMENT_WINDOW", default_value = "15m", value_parser = duration,
        value_name = "DURATION")]
    pub payment_window: Duration,
    /// When a command without an answer is sent again for the first time; later resends stretch in
    /// proportion.
    #[arg(long, env = "KARCIS_RESEND_AFTER", default_value = "5s", value_parser = duration,
        value_name = "DURATION")]
    pub resend_after: Duration,
}

/// A duration such as `500ms`, `5s`, `15m` or `1h`, up to a year.
fn duration(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit_ms))
        .map(Duration::from_millis)
        .filter(|duration| (Duration::from_millis(1)..=YEAR).contains(duration))
        .ok_or_else(|| "give a number with its unit, such as 500ms, 5s, 15m or 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, ms) in [
            ("1ms", Some(1)),
            ("5s", Some(5_000)),
            ("15m", Some(900_000)),
            ("1h", Some(3_600_000)),
            ("0s", None),
            ("5", None),
            ("s", None),
            ("5 s", None),
            ("-5s", None),
            ("5d", None),
            ("", None),
            ("ü", None),
            ("18446744073709551615h", None),
            ("99999h", None),
        ] {
            assert_eq!(duration(text).ok(), ms.map(Duration::from_millis), "{text:?}");
        }
    }
}
