//! The ways in which e-mails reach people: by SMTP, as files for development, or as log lines only.

mod email;
mod files;
mod html;
mod log;
mod qr_code;
mod smtp;
mod texts;
mod web_app;

use karcis_process::trace::{
    self, BOOKING,
    otel::{
        KeyValue,
        trace::{SpanBuilder, SpanKind},
    },
};

use std::{path::Path, sync::Arc};

use email::Sender;
use files::FileNotifier;
use log::LogNotifier;
use smtp::SmtpNotifier;

use crate::{application::Notifier, config::MailConfig, domain::Mail};

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
    #[error("KARCIS_WEB_URL: {0}")]
    Web(&'static str),
    #[error("KARCIS_MAIL_DIR cannot be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// What the settings say: a mail server before a folder before the log. Does not connect yet.
pub(crate) fn notifier(config: &MailConfig) -> Result<Arc<dyn Notifier>, MailError> {
    let from = config.mail_from.parse().map_err(|_| MailError::From)?;
    let sender = Sender { from, web: config.web_url.parse().map_err(MailError::Web)? };
    Ok(match (config.smtp_url.as_str(), config.mail_dir.as_str()) {
        ("", "") => Arc::new(LogNotifier),
        ("", folder) => Arc::new(FileNotifier::new(Path::new(folder), sender)?),
        (url, _) => Arc::new(SmtpNotifier::new(url, sender)?),
    })
}

/// Runs `work`, which sends this e-mail, in a span of the trace that it follows from.
async fn traced<T>(mail: &Mail, work: impl Future<Output = T>) -> T {
    let cause = mail.trace.as_deref().and_then(trace::parse).unwrap_or_default();
    let span = trace::begin(&cause, || {
        let booking = mail.content.notification();
        let booking = booking.map(|of| KeyValue::new(BOOKING, of.booking_id.to_string()));
        SpanBuilder::from_name("send_mail").with_kind(SpanKind::Client).with_attributes(booking)
    });
    trace::scope(span, work).await
}
