//! Tells buyers what is due, apart from the consumer: a mail server that is away holds nothing up.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_process::{CancellationToken, now};
use tokio::{sync::Notify, time::interval};

use crate::application::{
    ports::{Notices, Notifier},
    tell_buyers::tell_buyers,
};

/// How often to look unasked: for what is to be tried again, and what other instances died with.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tells what is due whenever there is `news` and each second, until `stopping`. What is under way
/// then is ended, so that nobody is told it again.
pub async fn keep_telling(
    notices: Arc<dyn Notices>,
    notifier: Arc<dyn Notifier>,
    news: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut looks = interval(LOOK_EVERY);
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => break,
            () = news.notified() => {}
            _ = looks.tick() => {}
        }
        match tell_buyers(&*notices, &*notifier, now()).await {
            Ok(true) => news.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "buyers cannot be told now"),
        }
    }
    Ok(())
}
