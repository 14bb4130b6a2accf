//! Hashes passwords with argon2id, on threads that may block, as many at a time as there are cores.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash as Phc,
};
use async_trait::async_trait;
use rand::RngExt;
use tokio::sync::Semaphore;

use crate::{
    application::{HashError, Passwords},
    domain::{Password, PasswordHash, TypedPassword},
};

/// How many passwords may wait: a few seconds of work on two cores.
const QUEUE: usize = 256;

/// 19 MiB, two passes, one thread: as OWASP's password storage cheat sheet recommends.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const PARALLELISM: u32 = 1;

/// Hashes passwords.
pub(crate) struct Argon2id {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    /// Checked where there is no account, so that this takes as long.
    dummy_hash: PasswordHash,
}

impl Argon2id {
    /// For as many cores as this machine has.
    pub(crate) fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let dummy_password: [u8; 32] = rand::rng().random();
        Ok(Self {
            places: Arc::new(Semaphore::new(cores + QUEUE)),
            cores: Arc::new(Semaphore::new(cores)),
            dummy_hash: hash(&dummy_password)?,
        })
    }

    /// Runs `work` on a thread that may block, once a core is free.
    async fn on_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| HashError::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(failed)?;
        // The work holds its permits, as it goes on even if the caller stops waiting.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permits = (place, core);
            work()
        });
        hashing.await.map_err(failed)?
    }
}

#[async_trait]
impl Passwords for Argon2id {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        self.on_a_core(move || hash(password.expose().as_bytes())).await
    }

    async fn matches(
        &self,
        typed: TypedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<bool, HashError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy_hash.clone());
        let matches = self.on_a_core(move || verify(typed.0.as_bytes(), &stored)).await?;
        Ok(matches && exists)
    }
}

fn hash(password: &[u8]) -> Result<PasswordHash, HashError> {
    let salt: [u8; 16] = rand::rng().random();
    let hash = argon2id()?.hash_password_with_salt(password, &salt).map_err(failed)?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(typed: &[u8], stored: &PasswordHash) -> Result<bool, HashError> {
    let stored = Phc::new(&stored.0).map_err(failed)?;
    match argon2id()?.verify_password(typed, &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn argon2id() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, PARALLELISM, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> TypedPassword {
        TypedPassword(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let passwords = Argon2id::new().expect("hashing works");
        let chosen = Password::choose("nine mangoes".to_owned()).expect("it is good enough");
        let stored = passwords.hash(chosen.clone()).await.expect("hashing works");
        assert!(stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.0);
        assert_ne!(stored, passwords.hash(chosen).await.expect("hashing works"), "salted");
        for (text, hash, right) in [
            ("nine mangoes", Some(stored.clone()), true),
            ("Nine mangoes", Some(stored.clone()), false),
            ("nine mangoes ", Some(stored.clone()), false),
            ("", Some(stored), false),
            ("nine mangoes", None, false),
        ] {
            let matches = passwords.matches(typed(text), hash).await.expect("hashing works");
            assert_eq!(matches, right, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let passwords = Argon2id::new().expect("hashing works");
        let places = passwords.places.available_permits();
        let taken = passwords.places.clone().acquire_many_owned(places as u32).await;
        let busy = passwords.matches(typed("nine mangoes"), None).await;
        assert!(matches!(busy, Err(HashError::Busy)), "{busy:?}");
        drop(taken);
        let free = passwords.matches(typed("nine mangoes"), None).await;
        assert!(matches!(free, Ok(false)), "{free:?}");
    }

    #[tokio::test]
    async fn a_stored_text_that_is_no_hash_is_an_error() {
        let passwords = Argon2id::new().expect("hashing works");
        let stored = Some(PasswordHash("nine mangoes".to_owned()));
        let error = passwords.matches(typed("nine mangoes"), stored).await;
        assert!(matches!(error, Err(HashError::Failed(_))), "{error:?}");
    }
}
