//! user-service keeps people's accounts, logs them in, says what they may do, and tells buyers
//! what becomes of their bookings.

mod adapters;
mod application;
mod config;
mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    access_tokens::{AccessTokens, KeyError},
    first_admin::{FirstAdminError, first_admin},
    http::{Api, routes},
    kafka::Bookings,
    mail::{LogNotifier, MailError, SmtpNotifier, keep_telling},
    password_hasher::Argon2id,
    postgres::{DatabaseAnswers, PgAccounts, PgFailedLogins, PgNotices, signing_keys, tidy},
    regularly::regularly,
};
use application::{check_password::PasswordCheck, ports};
use domain::Limits;
use karcis_http::{About, App, TokenKeys};
use karcis_messaging::{DatabaseError, Kafka, Outbox, connect, migrate};
use karcis_process::{Process, now};
use tokio::{net::TcpListener, sync::Notify};

pub use config::{AdminConfig, Config};

const SERVICE: &str = "user-service";
const ABOUT: About =
    About { service: SERVICE, about: "people: their accounts, sessions and roles", port: 8081 };

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_http::openapi(ABOUT, routes().into_openapi())
}

/// Why the service did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database does not answer or its schema cannot be brought up to date.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A Kafka setting is wrong.
    #[error("{0}")]
    Kafka(#[from] karcis_messaging::KafkaError),
    /// A kept signing key is no key.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Passwords cannot be hashed.
    #[error("{0}")]
    Hash(#[from] ports::HashError),
    /// A mail setting is wrong.
    #[error("{0}")]
    Mail(#[from] MailError),
    /// The first admin's settings are wrong, or the account cannot be made.
    #[error("first admin: {0}")]
    FirstAdmin(#[from] FirstAdminError),
    /// One of its tasks ended.
    #[error("{0}")]
    Stopped(#[from] karcis_process::StopError),
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let kafka = Kafka::connect(&config.kafka)?;
    let notifier: Arc<dyn ports::Notifier> = match SmtpNotifier::new(&config.mail)? {
        Some(smtp) => Arc::new(smtp),
        None => Arc::new(LogNotifier),
    };
    let pool = connect(&config.database).await?;
    migrate(&pool, karcis_schemas::USERS.migrations).await?;
    let outbox = Outbox::new(pool.clone(), SERVICE);
    let tokens =
        Arc::new(AccessTokens::new(&signing_keys(&pool).await.map_err(DatabaseError::from)?)?);
    let api = Api {
        accounts: Arc::new(PgAccounts::new(pool.clone(), outbox.clone())),
        check: PasswordCheck {
            passwords: Arc::new(Argon2id::new()?),
            failed_logins: Arc::new(PgFailedLogins(pool.clone())),
            limits: Limits {
                per_account: config.failed_logins_per_account,
                per_peer: config.failed_logins_per_peer,
            },
        },
        tokens: tokens.clone(),
    };
    first_admin(&config.admin, &*api.accounts, &*api.check.passwords).await?;
    let notices: Arc<dyn ports::Notices> = Arc::new(PgNotices(pool.clone()));
    let news = Arc::new(Notify::new());
    let bookings = Bookings { notices: notices.clone(), news: news.clone() };
    let tidied = pool.clone();
    let tidying = move || {
        let pool = tidied.clone();
        async move { tidy(&pool, now()).await }
    };
    let app = App {
        about: ABOUT,
        routes: routes().with_state(api),
        keys: TokenKeys::fixed(tokens.published()),
        readiness: Arc::new(DatabaseAnswers(pool.clone())),
    };
    let stopping = process.stopping();
    process
        .run("http", karcis_http::serve(listener, app, config.http, stopping.clone()))
        .run("relay", outbox.relay(kafka.clone(), stopping.clone()))
        .run("bookings", kafka.consume(SERVICE, pool, bookings, stopping.clone()))
        .run("notices", keep_telling(notices, notifier, news, stopping.clone()))
        .run("tidy", regularly("tidy", Duration::from_secs(600), stopping, tidying))
        .until_stopped()
        .await?;
    Ok(())
}
