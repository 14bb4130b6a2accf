//! A notifier that writes each e-mail into a folder, for development and tests.

use std::path::Path;

use async_trait::async_trait;
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor, message::Mailbox};

use super::{email::email, traced};
use crate::{application::Notifier, domain::Mail};

/// Writes `<uuid>.eml` files.
pub(super) struct FileNotifier {
    folder: AsyncFileTransport<Tokio1Executor>,
    from: Mailbox,
}

impl FileNotifier {
    /// Makes the folder if it is not there; only its owner can read it.
    pub(super) fn new(folder: &Path, from: Mailbox) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: AsyncFileTransport::new(folder), from })
    }

    async fn write(&self, mail: &Mail) -> bool {
        let Some(recipient) = &mail.recipient else { return true };
        // An address that no e-mail can be written to is not tried again.
        let Ok(email) = email(&self.from, mail, recipient) else { return true };
        let written = self.folder.send(email).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "e-mails cannot be written to the folder");
        }
        written.is_ok()
    }
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn notify(&self, mails: &[Mail]) -> Vec<bool> {
        let mut done = Vec::with_capacity(mails.len());
        for mail in mails {
            done.push(traced(mail, self.write(mail)).await);
        }
        done
    }
}
