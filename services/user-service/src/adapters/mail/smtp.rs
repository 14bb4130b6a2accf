//! A notifier that sends e-mails.
//!
//! Guarantees: nothing personal is logged, not even the mail server's answers, as they may contain
//! the address. An unavailable server costs one try a batch. Only an address that does not exist, as
//! the server says, is not tried again.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{Error as SmtpError, PoolConfig, extension::ClientId},
};
use tokio::time::{Instant, timeout_at};

use super::{email::email, traced};
use crate::{application::Notifier, config::MailConfig, domain::DueNotification};

/// How many connections, and so e-mails at a time.
const CONNECTIONS: u32 = 8;
/// How long the server may take for one step.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// How long all e-mails of a batch may take: less than the process waits when it is stopped.
const BATCH_LIMIT: Duration = Duration::from_secs(8);
/// RFC 5321: the mailbox is unavailable, not here, or its name is not allowed.
const NO_SUCH_MAILBOX: [u16; 3] = [550, 551, 553];

/// Sends each notification as an e-mail.
pub(crate) struct SmtpNotifier {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A mail setting that is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    /// The URL is not shown, as it may contain a password.
    #[error(
        "KARCIS_SMTP_URL is no mail server: give smtp://[user:password@]host[:port] (with \
         ?tls=required for STARTTLS), or smtps:// for TLS"
    )]
    Url,
    #[error("KARCIS_MAIL_FROM is no sender: give one such as 'Karcis <tickets@karcis.example>'")]
    From,
}

/// Why an e-mail was not sent.
enum SendError {
    /// There is no such mailbox: trying again does not help.
    NoMailbox,
    /// The server does not accept this e-mail now.
    TryLater,
    /// The server does not answer, or accepts nothing from us.
    ServerUnavailable,
}

impl SmtpNotifier {
    /// `None` if no server is configured. Does not connect yet.
    pub(crate) fn new(config: &MailConfig) -> Result<Option<Self>, MailError> {
        if config.smtp_url.is_empty() {
            return Ok(None);
        }
        let from: Mailbox = config.mail_from.parse().map_err(|_| MailError::From)?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url);
        let server = server
            .map_err(|_| MailError::Url)?
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(STEP_LIMIT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS))
            .build();
        Ok(Some(Self { server, from }))
    }

    async fn send(&self, due: &DueNotification) -> Result<(), SendError> {
        let buyer = due.buyer.as_ref().ok_or(SendError::NoMailbox)?;
        let email = email(&self.from, &due.notification, buyer);
        let email = email.map_err(|_| SendError::NoMailbox)?;
        self.server.send(email).await.map(drop).map_err(|error| send_error(&error))
    }

    /// Sends the e-mails of one booking in their order. Returns for each whether it is done. Sends
    /// nothing more once the server is `unavailable`.
    async fn send_all(
        &self,
        due: &[DueNotification],
        unavailable: &AtomicBool,
        until: Instant,
    ) -> Vec<bool> {
        let mut done = Vec::with_capacity(due.len());
        for one in due {
            let sent = async {
                if unavailable.load(Ordering::Relaxed) {
                    return Err(SendError::TryLater);
                }
                let sending = timeout_at(until, traced(one, self.send(one)));
                sending.await.unwrap_or(Err(SendError::ServerUnavailable))
            };
            let (booking, kind) = (one.notification.booking_id, one.notification.kind.as_str());
            done.push(match sent.await {
                Ok(()) => true,
                Err(SendError::NoMailbox) => {
                    tracing::warn!(booking_id = %booking, kind, "the buyer cannot be reached by mail");
                    true
                }
                Err(SendError::TryLater) => false,
                Err(SendError::ServerUnavailable) => {
                    unavailable.store(true, Ordering::Relaxed);
                    false
                }
            });
        }
        done
    }
}

fn send_error(error: &SmtpError) -> SendError {
    let Some(code) = error.status().map(u16::from) else {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(%cause, "the mail server is unavailable");
        return SendError::ServerUnavailable;
    };
    match code {
        code if NO_SUCH_MAILBOX.contains(&code) => SendError::NoMailbox,
        450..=459 => SendError::TryLater,
        code => {
            tracing::warn!(code, "the mail server accepts no e-mails");
            SendError::ServerUnavailable
        }
    }
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn notify(&self, due: &[DueNotification]) -> Vec<bool> {
        let (unavailable, until) = (AtomicBool::new(false), Instant::now() + BATCH_LIMIT);
        let bookings = due.chunk_by(|a, b| a.notification.booking_id == b.notification.booking_id);
        let sending: Vec<_> = bookings.map(|due| self.send_all(due, &unavailable, until)).collect();
        stream::iter(sending).buffered(CONNECTIONS as usize).concat().await
    }
}
