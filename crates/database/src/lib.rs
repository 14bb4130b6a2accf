//! A service's own Postgres schema: pools and time limits, the migration runner, one store error,
//! readiness, group commit, decide-and-commit, and idempotency keys.

mod batcher;
mod decide;
mod idempotency_keys;
mod migrate;
mod pool;
mod readiness;
mod schema_version;
mod store_error;

pub use batcher::{BatchLimits, Batcher};
pub use decide::{Decider, decide_and_commit};
pub use idempotency_keys::{IdempotencyKeys, KEY_LIFETIME, KeyUse, RequestKey};
pub use migrate::migrate;
pub use pool::{DatabaseConfig, DatabaseError, connect, connect_to};
pub use readiness::DatabaseReadiness;
pub use schema_version::check_migrations;
pub use store_error::StoreError;
