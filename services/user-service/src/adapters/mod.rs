//! Connects the use cases with HTTP, Kafka, Postgres, mail and cryptography.

pub mod access_tokens;
pub mod first_admin;
pub mod http;
pub mod kafka;
pub mod mail;
pub mod password_hasher;
pub mod postgres;
pub mod refresh_tokens;
pub mod workers;
