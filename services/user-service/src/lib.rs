//! user-service stores people's accounts and roles, logs people in, and sends them e-mails: about their
//! accounts, and about the status of their bookings.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    access_tokens::AccessTokens,
    first_admin::first_admin,
    http::{ApiState, routes},
    kafka::{BookingFacts, encode},
    mail::notifier,
    password_hasher::Argon2id,
    postgres::{
        PgAccountMails, PgAccounts, PgFailedLogins, PgMailCounts, PgNotifications, signing_keys,
    },
    security_log::Logged,
    workers,
};
use application::{Notifications, PasswordCheck, SecurityLog};
use domain::LoginLimits;
use karcis_database::Pool;
use karcis_http::TokenKeys;
use karcis_messaging::Consumer;
use karcis_process::Process;
use karcis_schemas::USER;
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};

pub use adapters::postgres::{KeyError, KeyKeeper, published_keys, retire_key, rotate_keys};
pub use config::{AdminConfig, Config};
pub use domain::{KeyInUse, KeyStatus, PublishedKey, Reason};

/// A worker that shows no sign of life for longer hangs.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&USER, routes())
}

/// The reader of messages that [`run`] gives to Kafka, without that: `karcis bench` measures what it reaches by
/// itself.
pub fn floor(pool: Pool) -> impl Consumer {
    BookingFacts { notifications: Arc::new(PgNotifications(pool)), due: Arc::default() }
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let notifier = notifier(&config.mail).map_err(StartError::own)?;
    let limits = config.service.http.limits.clone();
    let base = Base::start(&USER, config.service, &process).await?;
    let (pool, saga) = (base.pools.writes.clone(), base.pools.saga.clone());
    let signing_keys = signing_keys(&pool).await.map_err(StartError::own)?;
    let access_tokens = Arc::new(AccessTokens::new(&signing_keys).map_err(StartError::own)?);
    let keys = TokenKeys::reread(&access_tokens.published());
    let security: Arc<dyn SecurityLog> = Arc::new(Logged::new());
    let state = ApiState {
        accounts: Arc::new(PgAccounts::new(pool.clone(), base.outbox.clone(), encode)),
        mails: Arc::new(PgAccountMails(pool.clone())),
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
        token_keys: keys.clone(),
        logins: limits.limit("logins", config.rate_limit_logins),
        registrations: limits.limit("registrations", config.rate_limit_registrations),
    };
    let passwords = &*state.password_check.passwords;
    first_admin(&config.admin, &*state.accounts, passwords, &*security)
        .await
        .map_err(StartError::own)?;
    let notifications: Arc<dyn Notifications> = Arc::new(PgNotifications(saga.clone()));
    let due = Arc::new(Notify::new());
    let consumer = BookingFacts { notifications: notifications.clone(), due: due.clone() };
    let mails = workers::Mails {
        queues: [Arc::new(PgAccountMails(saga.clone())), notifications],
        counts: Arc::new(PgMailCounts(saga.clone())),
        notifier,
        due,
    };
    let sending = mails.send(base.alive("mails", ALIVE_WITHIN), base.stopping());
    let reread_every = Duration::from_millis(config.signing_keys_reread_ms);
    let rereading = workers::reread_keys(
        pool.clone(),
        state.access_tokens.clone(),
        keys.clone(),
        security.clone(),
        reread_every,
        base.stopping(),
    );
    process
        .run("http", base.serve(listener, routes().with_state(state), &keys))
        .run("consumer", base.consume(consumer))
        .run("outbox", base.relay())
        .run("database", base.watch())
        .run("mails", sending)
        .run("signing keys", rereading)
        .run("purge", workers::purge(saga, base.stopping()))
        .until_stopped()
        .await?;
    Ok(())
}
