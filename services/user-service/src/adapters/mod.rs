//! Connects the use cases with HTTP, Kafka, Postgres, mail and cryptography.

pub(crate) mod access_tokens;
pub(crate) mod first_admin;
pub(crate) mod http;
pub(crate) mod kafka;
pub(crate) mod mail;
pub(crate) mod password_hasher;
pub(crate) mod postgres;
pub(crate) mod secret_tokens;
pub(crate) mod security_log;
pub(crate) mod workers;
