//! user-service keeps people's accounts, logs them in, says what they may do, and tells buyers
//! what becomes of their bookings.

mod adapters;
mod application;
mod config;
mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    access_tokens::AccessTokens,
    first_admin::first_admin,
    http::{Api, routes},
    kafka::Bookings,
    mail::{LogNotifier, SmtpNotifier, keep_telling},
    password_hasher::Argon2id,
    postgres::{PgAccounts, PgFailedLogins, PgNotices, signing_keys, tidy},
    regularly::regularly,
};
use application::{check_password::PasswordCheck, ports};
use domain::Limits;
use karcis_http::TokenKeys;
use karcis_process::{Process, now};
use karcis_schemas::USER;
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};

pub use config::{AdminConfig, Config};

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&USER, routes())
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let notifier: Arc<dyn ports::Notifier> =
        match SmtpNotifier::new(&config.mail).map_err(StartError::own)? {
            Some(smtp) => Arc::new(smtp),
            None => Arc::new(LogNotifier),
        };
    let base = Base::start(&USER, config.service, &process).await?;
    let pool = base.pool.clone();
    let kept = signing_keys(&pool).await.map_err(StartError::own)?;
    let tokens = Arc::new(AccessTokens::new(&kept).map_err(StartError::own)?);
    let keys = TokenKeys::fixed(tokens.published());
    let api = Api {
        accounts: Arc::new(PgAccounts::new(pool.clone(), base.outbox.clone())),
        check: PasswordCheck {
            passwords: Arc::new(Argon2id::new().map_err(StartError::own)?),
            failed_logins: Arc::new(PgFailedLogins(pool.clone())),
            limits: Limits {
                per_account: config.failed_logins_per_account,
                per_peer: config.failed_logins_per_peer,
            },
        },
        tokens,
    };
    first_admin(&config.admin, &*api.accounts, &*api.check.passwords)
        .await
        .map_err(|error| StartError::own(format!("first admin: {error}")))?;
    let notices: Arc<dyn ports::Notices> = Arc::new(PgNotices(pool.clone()));
    let news = Arc::new(Notify::new());
    let bookings = Bookings { notices: notices.clone(), news: news.clone() };
    let tidying = move || {
        let pool = pool.clone();
        async move { tidy(&pool, now()).await }
    };
    let stopping = base.stopping();
    process
        .run("http", base.serve(listener, routes().with_state(api), &keys))
        .run("consumer", base.consume(bookings))
        .run("outbox", base.relay())
        .run("notices", keep_telling(notices, notifier, news, stopping.clone()))
        .run("tidy", regularly("tidy", Duration::from_secs(600), stopping, tidying))
        .until_stopped()
        .await?;
    Ok(())
}
