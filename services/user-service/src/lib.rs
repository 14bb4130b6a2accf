//! user-service stores people's accounts and roles, logs people in, and notifies buyers of the
//! status of their bookings.

mod adapters;
mod application;
mod config;
mod domain;

use std::sync::Arc;

use adapters::{
    access_tokens::AccessTokens,
    first_admin::first_admin,
    http::{ApiState, routes},
    kafka::{BookingFacts, encode},
    mail::{LogNotifier, SmtpNotifier},
    password_hasher::Argon2id,
    postgres::{PgAccounts, PgFailedLogins, PgNotifications, signing_keys},
    security_log::Logged,
    workers,
};
use application::{Notifications, Notifier, PasswordCheck, SecurityLog};
use domain::LoginLimits;
use karcis_http::TokenKeys;
use karcis_process::Process;
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
    let notifier: Arc<dyn Notifier> =
        match SmtpNotifier::new(&config.mail).map_err(StartError::own)? {
            Some(smtp) => Arc::new(smtp),
            None => Arc::new(LogNotifier),
        };
    let base = Base::start(&USER, config.service, &process).await?;
    let pool = base.pool.clone();
    let signing_keys = signing_keys(&pool).await.map_err(StartError::own)?;
    let access_tokens = Arc::new(AccessTokens::new(&signing_keys).map_err(StartError::own)?);
    let keys = TokenKeys::fixed(access_tokens.published());
    let security: Arc<dyn SecurityLog> = Arc::new(Logged::new());
    let state = ApiState {
        accounts: Arc::new(PgAccounts::new(pool.clone(), base.outbox.clone(), encode)),
        password_check: PasswordCheck {
            passwords: Arc::new(Argon2id::new().map_err(StartError::own)?),
            failed_logins: Arc::new(PgFailedLogins(pool.clone())),
            limits: LoginLimits {
                per_account: config.failed_logins_per_account,
                per_client_ip: config.failed_logins_per_client_ip,
            },
            security: security.clone(),
        },
        access_tokens,
    };
    let passwords = &*state.password_check.passwords;
    first_admin(&config.admin, &*state.accounts, passwords, &*security)
        .await
        .map_err(StartError::own)?;
    let notifications: Arc<dyn Notifications> = Arc::new(PgNotifications(pool.clone()));
    let due = Arc::new(Notify::new());
    let consumer = BookingFacts { notifications: notifications.clone(), due: due.clone() };
    let notifying = workers::notify_buyers(notifications, notifier, due, base.stopping());
    process
        .run("http", base.serve(listener, routes().with_state(state), &keys))
        .run("consumer", base.consume(consumer))
        .run("outbox", base.relay())
        .run("notifications", notifying)
        .run("purge", workers::purge(pool, base.stopping()))
        .until_stopped()
        .await?;
    Ok(())
}
