//! Waits for what is to come true, instead of sleeping.

use std::{future::Future, time::Duration};

/// Calls `look` until it gives `Ok`, for up to 30 s; then panics with its last error.
pub async fn eventually<T, E: std::fmt::Debug, F>(look: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        match look().await {
            Ok(value) => return value,
            Err(error) if tokio::time::Instant::now() > deadline => {
                panic!("not within 30 s: {error:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
