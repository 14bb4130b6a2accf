//! Hashes passwords with argon2id, on threads that may block, as many at a time as there are cores.
//! Log-ins go before registrations.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash as Phc,
};
use async_trait::async_trait;
use rand::RngExt;
use tokio::sync::Semaphore;

use crate::{
    application::{HashError, PasswordMatch, Passwords, Urgency},
    domain::{Password, PasswordHash, TypedPassword},
};

/// How many passwords may wait, of log-ins and of registrations: a few seconds of work on two cores.
const QUEUE: usize = 256;

/// 19 MiB, two passes, one thread: as OWASP's password storage cheat sheet recommends.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const PARALLELISM: u32 = 1;

/// Hashes passwords.
pub(crate) struct Argon2id {
    login_places: Arc<Semaphore>,
    registration_places: Arc<Semaphore>,
    /// Registrations wait here first, so that of all that wait only as many stand before a log-in as
    /// there are cores, and none waits for ever behind log-ins.
    registrations: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    /// Checked where there is no account, so that this takes as long.
    dummy_hash: PasswordHash,
}

impl Argon2id {
    /// For as many cores as this machine has.
    pub(crate) fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let dummy_password: [u8; 32] = rand::rng().random();
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Ok(Self {
            login_places: semaphore(cores + QUEUE),
            registration_places: semaphore(cores + QUEUE),
            registrations: semaphore(cores),
            cores: semaphore(cores),
            dummy_hash: hash(&dummy_password)?,
        })
    }

    /// Runs `work` on a thread that may block, once a core is free.
    async fn on_a_core<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let (places, first) = match urgency {
            Urgency::LogIn => (&self.login_places, None),
            Urgency::Registration => (&self.registration_places, Some(&self.registrations)),
        };
        let place = places.clone().try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = match first {
            Some(first) => Some(first.clone().acquire_owned().await.map_err(failed)?),
            None => None,
        };
        let core = self.cores.clone().acquire_owned().await.map_err(failed)?;
        // The work holds its permits, as it goes on even if the caller stops waiting.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permits = (place, turn, core);
            work()
        });
        hashing.await.map_err(failed)?
    }
}

#[async_trait]
impl Passwords for Argon2id {
    async fn hash(&self, password: Password, urgency: Urgency) -> Result<PasswordHash, HashError> {
        self.on_a_core(urgency, move || hash(password.expose().as_bytes())).await
    }

    async fn matches(
        &self,
        typed: TypedPassword,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordMatch, HashError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy_hash.clone());
        let check = move || verify(typed, &stored);
        let outcome = self.on_a_core(Urgency::LogIn, check).await?;
        Ok(if exists { outcome } else { PasswordMatch::Wrong })
    }
}

fn hash(password: &[u8]) -> Result<PasswordHash, HashError> {
    let salt: [u8; 16] = rand::rng().random();
    let hash = argon2id()?.hash_password_with_salt(password, &salt).map_err(failed)?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(typed: TypedPassword, stored: &PasswordHash) -> Result<PasswordMatch, HashError> {
    let stored = Phc::new(&stored.0).map_err(failed)?;
    for (at, text) in typed.spellings().into_iter().enumerate() {
        match argon2id()?.verify_password(text.as_bytes(), &stored) {
            Ok(()) if at > 0 || is_weaker(&stored)? => return Ok(PasswordMatch::Outdated),
            Ok(()) => return Ok(PasswordMatch::Right),
            Err(argon2::password_hash::Error::PasswordInvalid) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(PasswordMatch::Wrong)
}

/// Whether the hash was made with other parameters, which were lower once.
fn is_weaker(stored: &Phc) -> Result<bool, HashError> {
    let params = Params::try_from(stored).map_err(failed)?;
    Ok(params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES)
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    fn typed(text: &str) -> TypedPassword {
        TypedPassword(text.to_owned())
    }

    fn chosen(text: &str) -> Password {
        Password::choose(text.to_owned()).expect("it is good enough")
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        use PasswordMatch::{Right, Wrong};
        let passwords = Argon2id::new().expect("hashing works");
        let hash = async || passwords.hash(chosen("nine mangoes"), Urgency::LogIn).await;
        let stored = hash().await.expect("hashing works");
        assert!(stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.0);
        assert_ne!(stored, hash().await.expect("hashing works"), "salted");
        for (text, hash, outcome) in [
            ("nine mangoes", Some(stored.clone()), Right),
            ("Nine mangoes", Some(stored.clone()), Wrong),
            ("nine mangoes ", Some(stored.clone()), Wrong),
            ("", Some(stored), Wrong),
            ("nine mangoes", None, Wrong),
        ] {
            let matches = passwords.matches(typed(text), hash).await.expect("hashing works");
            assert_eq!(matches, outcome, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_weaker_hash_or_another_spelling_is_outdated() {
        use PasswordMatch::{Outdated, Right};
        let passwords = Argon2id::new().expect("hashing works");
        let hashed = |text: &str, memory, passes| {
            let params = Params::new(memory, passes, 1, None).expect("they are valid");
            let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = weak.hash_password_with_salt(text.as_bytes(), b"salt of mangoes!");
            Some(PasswordHash(hash.expect("hashing works").to_string()))
        };
        let (composed, decomposed) = ("žluťoučký", "z\u{30c}lut\u{30c}ouc\u{30c}ky\u{301}");
        for (stored, text, outcome) in [
            (hashed("nine mangoes", MEMORY_KIB, PASSES), "nine mangoes", Right),
            (hashed("nine mangoes", 2 * MEMORY_KIB, PASSES), "nine mangoes", Right),
            (hashed("nine mangoes", 1024, PASSES), "nine mangoes", Outdated),
            (hashed("nine mangoes", MEMORY_KIB, 1), "nine mangoes", Outdated),
            (hashed(composed, MEMORY_KIB, PASSES), decomposed, Right),
            (hashed(decomposed, MEMORY_KIB, PASSES), decomposed, Outdated),
            (hashed(decomposed, MEMORY_KIB, PASSES), composed, Outdated),
        ] {
            let matches = passwords.matches(typed(text), stored).await.expect("hashing works");
            assert_eq!(matches, outcome, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_is_not_the_other_queue() {
        let passwords = Argon2id::new().expect("hashing works");
        for (places, full) in [
            (&passwords.login_places, Urgency::LogIn),
            (&passwords.registration_places, Urgency::Registration),
        ] {
            let all = u32::try_from(places.available_permits()).expect("they are few");
            let taken = places.clone().acquire_many_owned(all).await;
            for urgency in [Urgency::LogIn, Urgency::Registration] {
                let hash = passwords.hash(chosen("nine mangoes"), urgency).await;
                assert_eq!(matches!(hash, Err(HashError::Busy)), urgency == full, "{urgency:?}");
            }
            drop(taken);
            assert!(passwords.hash(chosen("nine mangoes"), full).await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_log_in_goes_before_the_registrations_that_wait() {
        let passwords = Argon2id::new().expect("hashing works");
        let cores = passwords.cores.available_permits();
        let all = u32::try_from(cores).expect("they are few");
        let busy = passwords.cores.clone().acquire_many_owned(all).await.expect("it is open");
        let hashed = AtomicUsize::new(0);
        let register = async || {
            let hash = passwords.hash(chosen("nine mangoes"), Urgency::Registration).await;
            hash.expect("hashing works");
            hashed.fetch_add(1, Ordering::Relaxed)
        };
        let registrations = join_all((0..10 * cores).map(|_| register()));
        let log_in = async {
            let log_in = passwords.matches(typed("nine mangoes"), None);
            let (_, ()) = tokio::join!(log_in, async { drop(busy) });
            hashed.load(Ordering::Relaxed)
        };
        // All registrations wait before the log-in comes.
        let (_, before) = tokio::join!(registrations, log_in);
        assert!(before <= 3 * cores, "{before} of {} went before it", 10 * cores);
    }

    #[tokio::test]
    async fn a_stored_text_that_is_no_hash_is_an_error() {
        let passwords = Argon2id::new().expect("hashing works");
        let stored = Some(PasswordHash("nine mangoes".to_owned()));
        let error = passwords.matches(typed("nine mangoes"), stored).await;
        assert!(matches!(error, Err(HashError::Failed(_))), "{error:?}");
    }
}
