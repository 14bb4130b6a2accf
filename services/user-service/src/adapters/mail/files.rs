//! A notifier that writes each letter into a folder, for development and tests.

use std::path::Path;

use async_trait::async_trait;
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor, message::Mailbox};

use super::{email::email, traced};
use crate::{application::Notifier, domain::Letter};

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

    async fn write(&self, letter: &Letter) -> bool {
        let Some(recipient) = &letter.recipient else { return true };
        // An address that no letter can be written to is not tried again.
        let Ok(email) = email(&self.from, letter, recipient) else { return true };
        let written = self.folder.send(email).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "letters cannot be written to the folder");
        }
        written.is_ok()
    }
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn notify(&self, letters: &[Letter]) -> Vec<bool> {
        let mut done = Vec::with_capacity(letters.len());
        for letter in letters {
            done.push(traced(letter, self.write(letter)).await);
        }
        done
    }
}
