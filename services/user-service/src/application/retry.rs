//! Try again when others changed the same account meanwhile.

use karcis_database::StoreError;

/// How often a use case loads an account and tries to save it.
const ROUNDS: usize = 20;

/// Runs `attempt` until it is saved. `None` means that others changed what it had loaded.
pub(super) async fn retry<T, E: From<StoreError>, F>(attempt: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<Option<T>, E>>,
{
    for _ in 0..ROUNDS {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(StoreError::contended("others changed the account in every round: try again").into())
}
