//! `karcis migrate`: each schema with its role and its tables, all in one database or each in its own.

use std::str::FromStr;

use karcis_database::DatabaseError;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use karcis_schemas::{
    BOOKINGS, EVENTS, PAYMENTS, SIMULATED_GATEWAY, Schema, SetupError, USERS, set_up,
};

/// What has a schema of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    User,
    Event,
    Booking,
    Payment,
    /// The simulated payment provider
    Gateway,
}

/// Which databases, and as whom.
#[derive(clap::Args)]
pub(crate) struct MigrateOptions {
    /// The database of all schemas: postgres://user:password@host/database of a superuser, or of the
    /// database's owner with CREATEROLE
    #[arg(long, env = "KARCIS_SETUP_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    setup_url: Option<String>,
    #[command(flatten)]
    urls: Urls,
    #[command(flatten)]
    passwords: Passwords,
    /// Only these parts, separated by commas
    #[arg(
        long,
        env = "KARCIS_MIGRATE_ONLY",
        value_enum,
        value_delimiter = ',',
        value_name = "PARTS"
    )]
    only: Vec<Part>,
    /// Give a role that is created without a password its own name as password
    #[arg(long, env = "KARCIS_DEVELOPMENT_PASSWORDS",
        value_parser = clap::builder::FalseyValueParser::new())]
    development_passwords: bool,
}

/// Where a part has a database of its own; the same kind of user.
#[derive(clap::Args)]
struct Urls {
    /// The database of user-service's schema, if it has one of its own
    #[arg(
        long,
        env = "KARCIS_USER_SETUP_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    user_setup_url: Option<String>,
    /// The database of event-service's schema, if it has one of its own
    #[arg(
        long,
        env = "KARCIS_EVENT_SETUP_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    event_setup_url: Option<String>,
    /// The database of booking-service's schema, if it has one of its own
    #[arg(
        long,
        env = "KARCIS_BOOKING_SETUP_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    booking_setup_url: Option<String>,
    /// The database of payment-service's schema, if it has one of its own
    #[arg(
        long,
        env = "KARCIS_PAYMENT_SETUP_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    payment_setup_url: Option<String>,
    /// The database of the simulated payment provider, if it has one of its own
    #[arg(
        long,
        env = "KARCIS_GATEWAY_SETUP_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    gateway_setup_url: Option<String>,
}

/// What the services log in with.
#[derive(clap::Args)]
struct Passwords {
    /// The password role karcis_user gets
    #[arg(
        long,
        env = "KARCIS_USER_DATABASE_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    user_password: Option<String>,
    /// The password role karcis_event gets
    #[arg(
        long,
        env = "KARCIS_EVENT_DATABASE_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    event_password: Option<String>,
    /// The password role karcis_booking gets
    #[arg(
        long,
        env = "KARCIS_BOOKING_DATABASE_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    booking_password: Option<String>,
    /// The password role karcis_payment gets
    #[arg(
        long,
        env = "KARCIS_PAYMENT_DATABASE_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    payment_password: Option<String>,
    /// The password role karcis_simulated_gateway gets
    #[arg(
        long,
        env = "KARCIS_GATEWAY_DATABASE_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    gateway_password: Option<String>,
}

/// Why a schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateError {
    /// Nobody said where.
    #[error("no database for schema {schema}: set KARCIS_SETUP_DATABASE_URL or {variable}")]
    NoDatabase {
        /// Which.
        schema: &'static str,
        /// What names a database for it alone.
        variable: String,
    },
    /// A role that anyone could log in as is not made.
    #[error(
        "role {role} is not there and has no password: set {variable}, or for development give \
         --development-passwords"
    )]
    NoPassword {
        /// Which.
        role: &'static str,
        /// What names its password.
        variable: String,
    },
    /// The database says no.
    #[error("schema {schema}: {error}")]
    Database {
        /// Which.
        schema: &'static str,
        /// Its words.
        error: DatabaseError,
    },
}

/// Does it for all parts that are asked for; the first that fails ends it.
pub(crate) async fn migrate(options: MigrateOptions) -> Result<(), MigrateError> {
    use clap::ValueEnum;
    let parts = if options.only.is_empty() { Part::value_variants() } else { &options.only };
    for part in parts {
        let schema = part.schema();
        prepare(*part, &options).await?;
        println!("schema {} is up to date", schema.name);
    }
    Ok(())
}

async fn prepare(part: Part, options: &MigrateOptions) -> Result<(), MigrateError> {
    let schema = part.schema();
    let variable = |ending| format!("KARCIS_{}_{ending}", format!("{part:?}").to_uppercase());
    // In a compose file or a manifest, what is not set is often empty.
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let url = given(options.url(part)).or_else(|| given(&options.setup_url));
    let no_database = || MigrateError::NoDatabase {
        schema: schema.name,
        variable: variable("SETUP_DATABASE_URL"),
    };
    let url = url.ok_or_else(no_database)?;
    let refused = |error| MigrateError::Database { schema: schema.name, error };
    let failed = |error: sqlx::Error| refused(error.into());

    let mut connection = PgConnection::connect(&url).await.map_err(failed)?;
    let password = given(options.password(part));
    if password.is_none() && !options.development_passwords {
        let there = sqlx::query_scalar("SELECT to_regrole($1) IS NOT NULL").bind(schema.role);
        if !there.fetch_one(&mut connection).await.map_err(failed)? {
            let variable = variable("DATABASE_PASSWORD");
            return Err(MigrateError::NoPassword { role: schema.role, variable });
        }
    }
    set_up(&mut connection, schema, password.as_deref())
        .await
        .map_err(|SetupError(error)| failed(error))?;
    connection.close().await.map_err(failed)?;

    // As the role, so that the tables are its own.
    let as_role = PgConnectOptions::from_str(&url)
        .map_err(failed)?
        .options([("role", schema.role), ("search_path", schema.name)]);
    let pool = PgPoolOptions::new().connect_lazy_with(as_role);
    karcis_database::migrate(&pool, schema.migrations).await.map_err(refused)
}

impl Part {
    fn schema(self) -> Schema {
        match self {
            Self::User => USERS,
            Self::Event => EVENTS,
            Self::Booking => BOOKINGS,
            Self::Payment => PAYMENTS,
            Self::Gateway => SIMULATED_GATEWAY,
        }
    }
}

impl MigrateOptions {
    fn url(&self, part: Part) -> &Option<String> {
        match part {
            Part::User => &self.urls.user_setup_url,
            Part::Event => &self.urls.event_setup_url,
            Part::Booking => &self.urls.booking_setup_url,
            Part::Payment => &self.urls.payment_setup_url,
            Part::Gateway => &self.urls.gateway_setup_url,
        }
    }

    fn password(&self, part: Part) -> &Option<String> {
        match part {
            Part::User => &self.passwords.user_password,
            Part::Event => &self.passwords.event_password,
            Part::Booking => &self.passwords.booking_password,
            Part::Payment => &self.passwords.payment_password,
            Part::Gateway => &self.passwords.gateway_password,
        }
    }
}
