//! A notifier that sends mail.
//!
//! Guarantees: nothing of a buyer is logged, also not what a mail server says, as it may repeat the
//! address; a server that is away costs one try a batch; only an address that the server says does
//! not exist is given up.

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

use super::{letter::letter, tell};
use crate::{application::ports::Notifier, config::MailConfig, domain::Due};

/// Connections, and so many letters under way at most.
const CONNECTIONS: u32 = 8;
/// How long the server may take for one step.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// How long all letters of a batch may take: less than a stop waits.
const BATCH_LIMIT: Duration = Duration::from_secs(8);
/// RFC 5321: the mailbox is unavailable, not here, or its name is not allowed.
const NO_SUCH_MAILBOX: [u16; 3] = [550, 551, 553];

/// Sends each notice as a letter.
pub struct SmtpNotifier {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A mail setting that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server's URL. It may hold a password, so it is not shown.
    #[error(
        "KARCIS_SMTP_URL is no mail server: give smtp://[user:password@]host[:port] (with \
         ?tls=required for STARTTLS), or smtps:// for TLS"
    )]
    Url,
    /// The sender.
    #[error("KARCIS_MAIL_FROM is no sender: give one such as 'Karcis <tickets@karcis.example>'")]
    From,
}

/// Why a letter was not sent.
enum Unsent {
    /// There is no such mailbox: trying again does not help.
    NoMailbox,
    /// Not this one, not now.
    Later,
    /// The server is away, or takes nothing from us.
    Away,
}

impl SmtpNotifier {
    /// Does not wait for the server; `None` if none is configured.
    pub fn new(config: &MailConfig) -> Result<Option<Self>, MailError> {
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

    async fn send(&self, Due { notice, buyer, .. }: &Due) -> Result<(), Unsent> {
        let Some(buyer) = buyer else { return Err(Unsent::NoMailbox) };
        let letter = letter(&self.from, notice, buyer).map_err(|_| Unsent::NoMailbox)?;
        match self.server.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) => Err(unsent(&error)),
        }
    }

    /// Sends one booking's letters in their order; tells which are done with.
    async fn send_all(&self, due: &[Due], away: &AtomicBool, until: Instant) -> Vec<bool> {
        let mut done = Vec::with_capacity(due.len());
        for one in due {
            let sent = async {
                if away.load(Ordering::Relaxed) {
                    return Err(Unsent::Later);
                }
                timeout_at(until, tell(one, self.send(one))).await.unwrap_or(Err(Unsent::Away))
            };
            let (booking, kind) = (one.notice.booking_id, one.notice.kind.as_str());
            done.push(match sent.await {
                Ok(()) => true,
                Err(Unsent::NoMailbox) => {
                    tracing::warn!(booking_id = %booking, kind, "the buyer cannot be reached by mail");
                    true
                }
                Err(Unsent::Later) => false,
                Err(Unsent::Away) => {
                    away.store(true, Ordering::Relaxed);
                    false
                }
            });
        }
        done
    }
}

fn unsent(error: &SmtpError) -> Unsent {
    let Some(code) = error.status().map(u16::from) else {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(%cause, "the mail server is away");
        return Unsent::Away;
    };
    match code {
        code if NO_SUCH_MAILBOX.contains(&code) => Unsent::NoMailbox,
        450..=459 => Unsent::Later,
        code => {
            tracing::warn!(code, "the mail server takes no letters");
            Unsent::Away
        }
    }
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn tell(&self, due: &[Due]) -> Vec<bool> {
        let (away, until) = (AtomicBool::new(false), Instant::now() + BATCH_LIMIT);
        let bookings = due.chunk_by(|a, b| a.notice.booking_id == b.notice.booking_id);
        let sending: Vec<_> = bookings.map(|due| self.send_all(due, &away, until)).collect();
        stream::iter(sending).buffered(CONNECTIONS as usize).concat().await
    }
}
