//! argon2id, off the async threads, on as many of them as there are cores.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash as Phc,
};
use async_trait::async_trait;
use rand::RngExt;
use tokio::sync::Semaphore;

use crate::{
    application::ports::{HashError, Passwords},
    domain::{Password, PasswordHash, TypedPassword},
};

/// How many passwords may wait: a few seconds' work on two cores.
const QUEUE: usize = 256;

/// 19 MiB, two passes, one lane: what OWASP's password storage cheat sheet asks for.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords.
pub struct Argon2id {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    nobodys: PasswordHash,
}

impl Argon2id {
    /// Sized to this machine.
    pub fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let nobodys_password: [u8; 32] = rand::rng().random();
        Ok(Self {
            places: Arc::new(Semaphore::new(cores + QUEUE)),
            cores: Arc::new(Semaphore::new(cores)),
            nobodys: hash(&nobodys_password)?,
        })
    }

    /// Does `work` on a thread that may block, when a core is free.
    async fn on_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let broken = |error: &dyn std::fmt::Display| HashError::Broken(error.to_string());
        let place = self.places.clone().try_acquire_owned().map_err(|_| HashError::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|error| broken(&error))?;
        // The permits go with the work, which goes on when the caller does not wait for it.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permits = (place, core);
            work()
        });
        hashing.await.map_err(|error| broken(&error))?
    }
}

#[async_trait]
impl Passwords for Argon2id {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        self.on_a_core(move || hash(password.expose().as_bytes())).await
    }

    async fn is_right(
        &self,
        typed: TypedPassword,
        kept: Option<PasswordHash>,
    ) -> Result<bool, HashError> {
        let is_somebodys = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobodys.clone());
        let is_right = self.on_a_core(move || verify(typed.0.as_bytes(), &kept)).await?;
        Ok(is_right && is_somebodys)
    }
}

fn hash(password: &[u8]) -> Result<PasswordHash, HashError> {
    let salt: [u8; 16] = rand::rng().random();
    let hash = argon2id()?.hash_password_with_salt(password, &salt).map_err(broken)?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(typed: &[u8], kept: &PasswordHash) -> Result<bool, HashError> {
    let kept = Phc::new(&kept.0).map_err(|error| HashError::Broken(error.to_string()))?;
    match argon2id()?.verify_password(typed, &kept) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(broken(error)),
    }
}

fn argon2id() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| HashError::Broken(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: argon2::password_hash::Error) -> HashError {
    HashError::Broken(error.to_string())
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
        let kept = passwords.hash(chosen.clone()).await.expect("hashing works");
        assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.0);
        assert_ne!(kept, passwords.hash(chosen).await.expect("hashing works"), "salted");
        for (text, hash, right) in [
            ("nine mangoes", Some(kept.clone()), true),
            ("Nine mangoes", Some(kept.clone()), false),
            ("nine mangoes ", Some(kept.clone()), false),
            ("", Some(kept), false),
            ("nine mangoes", None, false),
        ] {
            let is_right = passwords.is_right(typed(text), hash).await.expect("hashing works");
            assert_eq!(is_right, right, "{text:?}");
        }
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_does_not_wait() {
        let passwords = Argon2id::new().expect("hashing works");
        let places = passwords.places.available_permits();
        let taken = passwords.places.clone().acquire_many_owned(places as u32).await;
        let busy = passwords.is_right(typed("nine mangoes"), None).await;
        assert!(matches!(busy, Err(HashError::Busy)), "{busy:?}");
        drop(taken);
        let free = passwords.is_right(typed("nine mangoes"), None).await;
        assert!(matches!(free, Ok(false)), "{free:?}");
    }

    #[tokio::test]
    async fn a_kept_hash_that_is_none_is_said_to_be_broken() {
        let passwords = Argon2id::new().expect("hashing works");
        let kept = Some(PasswordHash("nine mangoes".to_owned()));
        let broken = passwords.is_right(typed("nine mangoes"), kept).await;
        assert!(matches!(broken, Err(HashError::Broken(_))), "{broken:?}");
    }
}
