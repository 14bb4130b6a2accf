//! Security events as log lines and counters.

use karcis_process::Sampler;
use metrics::{counter, describe_counter};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::{
    application::SecurityLog,
    domain::{ClientIp, SecurityEvent},
};

const EVENTS: &str = "karcis_security_events_total";

/// Logs each event, but for floods of blocked log-ins, and counts all.
pub(crate) struct Logged {
    /// Hashed with each network address, so that a line shows which attempts are one client's, and
    /// nobody finds the address by trying all.
    salt: [u8; 32],
    blocked: Sampler,
}

impl Logged {
    /// Begins the counters at 0.
    pub(crate) fn new() -> Self {
        describe_counter!(EVENTS, "Events that may be an attack, or that an attacker would cause.");
        for event in SecurityEvent::NAMES {
            counter!(EVENTS, "event" => event).increment(0);
        }
        Self { salt: rand::rng().random(), blocked: Sampler::new() }
    }

    /// The address, unreadable: the same until this process ends.
    fn hashed(&self, ClientIp(ip): &ClientIp) -> String {
        let hash = Sha256::new().chain_update(self.salt).chain_update(ip).finalize();
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl SecurityLog for Logged {
    fn note(&self, event: SecurityEvent<'_>) {
        counter!(EVENTS, "event" => event.name()).increment(1);
        let event_name = event.name();
        match event {
            SecurityEvent::LogInFailed { user, peer } => {
                let (user_id, peer) = (user.map(tracing::field::display), self.hashed(peer));
                tracing::warn!(security = event_name, user_id, peer, "a log-in failed");
            }
            SecurityEvent::LogInBlocked { user, peer } => {
                if let Some(suppressed) = self.blocked.pass() {
                    let (user_id, peer) = (user.map(tracing::field::display), self.hashed(peer));
                    tracing::warn!(
                        security = event_name,
                        user_id,
                        peer,
                        suppressed,
                        "log-ins are blocked after too many wrong passwords"
                    );
                }
            }
            SecurityEvent::DisabledRefused { user } => {
                tracing::warn!(security = event_name, user_id = %user,
                    "somebody wants to log in to a disabled account");
            }
            SecurityEvent::TokenReused { user, session } => {
                tracing::warn!(security = event_name, user_id = %user, session_id = %session.0,
                    "a refresh token was used twice: its session is ended");
            }
            SecurityEvent::RoleChanged { by, user, from, to } => {
                let by = by.map(tracing::field::display);
                tracing::warn!(security = event_name, user_id = %user, by, %from, %to,
                    "a role was changed");
            }
            SecurityEvent::EmailChanged { user } => {
                tracing::info!(security = event_name, user_id = %user,
                    "an account has another e-mail address");
            }
            SecurityEvent::PasswordReset { user } => {
                tracing::info!(security = event_name, user_id = %user,
                    "a forgotten password was replaced");
            }
            SecurityEvent::AccountErased { user } => {
                tracing::info!(security = event_name, user_id = %user, "an account was erased");
            }
            SecurityEvent::KeyChanged { key_id } => {
                tracing::warn!(
                    security = event_name,
                    key_id,
                    "access tokens are signed with another key"
                );
            }
            SecurityEvent::AccountDisabled { by, user } => {
                tracing::warn!(security = event_name, user_id = %user, %by,
                    "an account was disabled");
            }
            SecurityEvent::AccountEnabled { by, user } => {
                tracing::warn!(security = event_name, user_id = %user, %by,
                    "an account was enabled");
            }
            SecurityEvent::SessionsEnded { by, user } => {
                tracing::info!(security = event_name, user_id = %user, %by,
                    "sessions were ended from another one");
            }
        }
    }
}
