//! A notifier that writes each e-mail into a folder, for development and tests.

use std::path::Path;

use async_trait::async_trait;
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};

use super::{
    email::{Sender, email},
    traced,
};
use crate::{
    application::{Delivery, Notifier},
    domain::Mail,
};

/// Writes `<uuid>.eml` files.
pub(super) struct FileNotifier {
    folder: AsyncFileTransport<Tokio1Executor>,
    sender: Sender,
}

impl FileNotifier {
    /// Makes the folder if it is not there; only its owner can read it.
    pub(super) fn new(folder: &Path, sender: Sender) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: AsyncFileTransport::new(folder), sender })
    }

    async fn write(&self, mail: &Mail) -> Delivery {
        let Some(recipient) = &mail.recipient else { return Delivery::Done };
        // An address that no e-mail can be written to is not tried again.
        let Ok(email) = email(&self.sender, mail, recipient) else { return Delivery::Done };
        match self.folder.send(email).await {
            Ok(_) => {
                let booking_id = mail.content.notification().map(|of| of.booking_id);
                let booking_id = booking_id.map(tracing::field::display);
                tracing::info!(booking_id, kind = mail.kind(), "wrote an e-mail into the folder");
                Delivery::Done
            }
            Err(error) => {
                tracing::warn!(%error, "e-mails cannot be written to the folder");
                Delivery::NotSent
            }
        }
    }
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn notify(&self, mails: &[Mail]) -> Vec<Delivery> {
        let mut done = Vec::with_capacity(mails.len());
        for mail in mails {
            done.push(traced(mail, self.write(mail)).await);
        }
        done
    }
}
