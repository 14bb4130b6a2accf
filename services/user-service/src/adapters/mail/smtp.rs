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
    transport::smtp::{Error as SmtpError, PoolConfig, extension::ClientId},
};
use tokio::time::{Instant, timeout_at};

use super::{
    MailError,
    email::{Sender, email},
    traced,
};
use crate::{
    application::{Delivery, Notifier},
    domain::Mail,
};

/// How many connections, and so e-mails at a time.
const CONNECTIONS: u32 = 8;
/// How long the server may take for one step.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// How long all e-mails of a batch may take: less than the process waits when it is stopped.
const BATCH_LIMIT: Duration = Duration::from_secs(8);

/// Sends each by SMTP.
pub(super) struct SmtpNotifier {
    server: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
}

/// Why an e-mail was not sent.
enum SendError {
    /// There is no such mailbox: trying again does not help.
    NoMailbox,
    /// The server does not accept this e-mail now.
    TryLater,
    /// The server cannot be reached, or accepts nothing from us.
    ServerUnavailable,
    /// The same, but it may have the e-mail.
    AnswerLost,
}

impl SmtpNotifier {
    /// Does not connect yet.
    pub(super) fn new(url: &str, sender: Sender) -> Result<Self, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let server = server
            .map_err(|_| MailError::Url)?
            .hello_name(ClientId::Domain(sender.from.email.domain().to_owned()))
            .timeout(Some(STEP_LIMIT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS))
            .build();
        Ok(Self { server, sender })
    }

    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let recipient = mail.recipient.as_ref().ok_or(SendError::NoMailbox)?;
        let email = email(&self.sender, mail, recipient);
        let email = email.map_err(|_| SendError::NoMailbox)?;
        self.server.send(email).await.map(drop).map_err(|error| send_error(&error))
    }

    /// Sends these e-mails in their order. Returns for each what became of it. Sends nothing more once the
    /// server is `unavailable`.
    async fn send_all(
        &self,
        mails: &[Mail],
        unavailable: &AtomicBool,
        until: Instant,
    ) -> Vec<Delivery> {
        let mut done = Vec::with_capacity(mails.len());
        for one in mails {
            let sent = async {
                // One that is for nobody waits for no server.
                if one.recipient.is_some() && unavailable.load(Ordering::Relaxed) {
                    return Err(SendError::TryLater);
                }
                let sending = timeout_at(until, traced(one, self.send(one)));
                sending.await.unwrap_or(Err(SendError::AnswerLost))
            };
            done.push(match sent.await {
                Ok(()) => Delivery::Done,
                // Of an account that is gone, or was never there: anybody can ask for a new password.
                Err(SendError::NoMailbox) if one.recipient.is_none() => Delivery::Done,
                Err(SendError::NoMailbox) => {
                    let booking = one.content.notification().map(|of| of.booking_id);
                    let booking_id = booking.map(tracing::field::display);
                    tracing::warn!(booking_id, kind = one.kind(), "an e-mail reaches nobody");
                    Delivery::Done
                }
                Err(SendError::TryLater) => Delivery::NotSent,
                Err(SendError::ServerUnavailable) => {
                    unavailable.store(true, Ordering::Relaxed);
                    Delivery::NotSent
                }
                Err(SendError::AnswerLost) => {
                    unavailable.store(true, Ordering::Relaxed);
                    Delivery::Unknown
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
        // There is no other way to ask whether there was a connection.
        let is_unconnected = error.to_string().starts_with("Connection error");
        return if is_unconnected { SendError::ServerUnavailable } else { SendError::AnswerLost };
    };
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    match code {
        500..=599 if is_no_mailbox(&text) => SendError::NoMailbox,
        450..=459 | 550..=559 => SendError::TryLater,
        code => {
            tracing::warn!(code, "the mail server accepts no e-mails");
            SendError::ServerUnavailable
        }
    }
}

/// Whether an answer's enhanced status code (RFC 3463) says that the recipient's address is wrong. Servers
/// answer 550 for many other reasons, such as a full blocklist or a policy of the day; and 5.1.7 and 5.1.8
/// are about our own address.
fn is_no_mailbox(answer: &str) -> bool {
    let code = answer.split_whitespace().next().unwrap_or_default();
    code.strip_prefix("5.1.").is_some_and(|detail| !matches!(detail, "7" | "8"))
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn notify(&self, mails: &[Mail]) -> Vec<Delivery> {
        let (unavailable, until) = (AtomicBool::new(false), Instant::now() + BATCH_LIMIT);
        // Those of a booking one after another.
        let bookings = mails.chunk_by(|a, b| {
            let booking = |mail: &Mail| mail.content.notification().map(|of| of.booking_id);
            booking(a).is_some() && booking(a) == booking(b)
        });
        let sending: Vec<_> =
            bookings.map(|mails| self.send_all(mails, &unavailable, until)).collect();
        stream::iter(sending).buffered(CONNECTIONS as usize).concat().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_about_the_recipients_address_drops_a_mail() {
        for (answer, is_dropped) in [
            ("5.1.1 no such user", true),
            ("5.1.1", true),
            ("5.1.2 bad domain 5.1.2 really", true),
            ("5.1.10 null MX", true),
            ("5.1.7 bad sender", false),
            ("5.1.8 bad sender's domain", false),
            ("5.7.1 blocked: see 5.1.1", false),
            ("5.2.2 mailbox full", false),
            ("5.1", false),
            ("mailbox unavailable", false),
            ("", false),
        ] {
            assert_eq!(is_no_mailbox(answer), is_dropped, "{answer:?}");
        }
    }
}
