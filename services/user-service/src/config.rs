//! Settings, parsed once at boot from flags and the environment.

use std::fmt;

use karcis_http::Rate;
use karcis_schemas::USER;
use karcis_service::ServiceConfig;

/// user-service: people, their sessions and their roles
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    #[command(flatten)]
    pub service: ServiceConfig<{ USER.port }>,
    #[command(flatten)]
    pub admin: AdminConfig,
    #[command(flatten)]
    pub mail: MailConfig,
    /// How many log-ins may be tried at once from one network address, and the time in which as many
    /// more may be.
    #[arg(long, env = "KARCIS_RATE_LIMIT_LOGINS", default_value = "300/1m", value_name = "RATE")]
    pub rate_limit_logins: Rate,
    /// The same for new accounts.
    #[arg(
        long,
        env = "KARCIS_RATE_LIMIT_REGISTRATIONS",
        default_value = "60/1m",
        value_name = "RATE"
    )]
    pub rate_limit_registrations: Rate,
    /// How often the signing keys are read again.
    #[arg(long, env = "KARCIS_SIGNING_KEYS_REREAD_MS", value_name = "MS", default_value_t = 60_000,
        hide = true, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub signing_keys_reread_ms: u64,
    /// After how many wrong passwords within 15 minutes no more are checked, for one account from one
    /// network address. Guesses from everywhere else are then checked more and more slowly, but for
    /// addresses that logged in to the account before.
    #[arg(
        long,
        env = "KARCIS_FAILED_LOGINS_PER_ACCOUNT",
        default_value_t = 10,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub failed_logins_per_account: u32,
    /// The same for all accounts from one network address, but for accounts that it logged in to
    /// before.
    #[arg(
        long = "failed-logins-per-peer",
        env = "KARCIS_FAILED_LOGINS_PER_PEER",
        default_value_t = 300,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub failed_logins_per_client_ip: u32,
}

/// How e-mails reach people.
#[derive(Clone, clap::Args)]
pub struct MailConfig {
    /// The mail server: smtp://[user:password@]host[:port], with ?tls=required for STARTTLS, or
    /// smtps:// for TLS. Without one, that there are e-mails is only logged.
    #[arg(
        long,
        env = "KARCIS_SMTP_URL",
        value_name = "URL",
        default_value = "",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub smtp_url: String,
    /// Without a mail server, a folder that e-mails are written to as files, for development.
    #[arg(
        long,
        env = "KARCIS_MAIL_DIR",
        value_name = "FOLDER",
        default_value = "",
        hide_default_value = true
    )]
    pub mail_dir: String,
    /// The sender of the e-mails.
    #[arg(
        long,
        env = "KARCIS_MAIL_FROM",
        default_value = "Karcis <tickets@karcis.example>",
        value_name = "SENDER"
    )]
    pub mail_from: String,
    /// Where the web app is, which e-mails lead to; empty for none.
    #[arg(long, env = "KARCIS_WEB_URL", value_name = "URL", default_value = "")]
    pub web_url: String,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailConfig").field("mail_from", &self.mail_from).finish_non_exhaustive()
    }
}

/// The first admin. An existing account gets the role admin only if it has this password, so that
/// nobody becomes an admin by registering the address first.
#[derive(Clone, clap::Args)]
pub struct AdminConfig {
    /// The first admin's e-mail address; empty for none.
    #[arg(long, env = "KARCIS_ADMIN_EMAIL", default_value = "", value_name = "ADDRESS")]
    pub admin_email: String,
    /// The first admin's password.
    #[arg(
        long,
        env = "KARCIS_ADMIN_PASSWORD",
        default_value = "",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub admin_password: String,
}

impl fmt::Debug for AdminConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConfig").finish_non_exhaustive()
    }
}
