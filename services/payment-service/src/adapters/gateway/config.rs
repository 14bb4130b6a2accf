//! Which payment provider is used, and how long its answers are waited for.

use std::{fmt, time::Duration};

use super::stripe;

/// A shorter secret could be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// The payment providers that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Provider {
    /// Takes scripted tokens and moves no money.
    Simulated,
    /// Takes the PaymentMethods of a Stripe account.
    Stripe,
}

/// The payment provider.
#[derive(Clone, clap::Args)]
pub struct GatewayConfig {
    /// Which payment provider takes the money; "simulated" takes none and is for development.
    #[arg(long = "gateway", env = "KARCIS_GATEWAY", value_name = "PROVIDER")]
    pub(super) provider: Provider,
    /// The simulated provider's own database, as a role that cannot read the payments:
    /// postgres://role:password@host:port/database
    #[arg(
        long,
        env = "KARCIS_GATEWAY_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        required_if_eq("provider", "simulated")
    )]
    pub(super) gateway_database_url: Option<String>,
    /// The secret key of the Stripe account, or a restricted one: sk_… or rk_…; what begins with sk_test_ or
    /// rk_test_ moves no money.
    #[arg(
        long,
        env = "KARCIS_STRIPE_KEY",
        hide_env_values = true,
        value_name = "KEY",
        required_if_eq("provider", "stripe")
    )]
    stripe_key: Option<String>,
    /// Where Stripe sends buyers who have done what their bank wants; it adds payment_intent and
    /// redirect_status to it.
    #[arg(long, env = "KARCIS_STRIPE_RETURN_URL", value_name = "URL", value_parser = http_url,
        required_if_eq("provider", "stripe"))]
    stripe_return_url: Option<String>,
    /// Where Stripe's API is, without a path.
    #[arg(long, env = "KARCIS_STRIPE_API", value_name = "URL", value_parser = http_url,
        default_value = "https://api.stripe.com")]
    stripe_api: String,
    /// What the provider signs its webhooks with, at least 16 characters each, separated by commas: a new
    /// one is added before the provider uses it, and the old one taken away after that. Those of Stripe's
    /// endpoints begin with whsec_. The simulated provider signs with the first, or with one that it draws
    /// at each start.
    #[arg(
        long,
        env = "KARCIS_WEBHOOK_SECRETS",
        hide_env_values = true,
        default_value = "",
        value_name = "SECRETS",
        hide_default_value = true
    )]
    webhook_secrets: String,
    /// Where the simulated provider sends its webhooks; if not given, to where this service listens.
    #[arg(long, env = "KARCIS_WEBHOOK_URL", value_name = "URL", value_parser = http_url)]
    pub(super) webhook_url: Option<String>,
    /// Where people find the page of the simulated provider, without its path; if not given, where this
    /// service listens.
    #[arg(long, env = "KARCIS_SIMULATED_PROVIDER_URL", value_name = "URL",
        value_parser = http_url)]
    pub(super) simulated_provider_url: Option<String>,
    /// How long an answer of the provider is waited for, in milliseconds; then its outcome is
    /// unknown, and the provider is asked again.
    #[arg(long, env = "KARCIS_PROVIDER_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    provider_timeout_ms: u64,
    /// How long a buyer waits for that answer, in milliseconds; then the payment is "processing".
    #[arg(long, env = "KARCIS_PROVIDER_WAIT_MS", default_value_t = 2_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    provider_wait_ms: u64,
}

fn http_url(text: &str) -> Result<String, &'static str> {
    let url =
        reqwest::Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or("give a URL that begins with http:// or https://")
}

impl GatewayConfig {
    /// What is wrong with settings that only make sense together, if anything.
    pub fn check(&self) -> Result<(), &'static str> {
        let secrets = self.webhook_secrets()?;
        if self.provider != Provider::Stripe {
            return Ok(());
        }
        let key = self.stripe_key.as_deref().unwrap_or_default();
        let is_key = key.starts_with("sk_") || key.starts_with("rk_");
        if !is_key || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err("KARCIS_STRIPE_KEY: give a secret key, which begins with sk_ or rk_");
        }
        if key[3..].starts_with("live_") && !self.stripe_api.starts_with("https:") {
            return Err("KARCIS_STRIPE_API: give a URL with https:// for a live key");
        }
        if secrets.is_empty() {
            return Err("KARCIS_WEBHOOK_SECRETS: give the signing secret of Stripe's webhook \
                        endpoint, which begins with whsec_");
        }
        Ok(())
    }

    /// The settings of Stripe, which signs its webhooks with one of `secrets`.
    pub(super) fn stripe(&self, secrets: Vec<String>) -> stripe::Settings {
        stripe::Settings {
            api: self.stripe_api.clone(),
            key: self.stripe_key.clone().unwrap_or_default(),
            return_url: self.stripe_return_url.clone().unwrap_or_default(),
            secrets,
            timeout: self.provider_timeout(),
        }
    }

    /// The secrets of webhooks, or what is wrong with them.
    pub fn webhook_secrets(&self) -> Result<Vec<String>, &'static str> {
        let secrets = self.webhook_secrets.split(',').map(str::trim);
        let secrets: Vec<String> =
            secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        match secrets.iter().all(|secret| secret.len() >= MIN_SECRET_BYTES) {
            true => Ok(secrets),
            false => Err("KARCIS_WEBHOOK_SECRETS: give each secret at least 16 characters"),
        }
    }

    /// After this an outcome is unknown.
    pub fn provider_timeout(&self) -> Duration {
        Duration::from_millis(self.provider_timeout_ms)
    }

    /// After this a buyer is answered with "processing".
    pub fn provider_wait(&self) -> Duration {
        Duration::from_millis(self.provider_wait_ms)
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("provider", &self.provider)
            .field("provider_timeout_ms", &self.provider_timeout_ms)
            .field("provider_wait_ms", &self.provider_wait_ms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        gateway: GatewayConfig,
    }

    fn stripe(key: &str, more: &[&str]) -> GatewayConfig {
        let own = ["payment-service", "--gateway", "stripe", "--stripe-key", key];
        let back = ["--stripe-return-url", "https://shop.example/paid"];
        let flags = own.iter().chain(&back).chain(more);
        Flags::try_parse_from(flags).expect("the flags are known").gateway
    }

    #[test]
    fn what_stripe_needs_is_asked_for_by_its_name() {
        let secrets = ["--webhook-secrets", "whsec_of_this_test"];
        let local = ["--stripe-api", "http://127.0.0.1:12111"];
        let both = [secrets, local].concat();
        for key in ["sk_test_1", "rk_test_1"] {
            assert_eq!(stripe(key, &both).check(), Ok(()));
        }
        assert_eq!(stripe("sk_live_1", &secrets).check(), Ok(()));
        for (key, more, named) in [
            ("", &secrets[..], "KARCIS_STRIPE_KEY"),
            ("pk_test_1", &secrets, "KARCIS_STRIPE_KEY"),
            ("sk_test_1\n", &secrets, "KARCIS_STRIPE_KEY"),
            ("sk_live_1", &both, "KARCIS_STRIPE_API"),
            ("sk_test_1", &[], "KARCIS_WEBHOOK_SECRETS"),
        ] {
            let told = stripe(key, more).check().expect_err("it is wrong");
            assert!(told.starts_with(named), "{key:?} {more:?}: {told}");
        }
        let config = stripe("sk_test_of_nobody", &both);
        let shown = format!("{config:?}");
        assert!(!shown.contains("of_nobody") && !shown.contains("whsec_"), "{shown}");
    }
}
